"""One file a dataset: its names, modalities, split and protocol, each exported as `DATASET`."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from gaitjax import lookup
from gaitjax.errors import UserError


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Who is searched for among whom.

    Attributes:
        gallery: shell patterns (`fnmatch`) of the types of the gallery's sequences.
        probes: condition, as papers name it -> patterns of its sequences' types.
        gallery_views: 'single': every pair of probe view and gallery view is scored by itself, and
            the scores averaged; 'all': one gallery of all views.
        exclude: 'view': the gallery entries seen from the probe's own view do not count (with a
            gallery of all views: those of the probe's own identity); 'none': all count.
    """

    gallery: tuple[str, ...]
    probes: Mapping[str, tuple[str, ...]]
    gallery_views: Literal["single", "all"]
    exclude: Literal["view", "none"]


class Name(NamedTuple):
    """What a sequence is called: its three folders below the root."""

    identity: str
    type: str
    view: str


@dataclasses.dataclass(frozen=True)
class Raw:
    """Files as the authors of a dataset distribute them, and the pickle that they become.

    Attributes:
        modality: which of the dataset's modalities the pickle holds.
        pattern: regular expression, searched in a file's path below the input, with '/' between the
            folders. An archive counts as a folder that is named as the file without its ending. The
            groups make up the names below; where files of several modalities have a group `frame`,
            a sequence keeps the frames that all of them have.
        read: f(path, content, size) -> [n, ...], the frames that a file holds, one for an image;
            `size` is the height of prepared silhouettes in pixels. Raises a UserError for what is
            broken or shows nobody: it is recorded, and left out.
        pickle: the name of the pickle; may hold the groups of the pattern, in braces.
        identity: made from the groups of the pattern, as are `type` and `view`.
        type: as `identity`.
        view: as `identity`.
        beside: path below the input of another file, made as `identity` is, and from the names.
            Where both lie on the disk, the content of the other is the fourth argument of `read`.
        join: f(what `read` found in each file, ordered by `frame`) -> [T, ...], the frames of the
            sequence, one for each file; stacks them by default. Raises a UserError for a sequence
            that is to be left out.
    """

    modality: str
    pattern: str
    read: Callable[..., np.ndarray]
    pickle: str = "{view}.pkl"
    identity: str = "{identity}"
    type: str = "{type}"
    view: str = "{view}"
    beside: str = ""
    join: Callable[[Sequence[np.ndarray]], np.ndarray] = np.concatenate


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What is known of a dataset whose sequences lie in `root/identity/type/view/*.pkl`.

    Attributes:
        title: the name that papers use.
        files: modality -> shell pattern of its pickle within a sequence's folder. The pattern may
            hold `{identity}`, `{type}` and `{view}`, and alternatives behind `|`: the first that
            matches counts.
        protocol: how it is evaluated; None where every user states it in the config.
        split: (identities of the training split, those of the test split) where a rule gives them;
            None where a partition JSON does.
        partition: where the partition JSON comes from, for the error of who has none.
        labels: what the type of a sequence tells beside its condition: label -> shell pattern of
            types in lower case -> class, from 0, such as `{"diagnosis": {"negative": 0}}`. One of
            the patterns matches every type.
        expected: split -> number of identities, as published; empty where nobody published any.
        raw: what `gaitjax.prepare` makes the pickles from; empty where they are distributed as such
            or nobody distributes anything.
        arrange: where names follow from all that there is of an identity: f(the names of its
            sequences, sorted) -> their names in the prepared tree.
        generate: for built-in data: writes the tree. Called as `generate(root, options)`; writes
            what is missing, a sequence at a time, atomically.
    """

    title: str
    files: Mapping[str, str]
    protocol: Protocol | None = None
    split: Callable[[Sequence[str]], tuple[list[str], list[str]]] | None = None
    partition: str = ""
    labels: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    expected: Mapping[str, int] = dataclasses.field(default_factory=dict)
    raw: Sequence[Raw] = ()
    arrange: Callable[[Sequence[Name]], Sequence[Name]] | None = None
    generate: Callable[[Path, Mapping[str, Any]], None] | None = None


def get(name: str) -> Dataset:
    """The dataset of `gaitjax/datasets/<name>.py`, or of a user's dotted path.

    Raises:
        UserError: if there is no such file, or it exports no `DATASET`.
    """
    found = getattr(lookup.module("gaitjax.datasets", name), "DATASET", None)
    if not isinstance(found, Dataset):
        raise UserError(f"dataset {name!r} exports no DATASET of type gaitjax.datasets.Dataset")
    return found
