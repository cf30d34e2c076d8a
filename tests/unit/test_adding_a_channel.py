"""docs/adding-a-channel.md: the example on the page is a channel like any other."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-channel.md").read_text("utf-8")
# `file`: or `file`, after `line`: and then what stands in it, or comes after each such line.
PARTS = re.findall(
    r"^`([^`\n]+)`(?:, after `([^`\n]+)`)?:\n\n```\w+\n(.*?)^```$", PAGE, re.M | re.S
)
COPIED = ("brand", "events", "functions", "layers", "local", "tests", "operate", "training")
SUITES = ("conformance", "rules", "events", "parse", "guestbook")


def put(part: tuple[str, str, str], root: Path) -> None:
    name, line, text = part
    path = root / name
    if not line:
        assert not path.exists(), f"{name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert any(one.strip() == line for one in lines), f"{name} has no line {line!r}"
    path.write_text("".join(one + text * (one.strip() == line) for one in lines), "utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy with the page's parts in it; without the models, which no channel needs."""
    without = shutil.ignore_patterns("model", "corpus", "__pycache__")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=without)
    for name in ("pyproject.toml", "template.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for part in PARTS:
        put(part, tmp_path)
    return tmp_path


def run(root: Path, *command: str) -> str:
    # Its own modules, not those that this process was pointed to.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYT")}
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_channel_on_the_page_is_held_to_what_every_channel_promises(repository: Path) -> None:
    suites = [f"tests/unit/channels/test_{name}.py" for name in SUITES]
    chosen = "guestbook or fenced_in or is_a_channel or has_a_row or heavy_libraries"
    options = ("-q", "-p", "no:cacheprovider", "-k", chosen)
    said = run(repository, "-m", "pytest", *options, *suites, "tests/unit/test_layout.py")
    passed = re.search(r"(\d+) passed", said)
    assert passed
    assert int(passed[1]) > 50, said


def test_it_is_written_as_the_house_writes(repository: Path) -> None:
    written = [name for name, _, _ in PARTS if name.endswith(".py")]
    run(repository, "-m", "ruff", "check", "--no-cache", *written)
    run(repository, "-m", "ruff", "format", "--no-cache", "--check", *written)


def test_every_file_that_the_page_names_is_there() -> None:
    made = {name for name, line, _ in PARTS if not line}
    named = set(re.findall(r"`((?:\w+/)+[\w.]+\.(?:py|json|yaml|md))`", PAGE)) - made
    folders = (ROOT, ROOT / "layers/common/firstreply")
    gone = {name for name in named if not any((folder / name).is_file() for folder in folders)}
    assert gone == set()
