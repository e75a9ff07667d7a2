"""Embeddings laid out in the plane."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from gaitjax.evaluation.embeddings import Embeddings

SHOWN = 1000  # points at most: t-SNE of more takes minutes, and hides one behind another
FEWEST = 100  # points; t-SNE of fewer shows groups where there are none
COMPONENTS = 50


def sample(rows: np.ndarray, seed: int) -> np.ndarray:
    """Up to SHOWN of the rows, drawn at random, sorted."""
    drawn = np.random.default_rng(seed).permutation(len(rows))[:SHOWN]
    return rows[np.sort(drawn)]


def place(embeddings: Embeddings, rows: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """Places of some sequences in the plane: PCA, and t-SNE of its components where rows suffice.

    t-SNE: van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008.

    Args:
        embeddings: of N sequences.
        rows: int64 [n], which of them.
        seed: of both.

    Returns:
        float [n, 2], and in words how they were found.
    """
    flat = np.asarray(embeddings.embeddings[rows], np.float32).reshape(len(rows), -1)
    few = len(rows) < FEWEST
    number = min(2 if few else COMPONENTS, *flat.shape)
    reduction = PCA(number, svd_solver="randomized", random_state=seed)
    components = reduction.fit_transform(flat)
    share = (
        f"{100 * np.nan_to_num(reduction.explained_variance_ratio_).sum():.0f} % of the variance"
    )
    if few:
        padded = np.pad(components, ((0, 0), (0, 2 - number)))
        return padded, f"PCA to 2 components, which hold {share}"
    points = TSNE(init="pca", perplexity=30, random_state=seed).fit_transform(components)
    return points, f"PCA to {number} components, which hold {share}, then t-SNE of perplexity 30"
