"""The plots of a report, by Matplotlib without pyplot: arrays in, figures out.

Colours are Okabe and Ito's and the maps cividis and viridis, which colour-blind readers tell apart;
lines differ in their style and points in their shape as well.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gaitjax import files
from gaitjax.evaluation.protocols import Table

INK = "#1b2330"  # of text and axes; the page puts its own in its place, light or dark
PALE = "#9aa1ac"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
DASHES = ("-", "--", "-.", ":")
MARKERS = "os^DvP"
WIDTH = 12.0  # inches
NUMBERED = 16  # columns of a heat map that still have room for numbers
STYLE = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "text.parse_math": False,  # a name may hold dollars
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "gaitjax",  # the same figure, the same bytes
}


def style() -> Any:
    """The context in which figures are made and saved; leaves Matplotlib as it was."""
    return matplotlib.rc_context(STYLE)


def save(figure: Figure, folder: Path, name: str) -> str:
    """Writes `name`.png and `name`.svg.

    Returns:
        the SVG, for the page.

    Raises:
        UserError: if the folder cannot be written to.
    """
    png, svg = io.BytesIO(), io.StringIO()
    figure.savefig(png, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    files.replace(folder / f"{name}.png", png.getvalue())
    files.replace(folder / f"{name}.svg", svg.getvalue().encode())
    return svg.getvalue()


def heat_maps(tables: Mapping[str, Table], excluded: bool) -> Figure:
    """Rank-1 of every pair of views, a map a condition, all on one scale.

    Args:
        tables: condition -> its table.
        excluded: whether pairs of identical views are hatched, since no mean counts them.
    """
    first = next(iter(tables.values()))
    columns = min(len(tables), 3 if len(first.gallery_views) <= 8 else 2)
    rows = -(-len(tables) // columns)
    height = 1.0 + 0.3 * len(first.probe_views)
    figure = Figure(figsize=(WIDTH, rows * height + 0.2), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    values = np.concatenate([table.rank_1.ravel() for table in tables.values()])
    low, high = 10 * np.floor(np.nanmin(values) / 10), 10 * np.ceil(np.nanmax(values) / 10)
    image = None
    for axes, (condition, table) in zip(panels.flat, tables.items(), strict=False):
        image = _heat_map(axes, table, (low, max(high, low + 10)), excluded)
        axes.set_title(short(condition))
    for axes in panels.flat[len(tables) :]:
        axes.set_axis_off()
    bar = figure.colorbar(image, ax=panels, fraction=0.03, aspect=30, label="rank-1 [%]")
    bar.outline.set_visible(False)  # type: ignore[operator]  # Matplotlib types it as a method
    return figure


def _heat_map(axes: Axes, table: Table, limits: tuple[float, float], excluded: bool) -> Any:
    values = np.column_stack([table.rank_1, table.means])
    image = axes.imshow(values, "cividis", vmin=limits[0], vmax=limits[1], aspect="auto")
    columns = [*map(short, table.gallery_views), "mean"]
    axes.set_xticks(range(len(columns)), columns, rotation=90 if len(columns) > 7 else 0)
    axes.set_yticks(range(len(table.probe_views)), [*map(short, table.probe_views)])
    axes.set(xlabel="gallery view", ylabel="probe view")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.axvline(len(columns) - 1.5, color="white", linewidth=4)
    for (row, column), value in np.ndenumerate(values):
        if len(columns) <= NUMBERED and not np.isnan(value):
            light = value > (limits[0] + limits[1]) / 2
            text = f"{value:.0f}" if value == 100 else f"{value:.1f}"
            style = {"color": "black" if light else "white", "fontsize": 8}
            axes.text(column, row, text, ha="center", va="center", **style)
        if excluded and [table.probe_views[row]] == [*table.gallery_views[column : column + 1]]:
            corner = (column - 0.5, row - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="////", ec=PALE, lw=0))
    return image


def by_probe_view(curves: Mapping[str, Mapping[str, float]]) -> Figure:
    """The rank-1 of each probe view, a line a condition.

    Args:
        curves: condition -> probe view -> percent.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    names = sorted({view for curve in curves.values() for view in curve})
    for (condition, curve), line in zip(curves.items(), _lines(len(curves)), strict=True):
        places = [names.index(view) for view in curve]
        axes.plot(places, list(curve.values()), label=_legend(condition), **line)
    axes.set_xticks(range(len(names)), [*map(short, names)], rotation=0 if len(names) < 15 else 90)
    axes.set(xlabel="probe view", ylabel="rank-1 [%]")
    _finish(axes)
    return figure


