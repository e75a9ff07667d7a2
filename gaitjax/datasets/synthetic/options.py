"""What walkers are made from, and the name of the folder that keeps them."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from gaitjax.datasets.synthetic.modalities import RECORDERS
from gaitjax.errors import UserError

VERSION = 2  # raise it whenever the same options give other data


def _count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _names(pattern: str, value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(name, str) and re.fullmatch(pattern, name) for name in value)
    )


def _span(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(_count(number) for number in value)
        and 0 < value[0] <= value[1]
    )


RULES = {
    "seed": (_count, "0 or more"),
    "train_identities": (_count, "0 or more"),
    "test_identities": (_count, "0 or more"),
    "types": (lambda value: _names(r"(nm|bg|cl)-\d\d", value), "names such as ('nm-01', 'bg-01')"),
    "views": (lambda value: _names(r"\d\d\d", value), "degrees such as ('000', '090')"),
    "frames": (_span, "(smallest, largest) such as (30, 40)"),
    "modalities": (
        lambda value: _names("|".join(RECORDERS), value),
        f"some of {', '.join(RECORDERS)}",
    ),
}


TUPLES = ("types", "views", "frames", "modalities")


@dataclasses.dataclass(frozen=True)
class Options:
    """What is generated.

    Attributes:
        seed: of all random choices.
        train_identities: how many people are in the training split: the first ones.
        test_identities: how many are in the test split: those that follow.
        types: CASIA-B's names of walks: 'nm-01' as usual, 'bg-01' with a bag, 'cl-01' in a coat.
        views: degrees between the direction of the walk and that to the camera; CASIA-B has
            '000', '018', ... '180'.
        frames: smallest and largest number of frames of a walk, both included.
        modalities: what is recorded. The same folder can be given more of them later.
    """

    seed: int
    train_identities: int
    test_identities: int
    types: tuple[str, ...]
    views: tuple[str, ...]
    frames: tuple[int, int]
    modalities: tuple[str, ...]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Options":
        """Checks the options of a config.

        Raises:
            UserError: if one is missing, unknown or cannot be generated.
        """
        if wrong := RULES.keys() ^ options.keys():
            raise UserError(
                f"data.options of the synthetic walkers: {', '.join(sorted(wrong))} missing or "
                f"unknown; give {', '.join(RULES)}"
            )
        for name, (fine, wanted) in RULES.items():
            if not fine(options[name]):
                raise UserError(f"data.options.{name} is {options[name]!r}; give {wanted}")
        tuples = {name: tuple(options[name]) for name in TUPLES}
        return cls(**{**options, **tuples})

    def split(self) -> dict[str, list[str]]:
        """The partition JSON: TRAIN_SET and TEST_SET."""
        total = self.train_identities + self.test_identities
        names = [f"{number:03d}" for number in range(1, total + 1)]
        train = self.train_identities
        return {"TRAIN_SET": names[:train], "TEST_SET": names[train:]}

    def text(self) -> str:
        """All that the data follow from, as JSON; the modalities only say which are there."""
        chosen = {"version": VERSION, **dataclasses.asdict(self)}
        del chosen["modalities"]
        return json.dumps(chosen, sort_keys=True)


def cache_name(options: Mapping[str, Any]) -> str:
    """The name of a folder for these options: other options, or other code, another name.

    Args:
        options: the fields of `Options`.

    Raises:
        UserError: if the options are not right.
    """
    digest = hashlib.sha256(Options.of(options).text().encode()).hexdigest()
    return f"synthetic-v{VERSION}-{digest[:12]}"
