"""What one model costs, measured in a process of its own: seconds to load, milliseconds a message,
megabytes that stay. Called by training.evaluate.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from training import corpus

type Model = Callable[[str], object]


def main() -> None:
    """Prints four numbers: load (with its imports), median, 95th of a hundred, resident."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    english = [one.text for one in corpus.read() if one.language == "en"]
    texts = english[:: len(english) // 300]
    start = time.perf_counter()
    model = MODELS[name](folder)
    model("Hello")
    loaded = time.perf_counter() - start
    took = sorted(_seconds(model, text) for text in texts)
    middle, late = took[len(took) // 2], took[len(took) * 95 // 100]
    sys.stdout.write(f"{loaded:.2f} {middle * 1e3:.1f} {late * 1e3:.1f} {_resident():.0f}\n")


def _ngrams(folder: Path) -> Model:
    from functions.classify.trained.ngrams import Ngrams

    return Ngrams(folder)


def _multilingual(folder: Path) -> Model:
    from functions.classify.trained.encoder import Encoder

    about = json.loads((folder / "model.json").read_text("utf-8"))
    return Encoder(folder, about["tasks"], about["encoders"][0])


def _both(folder: Path) -> Model:
    from functions.classify.trained.encoder import Encoders

    encoders = Encoders(folder)
    return lambda text: encoders(text, "en")


# What only the one needs is not to be charged to the other.
MODELS: dict[str, Callable[[Path], Model]] = {
    "n-grams": _ngrams,
    "multilingual": _multilingual,
    "both (English)": _both,
}


def _resident() -> float:
    """Megabytes, as Linux tells; the peak that `resource` knows is that of whoever started us."""
    told = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))
    return int(told[1]) / 1024 if told else 0.0


def _seconds(model: Model, text: str) -> float:
    start = time.perf_counter()
    model(text)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