def cumulative_matches(curves: Mapping[str, np.ndarray]) -> Figure:
    """CMC curves.

    Args:
        curves: condition -> percent [ranks]; entry k - 1 is the share of searches with a mate among
            the k nearest.
    """
    figure = Figure(figsize=(WIDTH / 2, 4), layout="constrained")
    axes = figure.subplots()
    for (condition, curve), line in zip(curves.items(), _lines(len(curves)), strict=True):
        line["markevery"] = max(1, len(curve) // 10)
        axes.plot(range(1, len(curve) + 1), curve, label=_legend(condition), **line)
    axes.set(xlabel="rank k", ylabel="searches with a mate among the k nearest [%]")
    axes.xaxis.get_major_locator().set_params(integer=True)
    _finish(axes)
    return figure


def error_tradeoff(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """DET curves: false rejections over false acceptances, both axes logarithmic.

    Args:
        curves: condition -> false accept rates and false reject rates, 0 to 1.
    """
    figure = Figure(figsize=(WIDTH / 2, 4), layout="constrained")
    axes = figure.subplots()
    for (condition, (accepted, rejected)), line in zip(
        curves.items(), _lines(len(curves)), strict=True
    ):
        shown = (accepted > 0) & (rejected > 0)
        line["markevery"] = max(1, shown.sum() // 6)
        label = _legend(condition)
        axes.plot(100 * accepted[shown], 100 * rejected[shown], label=label, **line)
    axes.axline((1, 1), (10, 10), color=PALE, linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="false accept rate [%]")
    axes.set(ylabel="false reject rate [%]")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    _finish(axes)
    return figure


def embedding_map(points: np.ndarray, panels: Mapping[str, Sequence[str]], ordered: str) -> Figure:
    """Embeddings in the plane, once for each way to colour them.

    Args:
        points: [N, 2].
        panels: title -> the group of each point; '' is drawn pale, behind the others.
        ordered: the title of the panel whose groups have an order, and colours of a scale.
    """
    figure = Figure(figsize=(WIDTH, 4.9), layout="constrained")
    for axes, (title, groups) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        _scatter(axes, points, np.array(groups, str), title == ordered)
        axes.set(title=title, xticks=(), yticks=(), aspect="equal", adjustable="datalim")
        axes.spines[:].set_visible(False)
    return figure


def _scatter(axes: Axes, points: np.ndarray, groups: np.ndarray, ordered: bool) -> None:
    axes.scatter(*points[groups == ""].T, s=8, c=PALE, linewidths=0, alpha=0.5)
    names = [name for name in dict.fromkeys(sorted(groups.tolist())) if name]
    scale = matplotlib.colormaps["viridis"](np.linspace(0, 0.95, len(names)))
    for i, name in enumerate(names):
        colour = scale[i] if ordered else COLOURS[i % len(COLOURS)]
        marker = "o" if ordered else MARKERS[i % len(MARKERS)]
        own = points[groups == name].T
        axes.scatter(*own, s=16, color=colour, marker=marker, linewidths=0, label=_legend(name))
    if names:
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, fontsize=8, markerscale=1.5
        )


def short(name: str) -> str:
    """A name that fits beside an axis."""
    return name if len(name) <= 16 else f"{name[:8]}…{name[-7:]}"


def _legend(name: str) -> str:
    """Matplotlib leaves out labels that begin with an underscore."""
    return f"\u200b{short(name)}" if name.startswith("_") else short(name)


def _lines(number: int) -> Iterable[dict[str, Any]]:
    """Styles of lines, no two alike among 24."""
    for i in range(number):
        colour = COLOURS[i % len(COLOURS)]
        dash = DASHES[i // len(COLOURS) % len(DASHES)]
        marker = MARKERS[i % len(MARKERS)]
        yield {"color": colour, "linestyle": dash, "marker": marker, "markersize": 5}


def _finish(axes: Axes) -> None:
    axes.grid(color=PALE, alpha=0.35, linewidth=0.6)
    axes.legend()
