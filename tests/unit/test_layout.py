"""Where things live, and what may know of what; import-linter guards the rest (make check)."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("webhook", "classify", "respond", "escalate")
LOCKS = {
    "layers/common/requirements.txt": ("dependencies",),
    "functions/classify/requirements.txt": ("classify",),
    "requirements/dev.txt": ("dependencies", "dev", "classify"),
    "requirements/sam.txt": ("sam",),
    "requirements/ministack.txt": ("ministack",),
    "requirements/helpdesk.txt": ("helpdesk",),
}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {PATHS!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PATHS = [str(ROOT), str(ROOT / "layers/common")]


def test_the_door_starts_without_the_heavy_libraries() -> None:
    heavy = "{'pydantic', 'httpx', 'oauthlib', 'yaml'}"
    channels = "import firstreply.channels as c; [c.channel(n) for n in c.names()]"
    assert run(f"import functions.webhook.app; {channels}; print({heavy} & set(sys.modules))") == (
        "set()\n"
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_function_reads_no_setting_and_makes_no_client(function: str) -> None:
    code = (
        "import os; os.environ.clear(); import boto3\n"
        "def refuse(*a, **k): raise SystemExit('a client at import')\n"
        "boto3.client = boto3.resource = refuse\n"
        f"import functions.{function}.app\n"
    )
    run(f"exec({code!r})")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_thin(function: str) -> None:
    """app.py knows Lambda and puts the parts together; the work is next to it."""
    assert len((ROOT / "functions" / function / "app.py").read_text().splitlines()) <= 100


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_hold_what_the_project_asks_for(lock: str) -> None:
    """If not: make lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {"dependencies": project["project"]["dependencies"], **project["dependency-groups"]}
    text = (ROOT / lock).read_text()
    locked = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    }
    for group in LOCKS[lock]:
        for requirement in map(Requirement, asked[group]):
            version = locked.get(canonicalize_name(requirement.name))
            assert version, f"{requirement.name} is not locked"
            assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"
    assert text.count("--hash=sha256:") >= len(locked)
    assert "://" not in text


@pytest.mark.parametrize(
    "shipped", ["layers/common/requirements.txt", "functions/classify/requirements.txt"]
)
def test_developers_use_what_is_shipped(shipped: str) -> None:
    def locked(lock: str) -> dict[str, str]:
        found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
        return {name: version for name, version in found}

    known, dev = locked(shipped), locked("requirements/dev.txt")
    assert {name: dev.get(name) for name in known} == known


def test_classify_s_own_libraries_agree_with_the_layer_s() -> None:
    """They come before it on the path."""
    both = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("layers/common/requirements.txt", "functions/classify/requirements.txt")
    ]
    for name in both[0].keys() & both[1].keys():
        assert both[0][name] == both[1][name], name
