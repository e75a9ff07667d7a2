"""One file a dataset: its names, modalities, split and protocols, each exported as `DATASET`."""

import dataclasses
import fnmatch
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from gaitjax import lookup
from gaitjax.errors import UserError

LISTED = "{identity}-{type}-{view}"  # how partition JSONs call a sequence


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Who is searched for among whom.

    Patterns are shell patterns (`fnmatch`); a sequence is chosen that one of them matches, unless a
    pattern behind a `!` matches it too. `{KEY}` stands for the sequences that the partition JSON
    lists under KEY, which are called as in LISTED: `match` has to be the same.

    Attributes:
        gallery: patterns of the gallery's sequences; or condition -> patterns, where each condition
            has a gallery of its own.
        probes: condition, as papers name it -> patterns of its sequences.
        gallery_views: 'single': every pair of probe view and gallery view is scored by itself, and
            the scores averaged; 'all': one gallery of all views.
        exclude: 'view': the gallery entries seen from the probe's own view do not count (with a
            gallery of all views: those of the probe's own identity); 'none': all count.
        match: what patterns are matched with, made from `{identity}`, `{type}` and `{view}`.
        viewpoint: regular expression, searched in `identity/type/view`; what its group holds is the
            viewpoint or camera, such as `/([^/_]*)[^/]*$` for the view `03_1` of camera 03.
        average: of a gallery of all views, 'probes': the mean over probes; 'views': the means over
            the probes of each view, to two decimals, and then the mean of these.
        unmatched: of a gallery of all views, 'skip': probes without a mate are left out; 'miss':
            they are counted as misses of every rank, and left out of mAP and mINP alone.
        ranks: the k of rank-k; 1 is among them.

    Raises:
        UserError: for a field without a meaning; begins with its name.
    """

    gallery: tuple[str, ...] | Mapping[str, tuple[str, ...]]
    probes: Mapping[str, tuple[str, ...]]
    gallery_views: Literal["single", "all"]
    exclude: Literal["view", "none"]
    match: str = "{type}"
    viewpoint: str = "([^/]*)$"
    average: Literal["probes", "views"] = "probes"
    unmatched: Literal["skip", "miss"] = "skip"
    ranks: tuple[int, ...] = (1, 5, 10)

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for name in ("gallery_views", "exclude", "average", "unmatched"):
            value, known = getattr(self, name), typing.get_args(hints[name])
            if value not in known:
                raise UserError(f"{name} is {value!r}; expected {' or '.join(known)}")
        if 1 not in self.ranks or not all(isinstance(k, int) and k > 0 for k in self.ranks):
            raise UserError(f"ranks is {self.ranks}; expected numbers from 1 up, 1 among them")
        if isinstance(self.gallery, Mapping) and self.gallery.keys() != self.probes.keys():
            raise UserError(
                f"gallery has the conditions {', '.join(self.gallery)}, probes has "
                f"{', '.join(self.probes)}; expected the same"
            )

    def gallery_of(self, condition: str) -> tuple[str, ...]:
        """The patterns of a condition's gallery."""
        return self.gallery[condition] if isinstance(self.gallery, Mapping) else self.gallery


@dataclasses.dataclass(frozen=True)
class Submission:
    """What a competition asks for: who resembles each probe most.

    Attributes:
        protocol: the gallery, and as the one condition the probes whose identities are secret.
        header: the names of the columns: the probe, which is called by its view, and the identities
            of as many gallery sequences as there are further columns, the nearest first.
        numbers: whether identities are written as numbers, 7 for 00007.
        reranked: whether who has the same neighbours counts as near (Zhong et al., CVPR 2017).
    """

    protocol: Protocol
    header: tuple[str, ...]
    numbers: bool
    reranked: bool


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
        protocols: name -> how it is evaluated, the field's usual way first; empty where every user
            states it in the config.
        submission: the file that a competition on these data asks for.
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
    protocols: Mapping[str, Protocol] = dataclasses.field(default_factory=dict)
    submission: Submission | None = None
    split: Callable[[Sequence[str]], tuple[list[str], list[str]]] | None = None
    partition: str = ""
    labels: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    expected: Mapping[str, int] = dataclasses.field(default_factory=dict)
    raw: Sequence[Raw] = ()
    arrange: Callable[[Sequence[Name]], Sequence[Name]] | None = None
    generate: Callable[[Path, Mapping[str, Any]], None] | None = None


def class_of(classes: Mapping[str, int], type_: str) -> int:
    """The class of a type; -1 if it has none.

    Args:
        classes: shell pattern of types in lower case -> class, as in `Dataset.labels`.
        type_: of a sequence.
    """
    found = (c for pattern, c in classes.items() if fnmatch.fnmatchcase(type_.lower(), pattern))
    return next(found, -1)


def get(name: str) -> Dataset:
    """The dataset of `gaitjax/datasets/<name>.py`, or of a user's dotted path.

    Raises:
        UserError: if there is no such file, or it exports no `DATASET`.
    """
    found = getattr(lookup.module("gaitjax.datasets", name), "DATASET", None)
    if not isinstance(found, Dataset):
        raise UserError(f"dataset {name!r} exports no DATASET of type gaitjax.datasets.Dataset")
    return found
