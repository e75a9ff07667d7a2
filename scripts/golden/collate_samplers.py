"""Which frames and sequences make a batch, fed the numbers that OpenGait drew."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

from gaitjax.data import frames, transforms
from gaitjax.data.samplers import EpochSampler, PKSampler
from gaitjax.training import mesh

from . import tolerance
from .errors import SkippedError, UnsupportedError
from .recorded import Recorded
from .tolerance import Comparison

Case = Mapping[str, Any]


def checks(content: Mapping[str, Any]) -> dict[str, Callable[[], list[Comparison]]]:
    """Case -> check, of both tables."""
    collate = {case["name"]: partial(_collate, case) for case in content["collate"]}
    return collate | {case["name"]: partial(_sampler, case) for case in content["samplers"]}


def _collate(case: Case) -> list[Comparison]:
    """Sequence i has in frame t of feature f the number 100 i + t + 1000 f, or such points."""
    theirs = case["sampler_cfg"]
    sampling, order = theirs["sample_type"].split("_")
    fields = {
        "sampling": sampling,
        "order": order.replace("allordered", "unordered"),  # what it does, whatever it says
        "number": theirs.get("frames_num_fixed", 1),
        "minimum": theirs.get("frames_num_min", 1),
        "maximum": theirs.get("frames_num_max", 1),
        "skip": theirs.get("frames_skip_num", 0),
        "limit": theirs.get("frames_all_limit", 720),
    }
    points = theirs.get("points_in_use", {}).get("points_num")
    rng: Any = Recorded(draw[-1] for draw in case["draws"])
    ours = []
    for i, length in enumerate(case["sequence_lengths"]):
        chosen = frames.choose(length, fields, _draws(length, fields, rng))
        if points:
            clouds = np.arange(6).reshape(2, 3) + 100 * i + 10 * chosen[:, None, None]
            ours.append(transforms.sample_points(rng, clouds, number=points))
        else:
            ours.append(chosen + 100 * i)
    together = np.concatenate([np.ravel(x) for x in ours])
    lengths = [len(x) for x in ours]
    found = [
        tolerance.exact("frames", f"feature {f}", (together + 1000 * f).tolist(), _flat(feature))
        for f, feature in enumerate(case["result"]["seqs"])
    ]
    if case["result"]["seqL"]:
        found.append(tolerance.exact("lengths", "", lengths, case["result"]["seqL"][0]))
    return [*found, tolerance.exact("draws", "not used", rng.left, 0)]


def _draws(length: int, fields: Mapping[str, Any], rng: Recorded) -> list[float]:
    """Draws in [0, 1) that stand for the frames of one sequence that OpenGait drew."""
    if fields["sampling"] == "all":
        return []
    number, share, start = fields["number"], 0.0, 0.0
    first, unrepeated = 0, length
    if fields["sampling"] == "unfixed":
        number = rng.integers(fields["minimum"], fields["maximum"] + 1)
        share = _middle(number - fields["minimum"], fields["maximum"] - fields["minimum"] + 1)
    if fields["order"] == "ordered":
        unrepeated = number + fields["skip"]
        starts = length * math.ceil(unrepeated / length) - unrepeated + 1
        first = rng.integers(0, starts)
        start = _middle(first, starts)
    picked = [frame - first for frame in rng.permutation(number).tolist()]
    if unrepeated < number:
        return [share, start, *(_middle(frame, length) for frame in picked)]
    draws, order = [share, start], list(range(unrepeated))
    for place, frame in enumerate(picked):  # a shuffle, one exchange after another
        other = order.index(frame)
        draws.append(_middle(other - place, unrepeated - place))
        order[place], order[other] = order[other], order[place]
    return draws


def _middle(part: int, parts: int) -> float:
    """The middle of one of the equal parts of 0 to 1."""
    return (part + 0.5) / parts


def _flat(nested: Any) -> list[float]:
    """The numbers of lists of lists."""
    return [x for each in nested for x in _flat(each)] if isinstance(nested, list) else [nested]


def _sampler(case: Case) -> list[Comparison]:
    options = case["kwargs"]
    if case["class"] == "InferenceSampler":
        return _inference(case)
    if case["class"] == "TripletSampler":
        return _triplet(case, *options["batch_size"])
    if case["class"] == "BilateralSampler":
        return _bilateral(case)
    if case["class"] == "CommonSampler":
        return _common(case)
    raise UnsupportedError(f"sampler {case['class']}")


def _inference(case: Case) -> list[Comparison]:
    rows = case["len"]
    if "world" in case["name"]:
        raise SkippedError("which process embeds which sequence changes nothing; ours pad none")
    listed = np.concatenate(case["batches"])[:rows]  # what follows fills the last batch up
    return [tolerance.exact("rows", "", mesh.share_of(rows).tolist(), listed.tolist())]


class _Positions(Recorded):
    """What was drawn are positions in what is drawn from, of which the first count."""

    def choice(self, a: Any, size: int, replace: bool = True) -> Any:
        """Those at the next positions."""
        items = np.arange(a) if isinstance(a, int) else a
        drawn = self._take(size if replace else len(items))
        return items[drawn[:size]]


def _triplet(case: Case, identities: int, sequences: int) -> list[Comparison]:
    """The rows of a batch, which OpenGait may shuffle."""
    counts = case["sequences_per_label"]
    if identities > len(counts):
        raise SkippedError("more identities than there are make no batch: ours refuses them")
    shuffled = case["kwargs"].get("batch_shuffle", False)
    steps = np.split(np.arange(len(case["draws"])), len(case["batches"]))
    sampler = PKSampler(np.repeat(np.arange(len(counts)), counts), identities, sequences, 0)
    found = []
    for step, (places, batch) in enumerate(zip(steps, case["batches"], strict=True)):
        rng = _Positions(case["draws"][place][-1] for place in places[: 1 + identities])
        rows = _drawn_by(rng, sampler, step)
        theirs = sorted(batch) if shuffled else batch
        ours = sorted(rows) if shuffled else rows
        found.append(tolerance.exact("rows", f"batch {step}", ours, theirs))
        found.append(tolerance.exact("draws", "not used", rng.left, 0))
    return found


def _bilateral(case: Case) -> list[Comparison]:
    """Sequences of a batch, each in two views; OpenGait orders both halves by a further draw."""
    available, drawn = case["len"], len(case["batches"][0]) // 2
    sampler = EpochSampler(available, drawn, 0, views=2)
    orders = [draw[-1] for draw in case["draws"] if draw[0] == "random.shuffle"]
    found = []
    for step, batch in enumerate(case["batches"]):
        rng = Recorded([orders[step // (available // drawn)]])
        rows = _drawn_by(rng, sampler, step)
        found.append(tolerance.exact("rows", f"batch {step}", sorted(rows), sorted(batch)))
    return found


def _common(case: Case) -> list[Comparison]:
    """OpenGait draws every batch from all sequences, as ours the first of an epoch."""
    available, drawn = case["len"], case["kwargs"]["batch_size"]
    if drawn > available:
        raise SkippedError("more sequences than there are make no batch: ours refuses them")
    sampler = EpochSampler(available, drawn, 0)
    orders = [draw[-1] for draw in case["draws"] if draw[0] == "torch.randperm"]
    found = []
    for epoch, (order, batch) in enumerate(zip(orders, case["batches"], strict=True)):
        rows = _drawn_by(Recorded([order]), sampler, epoch * (available // drawn))
        found.append(tolerance.exact("rows", f"batch {epoch}", rows, batch))
    return found


def _drawn_by(rng: Recorded, sampler: PKSampler | EpochSampler, step: int) -> list[int]:
    """The rows of a step, with this generator in the place of the sampler's."""
    with mock.patch("numpy.random.default_rng", return_value=rng):
        rows: list[int] = sampler.rows(step).tolist()
    return rows
