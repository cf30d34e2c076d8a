"""python -m local.compiled FOLDER: give what `sam build` has left there its .pyc.

It leaves none, and Lambda can write none: each cold start would compile everything anew. Lambda
takes the files' times from the package, so a .pyc is one that asks for no time, nor for its source.
That cannot be an old one's: each `sam build` begins with an empty folder.
"""

from __future__ import annotations

import compileall
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

# What Lambda unpacks of a function and its layers:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BYTES = 250 * 1024 * 1024


class TooLarge(Exception):
    """Lambda would refuse it."""


def compile_all(built: Path, workers: int = 0) -> None:
    """By this interpreter, which is of the functions' version; 0 workers: one a processor."""
    # Some packages bring files that are no Python; those stay as they are.
    compileall.compile_dir(
        built,
        maxlevels=50,
        quiet=2,
        workers=workers,
        stripdir=str(built),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if (size := largest(built)) > MOST_BYTES:
        raise TooLarge(f"{size:,} bytes unpacked, of {MOST_BYTES:,} that Lambda takes")


def largest(built: Path) -> int:
    """Bytes of the largest function with every layer."""
    layers = sum(_bytes(one) for one in built.glob("*Layer"))
    return layers + max((_bytes(one) for one in built.glob("*Function")), default=0)


def _bytes(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


if __name__ == "__main__":
    compile_all(Path(sys.argv[1]))
