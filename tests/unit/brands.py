"""Brands of a test's own."""

from pathlib import Path
from typing import Any

import yaml

from firstreply import brand
from tests.unit.channels.samples import ROOT

POLICY: dict[str, Any] = yaml.safe_load(ROOT.joinpath("brand/policy.yaml").read_text("utf-8"))


def words(language: str) -> dict[str, Any]:
    """The shipped file of a language."""
    path = ROOT.joinpath(f"brand/voice/{language}.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def changed(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with another value at `a.b.0`; nothing there if the value is `...`."""
    copy: dict[str, Any] = yaml.safe_load(yaml.safe_dump(data))
    *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    parent: Any = copy
    for step in steps:
        parent = parent[step]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return copy


def forget() -> None:
    """What was loaded of a brand before."""
    brand.voice.cache_clear()
    brand.answers.cache_clear()


class Files:
    """Stands before the repository's brand/ for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: object) -> None:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        self.folder.joinpath(name).write_text(text, "utf-8")
        forget()

    def remove(self, name: str) -> None:
        self.folder.joinpath(name).unlink()
        forget()
