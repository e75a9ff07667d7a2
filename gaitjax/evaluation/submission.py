"""The file that a competition asks for, whose organisers alone know who the probes are."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from gaitjax.datasets import Submission
from gaitjax.errors import UserError
from gaitjax.evaluation import metrics, protocols, ranking
from gaitjax.evaluation.protocols import Rows
from gaitjax.evaluation.ranking import Side
from gaitjax.evaluation.rerank import rerank


def text(
    submission: Submission,
    embeddings: np.ndarray,
    identities: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
    metric: str,
) -> str:
    """The file's text: the header, and a line for each probe, in the order of the sequences.

    Args:
        submission: what is asked for.
        embeddings: [N, P, C].
        identities: N names.
        types: N names.
        views: N names, by which the probes are called.
        metric: 'euclidean' or 'cosine'.

    Raises:
        UserError: if there are no probes or too few gallery sequences, an embedding is not finite,
            or an identity that is to be written as a number is none.
    """
    names = (identities, types, views)
    (rows,) = protocols.select(submission.protocol, *names).values()
    wanted = len(submission.header) - 1
    if len(rows.gallery) < wanted:
        raise UserError(
            f"the gallery has {len(rows.gallery)} sequences; the submission names the {wanted} "
            "nearest: test on the whole test split"
        )
    protocols.check_finite(embeddings, *names)
    search = _reranked if submission.reranked else _nearest
    found = search(embeddings, rows, wanted, metric)
    called = {row: _called(identities[row], submission.numbers) for row in np.unique(found)}
    content = io.StringIO()
    table = csv.writer(content, lineterminator="\n")
    table.writerow(submission.header)
    for probe, nearest in zip(rows.probes, found, strict=True):
        table.writerow([views[probe], *(called[row] for row in nearest)])
    return content.getvalue()


def _called(identity: str, number: bool) -> str:
    if not number:
        return identity
    if not identity.isdecimal():
        raise UserError(f"the identity {identity!r} is no number, which the submission asks for")
    return str(int(identity))


def _nearest(embeddings: np.ndarray, rows: Rows, number: int, metric: str) -> np.ndarray:
    """The rows of the nearest gallery sequences, int [n, number]."""

    def side(chosen: np.ndarray) -> Side:
        same = np.zeros(len(chosen), np.int32)  # neither identities nor views count
        return Side(embeddings, same, same, chosen.astype(np.int32))

    return ranking.nearest(side(rows.probes), side(rows.gallery), number, metric, "none")[0]


def _reranked(embeddings: np.ndarray, rows: Rows, number: int, metric: str) -> np.ndarray:
    """As `_nearest`, by distances that are re-ranked as OpenGait does for HID."""
    everything = embeddings[np.concatenate([rows.probes, rows.gallery])]
    square = np.asarray(metrics.distances(everything, everything, metric))
    distance = rerank(square, len(rows.probes), k1=6, k2=6, weight=0.3, half_precision=True)
    return rows.gallery[distance.argsort(1, kind="stable")[:, :number]]
