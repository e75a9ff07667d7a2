"""What the commands share: flags in, one line out when something is wrong."""

import argparse
import ctypes
import logging
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from absl import flags
from ml_collections import ConfigDict, config_flags

from gaitjax.errors import UserError

CONFIG = config_flags.DEFINE_config_file(
    "config", None, "what to run: configs/NAME.py or configs/NAME.py:DATASET", lock_config=True
)
# Parameters of glibc's mallopt, and bytes for them.
TRIM_THRESHOLD, MMAP_THRESHOLD = (-1, 512 * 2**20), (-3, 128 * 2**20)
WORKDIR = flags.DEFINE_string("workdir", None, "the folder of a run")


class Parser(argparse.ArgumentParser):
    """Parses the arguments of a command without a config; a mistake is a UserError."""

    def error(self, message: str) -> NoReturn:
        """Raises."""
        raise UserError(f"{message}; see --help")


def run(main: Callable[[ConfigDict], None], config_needed: bool = True) -> None:
    """Parses the flags, calls `main(config)`, and exits as `guarded` does.

    Args:
        main: what the command does.
        config_needed: False: without --config, main is given an empty one.
    """
    guarded(lambda: main(_config(config_needed)))


def guarded(main: Callable[[], None]) -> None:
    """Calls `main()` with the log on the standard error, and exits.

    A UserError is printed as one line, with exit code 1; anything else that fails is a bug, and
    keeps its traceback.
    """
    _keep_freed_memory()
    form = "%(asctime)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, datefmt="%H:%M:%S", force=True)
    for chatty in ("absl", "jax", "orbax"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)


def cache_folder() -> Path:
    """Where built-in data are kept: $XDG_CACHE_HOME/gaitjax, by default ~/.cache/gaitjax."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gaitjax"


def _keep_freed_memory() -> None:
    """Keeps blocks of the size of a batch when they are freed, for the next batch.

    By default glibc asks the system for each of them anew, and every 4 KiB cost a page fault: most
    of the time that reading and transforming a batch takes on a CPU. Larger ones, such as a whole
    training step's, are still given back.
    """
    if platform.libc_ver()[0] == "glibc":
        for parameter, size in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(parameter, size)


def _config(needed: bool) -> ConfigDict:
    _find_neighbours()
    try:
        rest = flags.FLAGS(sys.argv)[1:]
        config = CONFIG.value
        if config is not None and not isinstance(config, ConfigDict):
            config.to_dict()  # stands for a file that is missing, and raises at its first use
    except (AttributeError, KeyError) as error:  # an override of a field that is not there
        raise UserError(f"the config has no field {error.args[0]}") from error
    except (flags.Error, OSError) as error:
        raise UserError(_last_line(str(error))) from error
    if rest:
        raise UserError(f"unexpected argument {rest[0]!r}; options are written --name=value")
    if config is None and not needed:
        return ConfigDict()
    if config is None:
        raise UserError("no config given; run with --config configs/gaitset.py, for example")
    assert isinstance(config, ConfigDict)
    return config


def _find_neighbours() -> None:
    """Lets a config import its neighbours (`from configs import common`) from any directory."""
    for argument, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        name, _, value = argument.partition("=")
        if name.lstrip("-") == "config":
            path = Path((value or following).partition(":")[0]).resolve()
            sys.path.append(str(path.parent.parent))


def _last_line(text: str) -> str:
    """The last line of a traceback that a config raised; any other text as it is."""
    return text.strip().splitlines()[-1] if "Traceback" in text else text
