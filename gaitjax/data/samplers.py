"""Which sequences a training batch holds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gaitjax.errors import UserError


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


class PairSampler:
    """Sequences without regard to identity, each twice: two views, for learning without labels.

    All sequences are seen once before any is seen again, but for the few that fill no batch. The
    rows of a step depend on the seed and the step alone.

    Attributes:
        batch: rows of a step, two of every sequence.
        description: what they are.
    """

    def __init__(self, available: int, drawn: int, seed: int) -> None:
        """Draws nothing yet.

        Args:
            available: how many sequences there are.
            drawn: how many of them make a batch.
            seed: of all draws, not negative.

        Raises:
            UserError: if `drawn` is below 1 or above `available`, or the seed negative.
        """
        _check_seed(seed)
        if not 1 <= drawn <= available:
            raise UserError(
                f"config.data.sampler draws identities x sequences = {drawn} sequences for pairs; "
                f"expected 1 to {available}, the sequences of the training split"
            )
        self.batch = 2 * drawn
        self.description = f"2 views x {drawn} sequences"
        self._available, self._drawn, self._seed = available, drawn, seed

    def rows(self, step: int) -> np.ndarray:
        """The sequences of one batch.

        Args:
            step: 0, 1, ...

        Returns:
            int64 [batch] indices of sequences, the two views of each next to each other.
        """
        epoch, place = divmod(step, self._available // self._drawn)
        # The order of the epoch anew for each step: 20 ms for a million sequences, and no state.
        order = np.random.default_rng((self._seed, epoch)).permutation(self._available)
        return np.repeat(order[place * self._drawn : (place + 1) * self._drawn], 2)


Sampler = PKSampler | PairSampler


def build(fields: Mapping[str, Any], labels: np.ndarray, seed: int) -> Sampler:
    """The sampler of a config.

    Args:
        fields: `config.data.sampler`: its type, 'triplet' or 'pairs', and two numbers: P and K, or
            two numbers whose product is how many sequences are drawn.
        labels: int [N], the identity of each sequence.
        seed: of all draws, not negative.

    Raises:
        UserError: for an unknown type, and as the samplers do.
    """
    if fields["type"] == "triplet":
        return PKSampler(labels, fields["identities"], fields["sequences"], seed)
    if fields["type"] == "pairs":
        return PairSampler(len(labels), fields["identities"] * fields["sequences"], seed)
    raise UserError(f"config.data.sampler.type is {fields['type']!r}; expected triplet or pairs")


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
