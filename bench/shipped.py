"""Python as Lambda has it: the repository, what the layer carries, boto3, and nothing else.

A developer's environment holds more, and libraries look for it: httpx imports click and rich where
it finds them, pydantic reads every installed package's entry points.
"""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from local.stack import ROOT

# The run time brings these, as boto3 asks for them.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six")
LAYER = "layers/common/requirements.txt"
CLASSIFY = "functions/classify/requirements.txt"


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter that sees only `packages` and the repository. It keeps what it compiles in
    `compiled`."""

    packages: Path
    compiled: Path

    def cpu_ms(self, code: str, environment: Mapping[str, str]) -> float:
        """What a fresh process takes for it, its own start included."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.run(code, environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return spent * 1000

    def run(self, code: str, environment: Mapping[str, str], *, keep: bool = False) -> str:
        """What it prints. `keep`: what is compiled is kept for the next time."""
        path = [str(ROOT), str(ROOT / "layers/common"), str(self.packages)]
        start = f"import sys; sys.path[:0] = {path!r}; exec(sys.argv[1])"
        # -I: neither the current folder nor the user's; -S: no site-packages.
        options = ["-I", "-S", "-X", f"pycache_prefix={self.compiled}", *([] if keep else ["-B"])]
        done = subprocess.run(
            [sys.executable, *options, "-c", start, code],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def forget_compiled(self) -> None:
        """Of what is ours to ship: as `sam build` leaves it, without any .pyc."""
        runtime = {top for name in RUNTIME for top in _tops(name)}
        ours = [one for one in self.packages.iterdir() if one.name not in runtime]
        for path in (ROOT / "layers", ROOT / "functions", ROOT / "brand", *ours):
            kept = self.compiled / str(path).lstrip("/")
            shutil.rmtree(kept, ignore_errors=True)


@contextmanager
def shipped(*locks: str) -> Iterator[Python]:
    """With what is locked there."""
    with TemporaryDirectory(prefix="firstreply-") as folder:
        packages = Path(folder, "packages")
        packages.mkdir()
        for name in {*RUNTIME, *(one for lock in locks for one in locked(ROOT / lock))}:
            for top in _tops(name):
                _link(Path(str(distribution(name).locate_file(top))), packages / top)
        yield Python(packages, Path(folder, "compiled"))


def locked(lock: Path) -> list[str]:
    return re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)


def _tops(name: str) -> set[str]:
    """The files and folders of a package, none if it is locked for another system."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return set()
    return {file.parts[0] for file in files} - {"..", "bin", "__pycache__"}


def _link(target: Path, link: Path) -> None:
    if target.exists() and not link.exists():
        link.symlink_to(target)
