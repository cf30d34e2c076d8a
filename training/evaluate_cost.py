"""What one model costs, measured in a process of its own: seconds to load, milliseconds a message,
megabytes that stay. Called by training.evaluate.
"""

import re
import sys
import time
from importlib import import_module
from pathlib import Path

import training.corpus as corpus


def main() -> None:
    """Prints four numbers: load, median, 95th of a hundred, resident."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    texts = [one.text for one in corpus.read()][::20][:300]
    start = time.perf_counter()
    module = import_module(f"training.handover.{name}")
    model = getattr(module, name.capitalize())(folder)
    model("Hello")
    loaded = time.perf_counter() - start
    took = sorted(_seconds(model, text) for text in texts)
    middle, late = took[len(took) // 2], took[len(took) * 95 // 100]
    sys.stdout.write(f"{loaded:.2f} {middle * 1e3:.1f} {late * 1e3:.1f} {_resident():.0f}\n")


def _resident() -> float:
    """Megabytes, as Linux tells; the peak that `resource` knows is that of whoever started us."""
    told = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))
    return int(told[1]) / 1024 if told else 0.0


def _seconds(model: object, text: str) -> float:
    start = time.perf_counter()
    model(text)  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
