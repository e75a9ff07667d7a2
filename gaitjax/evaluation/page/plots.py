"""The plots of a page: which there are, what they are called, and what they leave out."""

import base64
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gaitjax.evaluation.page import content, figures, plane, ranks, text
from gaitjax.evaluation.page.content import Material
from gaitjax.evaluation.page.figures import Groups

CMC_LENGTH = 20
COLOURED = 6  # identities of the map
MOST_VIEWS = 28  # on an axis or in a legend
DARK = "#e4e8ee"  # ink of a dark page


class Plot(NamedTuple):
    """An image on the page."""

    uri: str
    alt: str
    caption: str


def write(folder: Path, material: Material) -> tuple[dict[str, Plot], list[str]]:
    """Draws and writes all plots.

    Returns:
        name -> plot, and notes about what they leave out.

    Raises:
        UserError: if the folder cannot be written to.
    """
    views = ranks.viewpoints(material.protocol, material.embeddings)
    missed = _missed(material)
    fonts, lacking = text.families([*material.searches, *np.unique(views).tolist(), *missed])
    with figures.style(fonts):
        drawn = _views(material)
        drawn["cmc"] = _cumulative_matches(material)
        if material.open_set:
            drawn["det"] = _error_tradeoff(material)
        drawn["map"], notes = _map(material, views, missed)
        plots = {
            name: Plot(_uri(figures.save(figure, folder, name)), alt, caption)
            for name, (figure, alt, caption) in drawn.items()
        }
    if lacking:
        notes.append(
            f"the PNGs have boxes for {lacking!r}, which no font of the machine that wrote them "
            "has; this page and the SVGs take the reader's fonts"
        )
    return plots, notes


def _uri(svg: str) -> str:
    """The SVG as data, its ink dark on a light page and light on a dark one."""
    style = (
        f"<style>:root{{--ink:{figures.INK}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{--ink:{DARK}}}}}</style>"
    )
    head, defs, rest = svg.replace(figures.INK, "var(--ink)").partition("<defs>")
    inked = f"{head}{style}{defs}{rest}"
    return f"data:image/svg+xml;base64,{base64.b64encode(inked.encode()).decode()}"


def _views(material: Material) -> dict[str, tuple[Figure, str, str]]:
    """Rank-1 by probe view, and by pair of views."""
    drawn = {}
    curves = {c: content.by_view(searches) for c, searches in material.searches.items()}
    if 1 < max(map(len, curves.values())) <= MOST_VIEWS:
        lowest = "; ".join(
            f"{c}: lowest at {(view := min(rates, key=rates.__getitem__))}, {rates[view]:.1f}"
            for c, rates in curves.items()
        )
        drawn["probe_views"] = (
            figures.by_probe_view(curves),
            f"Lines of rank-1 over the probe view. {lowest}.",
            f"Rank-1 of each probe view, in percent. {lowest}.",
        )
    if material.result.tables:
        excluded = material.protocol.exclude == "view"
        framed = " Framed: identical views, which no mean counts." if excluded else ""
        drawn["views"] = (
            figures.heat_maps(material.result.tables, excluded),
            "Heat maps of rank-1, a map a condition. The same numbers are in the tables below.",
            f"Rank-1 of every pair of views; all maps share one scale.{framed}",
        )
    return drawn


def _cumulative_matches(material: Material) -> tuple[Figure, str, str]:
    curves = {
        c: ranks.cumulative_matches(searches, min(CMC_LENGTH, len(searches.gallery.row)))
        for c, searches in material.searches.items()
    }
    ends = "; ".join(f"{c}: {x[0]:.1f} at 1, {x[-1]:.1f} at {len(x)}" for c, x in curves.items())
    return (
        figures.cumulative_matches(curves),
        f"Cumulative match characteristic by condition. {ends}.",
        f"CMC, averaged as the scores are. {ends}.",
    )


def _error_tradeoff(material: Material) -> tuple[Figure, str, str]:
    found = material.open_set
    curves = {condition: (x.curve[0], 1 - x.curve[1]) for condition, x in found.items()}
    equal = "; ".join(f"{c}: {x.equal_error.percent:.1f}" for c, x in found.items())
    return (
        figures.error_tradeoff(curves),
        f"Detection error trade-off by condition. Equal error rates in percent: {equal}.",
        "DET, over all pairs of a probe and a gallery entry that count; both errors are equal on "
        f"the grey line. Equal error rates: {equal}.",
    )


def _map(
    material: Material, views: np.ndarray, missed: list[str]
) -> tuple[tuple[Figure, str, str], list[str]]:
    """The embeddings in the plane, coloured by condition, by view and by identity."""
    kinds: dict[int, str] = {}
    for condition, searches in material.searches.items():
        own = dict.fromkeys(searches.probe.row.tolist(), condition)
        kinds = {**dict.fromkeys(searches.gallery.row.tolist(), ""), **own, **kinds}
    every = np.array(sorted(kinds))
    rows = plane.sample(every, material.seed)
    points, method = plane.place(material.embeddings, rows, material.seed)
    of_rows = np.array([kinds[row] for row in rows.tolist()], str)
    panels = {
        "by condition; the gallery is grey": Groups(of_rows, [*material.searches]),
        "by view": Groups(views[rows], np.unique(views[rows]).tolist()),
        "the identities missed most": Groups(material.embeddings.identities[rows], missed),
    }
    if len(panels["by view"].named) > MOST_VIEWS:
        del panels["by view"]
    left_out = f"the map shows {len(rows)} of {len(every)} sequences, drawn at random"
    return (
        (
            figures.embedding_map(points, panels, ordered="by view"),
            f"Scatter plots of the embeddings in the plane: {'; '.join(panels)}: "
            f"{', '.join(missed)}.",
            f"{len(rows)} embeddings, all parts together: {method} (seed {material.seed}). "
            "Distances between far groups mean little.",
        ),
        [left_out] if len(rows) < len(every) else [],
    )


def _missed(material: Material) -> list[str]:
    total: dict[str, int] = {}
    for searches in material.searches.values():
        for name, (missed, _) in ranks.misses(searches, material.embeddings.identities).items():
            total[name] = total.get(name, 0) + missed
    return [n for n in sorted(total, key=lambda name: -total[name])[:COLOURED] if total[n]]
