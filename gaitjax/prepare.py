"""Makes the pickles that training reads from what the authors of a dataset distribute.

`python -m gaitjax.prepare casia_b --input RAW --output ROOT` reads a folder or archives, as they
come; interrupted, it goes on where it was. `python -m gaitjax.prepare check ROOT` says what is
there, and `python -m gaitjax.prepare pack ROOT --output STORE` packs it. Passwords are read from
--password_file or from GAITJAX_PASSWORD.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from gaitjax import command, datasets
from gaitjax.data import store
from gaitjax.errors import UserError, some
from gaitjax.preparation import check, run, work

log = logging.getLogger("gaitjax")


def main(arguments: Sequence[str]) -> None:
    """Prepares a dataset, or does what the first argument says."""
    commands: dict[str, Callable[[Sequence[str]], None]] = {"check": _check, "pack": _pack}
    chosen = commands.get(arguments[0]) if arguments else None
    if chosen:
        chosen(arguments[1:])
    else:
        _prepare(arguments)


def _prepare(arguments: Sequence[str]) -> None:
    parser = command.Parser("python -m gaitjax.prepare", description=__doc__)
    parser.add_argument("dataset", help="a file of gaitjax/datasets, or your own's dotted path")
    parser.add_argument("--input", type=Path, required=True, help="a folder, or an archive")
    parser.add_argument("--output", type=Path, required=True, help="root of the prepared tree")
    parser.add_argument("--partition", type=Path, help="JSON with TRAIN_SET and TEST_SET")
    parser.add_argument("--size", type=int, default=64, help="height of silhouettes, pixels")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--strict", action="store_true", help="stop at what would be left out")
    parser.add_argument("--password_file", type=Path, help="holds the password of the archives")
    given = parser.parse_args(arguments)
    if given.workers < 1:
        raise UserError(f"--workers is {given.workers}; expected 1 or more")
    options = run.Options(
        dataset=given.dataset,
        source=given.input,
        output=given.output,
        partition=given.partition,
        size=given.size,
        strict=given.strict,
        password=_password(given.password_file),
    )
    spawn = get_context("spawn")
    with ProcessPoolExecutor(given.workers, spawn, initializer=work.start) as executor:
        try:
            lines = run.prepare(options, executor, given.workers)
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    for line in lines:
        log.info("%s", line)
    log.info("written to %s", given.output)


def _check(arguments: Sequence[str]) -> None:
    parser = command.Parser("python -m gaitjax.prepare check", description=check.__doc__)
    parser.add_argument("root", type=Path, help="of a tree identity/type/view/*.pkl")
    parser.add_argument("--dataset", help="its name; by default what prepare.json says")
    parser.add_argument("--partition", type=Path, help="JSON with TRAIN_SET and TEST_SET")
    given = parser.parse_args(arguments)
    found = check.look(given.root, given.dataset, given.partition)
    for line in found.lines:
        log.info("%s", line)
    if found.broken:
        raise UserError(f"{len(found.broken)} are broken in {given.root}: {found.broken[0]}")


def _pack(arguments: Sequence[str]) -> None:
    parser = command.Parser("python -m gaitjax.prepare pack", description=store.__doc__)
    parser.add_argument("root", type=Path, help="of a tree identity/type/view/*.pkl")
    parser.add_argument("--output", type=Path, required=True, help="folder of the store")
    parser.add_argument("--dataset", help="its name; by default what prepare.json says")
    parser.add_argument("--modalities", help="such as silhouette,pose; by default all")
    parser.add_argument("--strict", action="store_true", help="stop at what would be left out")
    given = parser.parse_args(arguments)
    dataset = datasets.get(given.dataset or check.recorded(given.root))
    wanted = given.modalities.split(",") if given.modalities else list(dataset.files)
    if unknown := set(wanted) - set(dataset.files):
        raise UserError(
            f"--modalities: {dataset.title} has no {', '.join(sorted(unknown))}; it has "
            f"{', '.join(dataset.files)}"
        )
    files = {modality: dataset.files[modality] for modality in wanted}
    packed = store.pack(given.root, given.output, files, given.strict)
    log.info("%d sequences of %s", len(packed.names), ", ".join(packed.modalities))
    if packed.left_out:
        broken = [": ".join(each) for each in packed.left_out]
        log.info("%d broken sequences left out: %s", len(broken), some(broken, "; "))
    log.info("written to %s", given.output)


def _password(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("GAITJAX_PASSWORD") or None
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--password_file {file} cannot be read: {error}") from error


if __name__ == "__main__":
    command.guarded(lambda: main(sys.argv[1:]))
