"""python -m bench [SECTION …] [--quick]: measure, show, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from importlib import import_module

from bench.harness import Section
from bench.report import machine, markdown, plain, section_of
from local.stack import ROOT, WORK

# In the order of the page.
SECTIONS = ("door", "cold", "answering", "understanding", "growth", "cost", "load")
PAGE = ROOT / "docs/benchmarks.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(SECTIONS)}; all if left out")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args()
    if unknown := set(options.section) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    WORK.mkdir(exist_ok=True)  # what is kept, and the emulator's log
    began, failed = time.monotonic(), 0
    for name in [one for one in SECTIONS if one in options.section] or SECTIONS:
        at = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            section: Section = import_module(f"bench.{name}").measure(quick=options.quick)
        except Exception as error:  # any: the other sections are measured all the same
            failed += 1
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            continue
        _keep(section)
        _write()
        _show(section, time.monotonic() - at)
    print(f"{PAGE.relative_to(ROOT)} written after {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if failed else 0


def _keep(section: Section) -> None:
    WORK.joinpath(f"bench-{section.name}.json").write_text(json.dumps(plain(section), indent=1))


def _write() -> None:
    """Of every section the last measurement on this machine."""
    files = [WORK / f"bench-{name}.json" for name in SECTIONS]
    found = [section_of(json.loads(file.read_text())) for file in files if file.exists()]
    PAGE.write_text(markdown(found, machine()), "utf-8")


def _show(section: Section, seconds: float) -> None:
    print(f"\n{section.title} ({seconds:.0f} s)")
    for table in section.tables:
        rows = (table.header, *table.rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print(f"  {'  '.join(cells)}".rstrip())
    for goal in section.goals:
        found = f"{goal.found:.2f}{goal.unit}, at most {goal.most:g}{goal.unit}"
        print(f"  {goal.what}: {found}: {goal.verdict}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
