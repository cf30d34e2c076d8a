"""What is built starts from its .pyc, whatever the times of its files, and fits into Lambda."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import compiled


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for folder in ("OneFunction", "OtherFunction", "CommonLayer/python"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "OneFunction/said.py").write_text("print('hello')")
    (tmp_path / "OtherFunction/template.py").write_text("{{ this is no Python }}")
    return tmp_path


def test_a_function_starts_from_what_was_compiled(built: Path) -> None:
    compiled.compile_all(built, workers=1)
    source = built / "OneFunction/said.py"
    source.write_text("raise SystemExit('compiled anew')")
    os.utime(source, (0, 0))  # as in a package
    command = [sys.executable, "-B", "-c", "import said"]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    (found,) = source.parent.rglob("*.pyc")
    assert str(built).encode() not in found.read_bytes(), "where it was built is nobody's business"


def test_what_lambda_would_refuse_is_refused_at_once(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled.compile_all(built, workers=1)
    size = compiled.largest(built)
    (built / "OtherFunction/data").write_bytes(bytes(1000))
    (built / "CommonLayer/python/data").write_bytes(bytes(1000))
    assert compiled.largest(built) > max(size, 2000)
    monkeypatch.setattr(compiled, "MOST_BYTES", 1999)
    with pytest.raises(compiled.TooLarge):
        compiled.compile_all(built, workers=1)
