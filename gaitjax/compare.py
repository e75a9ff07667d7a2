"""Puts results side by side: `python -m gaitjax.compare runs/gaitset runs/gaitbase`.

Results are run folders, or JSON files that `gaitjax.evaluate` wrote. The table shows every score,
the differences to the first result, and their intervals by a bootstrap over identities.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from gaitjax import command, files
from gaitjax.errors import UserError
from gaitjax.evaluation import comparison

log = logging.getLogger("gaitjax")


def main(arguments: Sequence[str]) -> None:
    """Compares results, and prints or writes the table."""
    parser = command.Parser("python -m gaitjax.compare", description=__doc__)
    parser.add_argument("results", nargs="+", type=Path, help="run folders, or JSON files")
    parser.add_argument("--format", choices=comparison.FORMATS, default="markdown")
    parser.add_argument("--output", type=Path, help="a file for the table, instead of printing it")
    parser.add_argument("--resamples", type=int, default=2_000, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    given = parser.parse_args(arguments)
    if len(given.results) < 2 or given.resamples < 1 or given.seed < 0:
        raise UserError("expected two results or more, --resamples of 1 or more, --seed from 0 up")
    found = comparison.compare(
        [comparison.read(path) for path in given.results], given.resamples, given.seed
    )
    table = comparison.FORMATS[given.format](found)
    if given.format == "csv":
        for note in found.notes:
            log.info("%s", note)
    if given.output:
        files.replace(given.output, table.encode())
        log.info("written to %s", given.output)
    else:
        print(table, end="")


if __name__ == "__main__":
    command.guarded(lambda: main(sys.argv[1:]))
