"""Writes the walkers as a dataset on disk: root/identity/type/view/MODALITY.pkl."""

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gaitjax import files, progress
from gaitjax.datasets.synthetic.modalities import RECORDERS
from gaitjax.datasets.synthetic.options import Options
from gaitjax.datasets.synthetic.sequence import shoot
from gaitjax.errors import UserError


def generate(root: Path, options: Mapping[str, Any]) -> None:
    """Writes what is missing below the root: sequences, and the split as partition.json.

    Every file appears whole or not at all, and always with the same content: a run that was killed
    can be repeated, and several processes may work on the same root.

    Args:
        root: the folder of the dataset; made if it is missing.
        options: the fields of `Options`.

    Raises:
        UserError: if the options are not right, or the folder holds anything else or cannot be
            written to.
    """
    chosen = Options.of(options)
    split, partition = chosen.split(), root / "partition.json"
    missing = [
        (identity, sequence, view)
        for identity in split["TRAIN_SET"] + split["TEST_SET"]
        for sequence in chosen.types
        for view in chosen.views
        if not _complete(root / identity / sequence / view, chosen.modalities)
    ]
    if missing or not partition.exists():
        files.check_writable(root)
    _claim(root, chosen.text())
    if not partition.exists():
        files.replace(partition, json.dumps(split).encode())
    for identity, sequence, view in progress.bar(missing, len(missing), "making walkers"):
        shot = shoot(chosen.seed, identity, sequence, view, chosen.frames)
        for modality in chosen.modalities:
            path = root / identity / sequence / view / f"{modality}.pkl"
            if not path.exists():
                array = np.ascontiguousarray(RECORDERS[modality](shot))
                files.replace(path, pickle.dumps(array, protocol=4))


def _complete(folder: Path, modalities: Sequence[str]) -> bool:
    return all((folder / f"{modality}.pkl").exists() for modality in modalities)


def _claim(root: Path, text: str) -> None:
    """Marks a new folder as that of these options, and refuses every other folder."""
    mark = root / "options.json"
    # Looked at first: another process that claims the folder writes the mark before all else.
    occupied = any(not path.name.startswith(".") for path in root.glob("*"))
    if mark.exists():
        if mark.read_text() != text:
            raise UserError(
                f"{mark} shows that {root} holds walkers of other options or of another version; "
                "choose another data.root, or delete that folder"
            )
    elif occupied:
        raise UserError(
            f"data.root {root} holds other data, and the synthetic walkers need a folder of their "
            "own; name the dataset of these data (--config FILE:DATASET), or leave data.root empty"
        )
    else:
        files.replace(mark, text.encode())
