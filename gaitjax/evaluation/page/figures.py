"""The plots of a report, by Matplotlib without pyplot: arrays in, figures out.

Colours are Okabe and Ito's and the maps cividis and viridis, which colour-blind readers tell apart;
lines differ in their style and points in their shape as well.
"""

import contextlib
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gaitjax import files
from gaitjax.evaluation.page.text import printable
from gaitjax.evaluation.protocols import Table

INK = "#1b2330"  # of text and axes; the page puts its own in its place, light or dark
PALE = "#9aa1ac"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
DASHES = ("-", "--", "-.", ":")
MARKERS = "os^DvP"
WIDTH = 12.0  # inches
NUMBERED = 16  # columns of a heat map that still have room for numbers
GAP = 0.15  # columns, between the gallery views and their mean
LIGHT = 0.25  # luminance above which black numbers are read better than white ones
GRID: Any = {"color": PALE, "alpha": 0.35, "linewidth": 0.6}
STYLE: Any = {
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


class Groups(NamedTuple):
    """How points are coloured.

    Attributes:
        of: str [N], the group of each point.
        named: the groups that have a colour and a place in the legend; others are pale, behind.
    """

    of: np.ndarray
    named: list[str]


@contextlib.contextmanager
def style(fonts: list[str]) -> Iterator[None]:
    """The context in which figures are made and saved; leaves Matplotlib as it was.

    Args:
        fonts: names of fonts, each for the characters that those before it lack.
    """
    with matplotlib.rc_context(STYLE | {"font.family": fonts}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page says so
        yield


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
        excluded: whether pairs of identical views are framed, since no mean counts them.
    """
    first = next(iter(tables.values()))
    columns = min(len(tables), 3 if len(first.gallery_views) <= 8 else 2)
    rows = -(-len(tables) // columns)
    height = 1.0 + 0.3 * len(first.probe_views)
    figure = Figure(figsize=(WIDTH, rows * height + 0.2), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    values = np.concatenate([table.rank_1.ravel() for table in tables.values()])
    low, high = 10 * np.floor(np.nanmin(values) / 10), 10 * np.ceil(np.nanmax(values) / 10)
    image: Any = None
    for axes, (condition, table) in zip(panels.flat, tables.items(), strict=False):
        image = _heat_map(axes, table, (low, max(high, low + 10)), excluded)
        axes.set_title(short(condition))
    for axes in panels.flat[len(tables) :]:
        axes.set_axis_off()
    figure.colorbar(image, ax=panels, fraction=0.03, aspect=30, label="rank-1 [%]")
    return figure


def _heat_map(axes: Axes, table: Table, limits: tuple[float, float], excluded: bool) -> Any:
    rows, columns = table.rank_1.shape
    places = [*range(columns), columns + GAP]
    values = np.column_stack([table.rank_1, table.means])
    style: Any = {"cmap": "cividis", "vmin": limits[0], "vmax": limits[1], "aspect": "auto"}
    axes.imshow(table.rank_1, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5), **style)
    image = axes.imshow(
        values[:, -1:], extent=(places[-1] - 0.5, places[-1] + 0.5, rows - 0.5, -0.5), **style
    )
    names = [*map(short, table.gallery_views), "mean"]
    axes.set_xticks(places, names, rotation=90 if columns > 6 else 0)
    axes.set_yticks(range(rows), [*map(short, table.probe_views)])
    axes.set(xlabel="gallery view", ylabel="probe view", xlim=(-0.5, places[-1] + 0.5))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        ink = "black" if _luminance(image.to_rgba(value)) > LIGHT else "white"
        if columns < NUMBERED and not np.isnan(value):
            text = f"{value:.0f}" if value == 100 else f"{value:.1f}"
            axes.text(places[column], row, text, ha="center", va="center", color=ink, fontsize=8)
        if excluded and [table.probe_views[row]] == [*table.gallery_views[column : column + 1]]:
            corner = (column - 0.45, row - 0.43)
            axes.add_patch(Rectangle(corner, 0.9, 0.86, fill=False, ec=ink, lw=0.8, ls=":"))
    return image


def _luminance(colour: Any) -> float:
    """How light a colour of sRGB is, 0 to 1 (WCAG 2, relative luminance)."""
    red, green, blue = (np.asarray(colour[:3]) + 0.055) ** 2.4 / 1.055**2.4
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


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
    axes.grid(**GRID)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
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
    longest = max(map(len, curves.values()))
    axes.set_xticks([1, *range(5, longest + 1, 5)] if longest > 10 else range(1, longest + 1))
    axes.set(xlabel="rank k", ylabel="searches with a mate among the k nearest [%]")
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


def embedding_map(points: np.ndarray, panels: Mapping[str, Groups], ordered: str) -> Figure:
    """Embeddings in the plane, once for each way to colour them.

    Args:
        points: [N, 2].
        panels: title -> how the points are coloured.
        ordered: the title of the panel whose groups have an order, and colours of a scale.
    """
    wide, high = np.ptp(points, axis=0) + 1e-9
    height = np.clip(WIDTH / len(panels) * high / wide, 2, 4)
    lines = max(-(-len(groups.named) // 4) for groups in panels.values())  # of a legend
    figure = Figure(figsize=(WIDTH, height + 0.5 + 0.2 * lines), layout="constrained")
    for axes, (title, groups) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        _scatter(axes, points, groups, title == ordered)
        axes.set(title=title, xticks=(), yticks=(), aspect="equal", adjustable="datalim")
        axes.spines[:].set_visible(False)
    return figure


def _scatter(axes: Axes, points: np.ndarray, groups: Groups, ordered: bool) -> None:
    x, y = points.T
    pale = ~np.isin(groups.of, groups.named)
    axes.scatter(x[pale], y[pale], s=8, c=PALE, linewidths=0, alpha=0.5)
    scale = matplotlib.colormaps["viridis"](np.linspace(0, 0.95, len(groups.named)))
    for i, name in enumerate(groups.named):
        colour = scale[i] if ordered else COLOURS[i % len(COLOURS)]
        marker = "o" if ordered else MARKERS[i % len(MARKERS)]
        own = groups.of == name
        style: Any = {"s": 16, "color": colour, "marker": marker, "linewidths": 0}
        axes.scatter(x[own], y[own], label=_legend(name), **style)
    if groups.named:
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, fontsize=8, markerscale=1.5
        )


def short(name: str) -> str:
    """A name that fits beside an axis."""
    name = printable(name)
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
    axes.grid(**GRID)
    axes.legend()
