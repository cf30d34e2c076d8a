"""Fixtures of the unit tests."""

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from tests.unit.brands import Files, forget
from tests.unit.channels.samples import ROOT


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """A brand of one's own: at first a copy of the shipped one."""
    folder = tmp_path / "brand"
    shutil.copytree(ROOT / "brand", folder)
    import_module("brand")
    others = [entry for entry in sys.path if not Path(entry or ".", "brand").is_dir()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *others])
    monkeypatch.delitem(sys.modules, "brand")
    invalidate_caches()
    forget()
    yield Files(folder)
    forget()
