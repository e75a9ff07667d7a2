"""Whether gaitjax computes what OpenGait computes: runs the golden cases of a folder.

    python scripts/check_golden.py FOLDER [--only REGEX]

prints a line a case: its name, what was compared, the largest error and its tolerance, and 'pass',
'fail', 'not supported' or 'skipped: REASON'. The exit code is 0 when all pass or are skipped, 1
when any does not, 2 when there is nothing to run.
"""

import argparse
import collections
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    """Runs the command, and returns the exit code."""
    import jax

    from gaitjax.errors import UserError
    from scripts.golden import cases

    folder, only = _parse(arguments)
    try:
        found = cases.discover(folder)
    except UserError as error:
        return _refuse(str(error))
    selected = [case for case in found if not case.readable or only.search(case.name)]
    if not selected:
        return _refuse(f"none of the {len(found)} cases of {folder} matches {only.pattern!r}")
    counts: collections.Counter[str] = collections.Counter()
    width = max(len(case.name) for case in selected)
    for case in selected:
        with jax.default_matmul_precision("highest"):
            outcome = cases.run(case)
        words = (case.name.ljust(width), outcome.text, outcome.status)
        print("  ".join(filter(None, words)), flush=True)
        counts[outcome.status.partition(":")[0]] += 1
    print(", ".join(f"{n} {status}" for status, n in counts.items()), file=sys.stderr)
    return int(bool(counts["fail"] or counts["not supported"]))


def _parse(arguments: Sequence[str]) -> tuple[Path, re.Pattern[str]]:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds NAME.json and NAME.npz")
    parser.add_argument("--only", default="", metavar="REGEX", help="searched for in the names")
    parsed = parser.parse_args(arguments)
    try:
        return parsed.folder, re.compile(parsed.only)
    except re.error as error:
        parser.error(f"--only {parsed.only!r} is no regular expression: {error}")


def _refuse(fault: str) -> int:
    print(f"check_golden: {fault}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    os.environ["JAX_PLATFORMS"] = "cpu"  # where the tolerances hold
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
