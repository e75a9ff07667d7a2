"""Which sequences a training batch holds."""

import numpy as np

from gaitjax.errors import UserError


class PKSampler:
    """P identities with K sequences each, drawn anew for every step.

    The rows of a step depend on the seed and the step alone: any process can draw them at any time.

    Attributes:
        identities: P.
        sequences: K.
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
        self.identities = identities
        self.sequences = sequences
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
        rng = np.random.default_rng((self._seed, step))
        chosen = rng.choice(len(self._members), self.identities, replace=False)
        return np.concatenate(
            [
                rng.choice(rows, self.sequences, replace=len(rows) < self.sequences)
                for rows in (self._members[i] for i in chosen)
            ]
        )


def _check(available: int, identities: int, sequences: int, seed: int) -> None:
    if seed < 0:
        raise UserError(f"config.seed is {seed}; expected 0 or more")
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
