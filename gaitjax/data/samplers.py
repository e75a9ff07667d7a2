"""Which sequences a training batch holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax.errors import UserError

VIEWS = {"common": 1, "pairs": 2}  # type -> rows of each sequence
SETS = 2**32 - 1  # which sets are drawn follows from (seed, SETS): no step has that number


class PKSampler:
    """P identities with K sequences each, drawn anew for every step.

    The rows of a step depend on the seed and the step alone: any process can draw them at any time.

    Attributes:
        batch: rows of a step, P * K.
        description: what they are.
    """

    def __init__(self, labels: np.ndarray, identities: int, sequences: int, seed: int) -> None:
        """Sorts the sequences by identity, once.

        Args:
            labels: int [N], the identity of each sequence.
            identities: P.
            sequences: K.
            seed: of all draws, not negative.

        Raises:
            UserError: if P or K is below 1, P above the number of identities, or the seed negative.
        """
        counts = np.unique(labels, return_counts=True)[1]
        _check(len(counts), identities, sequences, seed)
        self.batch = identities * sequences
        self.description = f"{identities} identities x {sequences} sequences"
        self._picked = identities, sequences
        self._seed = seed
        self._members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])

    def rows(self, step: int) -> np.ndarray:
        """The sequences of one batch.

        Args:
            step: 0, 1, ...

        Returns:
            int64 [P * K] indices of `labels`, the K of an identity one after another. Identities
            are distinct; so are the K sequences, unless the identity has fewer than K.
        """
        identities, sequences = self._picked
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.choice(len(self._members), identities, replace=False)
        return np.concatenate(
            [
                rng.choice(rows, sequences, replace=len(rows) < sequences)
                for rows in (self._members[i] for i in chosen)
            ]
        )


class EpochSampler:
    """Sequences without regard to identity, each in one or two views: for learning without labels.

    All sequences are seen once before any is seen again, but for the few that fill no batch. The
    rows of a step depend on the seed and the step alone.

    Attributes:
        batch: rows of a step, as many of every sequence as it has views.
        description: what they are.
    """

    def __init__(self, available: int, drawn: int, seed: int, views: int = 1) -> None:
        """Draws nothing yet.

        Args:
            available: how many sequences there are.
            drawn: how many of them make a batch.
            seed: of all draws, not negative.
            views: rows of each.

        Raises:
            UserError: if `drawn` is below 1 or above `available`, or the seed negative.
        """
        _check_seed(seed)
        if not 1 <= drawn <= available:
            raise UserError(
                f"config.data.sampler draws identities x sequences = {drawn} sequences at a time; "
                f"expected 1 to {available}, the sequences of the training split"
            )
        self.batch = views * drawn
        each = f"{views} views x " if views > 1 else ""
        self.description = f"{each}{drawn} sequences"
        self._available, self._drawn, self._seed, self._views = available, drawn, seed, views

    def rows(self, step: int) -> np.ndarray:
        """The sequences of one batch.

        Args:
            step: 0, 1, ...

        Returns:
            int64 [batch] indices of sequences, the views of each next to each other.
        """
        epoch, place = divmod(step, self._available // self._drawn)
        # The order of the epoch anew for each step: 20 ms for a million sequences, and no state.
        order = np.random.default_rng((self._seed, epoch)).permutation(self._available)
        return np.repeat(order[place * self._drawn : (place + 1) * self._drawn], self._views)


class MixedSampler:
    """The sequences of several sets: a step draws one of these, whose own sampler draws the rest.

    To its own sampler, the steps of a set are 0, 1, ... The rows of a step depend on the seed and
    the step alone.

    Attributes:
        batch: rows of a step.
        description: what they are.
    """

    def __init__(
        self,
        samplers: Sequence[PKSampler | EpochSampler],
        sizes: Sequence[int],
        shares: Sequence[float],
        seed: int,
    ) -> None:
        """Draws nothing yet.

        Args:
            samplers: of each set; their batches are of one size.
            sizes: sequences of each set, which lie one set after another.
            shares: how often each set is drawn; they add up to 1.
            seed: of the draws of a set, not negative.
        """
        self.batch = samplers[0].batch
        listed = ", ".join(f"{100 * share:.1f} %" for share in shares)
        self.description = f"{samplers[0].description}, of one of {len(samplers)} sets: {listed}"
        self._samplers, self._shares, self._seed = samplers, shares, seed
        self._starts = np.cumsum([0, *sizes])

    def rows(self, step: int) -> np.ndarray:
        """The sequences of one batch, all of one set.

        Args:
            step: 0, 1, ...

        Returns:
            int64 [batch] indices of the sequences of all sets.
        """
        # The sets of all steps anew for each: 10 ms for the millionth step, and no state.
        rng = np.random.default_rng((self._seed, SETS))
        drawn = rng.choice(len(self._samplers), step + 1, p=self._shares)
        chosen = drawn[step]
        own = int(np.count_nonzero(drawn[:step] == chosen))
        rows: np.ndarray = self._starts[chosen] + self._samplers[chosen].rows(own)
        return rows


Sampler = PKSampler | EpochSampler | MixedSampler


def build(
    fields: Mapping[str, Any],
    labels: np.ndarray,
    seed: int,
    sets: Sequence[tuple[int, float]] = (),
) -> Sampler:
    """The sampler of a config.

    Args:
        fields: `config.data.sampler`: its type, a key of VIEWS or 'triplet', and two numbers: P and
            K, or two numbers whose product is how many sequences are drawn.
        labels: int [N], the identity of each sequence.
        seed: of all draws, not negative.
        sets: where the sequences are those of several sets, one set after another: how many it has,
            and how often it is drawn.

    Raises:
        UserError: for an unknown type, and as the samplers do.
    """
    if not sets:
        return _one(fields, labels, seed)
    sizes, shares = zip(*sets, strict=True)
    parts = np.split(labels, np.cumsum(sizes)[:-1])
    return MixedSampler([_one(fields, part, seed) for part in parts], sizes, shares, seed)


def shares(sizes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """How often each of several sets is drawn.

    Args:
        sizes: how many sequences each counts for.
        weights: of the sets; all 0 stands for the third root of the sizes, with which OpenGait
            mixes sets of very different sizes.

    Returns:
        shares that add up to 1.

    Raises:
        UserError: for weights below 0, and for 0 beside others.
    """
    if min(weights) < 0 or (any(weights) and not all(weights)):
        raise UserError(
            f"the weights of config.data.sets are {', '.join(map(str, weights))}; expected all "
            "above 0, or all 0 for the third roots of the numbers of sequences"
        )
    counted = np.array(weights, float) if any(weights) else np.cbrt(sizes)
    return list(map(float, counted / counted.sum()))


def _one(fields: Mapping[str, Any], labels: np.ndarray, seed: int) -> PKSampler | EpochSampler:
    """The sampler of one set."""
    name, identities, sequences = fields["type"], fields["identities"], fields["sequences"]
    if name == "triplet":
        return PKSampler(labels, identities, sequences, seed)
    if name in VIEWS:
        return EpochSampler(len(labels), identities * sequences, seed, VIEWS[name])
    known = ", ".join(("triplet", *VIEWS))
    raise UserError(f"config.data.sampler.type is {name!r}; expected one of {known}")


def _check(available: int, identities: int, sequences: int, seed: int) -> None:
    _check_seed(seed)
    if min(identities, sequences) < 1:
        raise UserError(
            f"config.data.sampler is {identities} identities x {sequences} sequences; expected at "
            "least 1 of each"
        )
    if identities > available:
        raise UserError(
            f"config.data.sampler.identities is {identities}, but the training split has "
            f"{available} identities; lower it to at most {available}"
        )


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise UserError(f"config.seed is {seed}; expected 0 or more")
