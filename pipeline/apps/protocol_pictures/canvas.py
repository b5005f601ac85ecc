"""Panels side by side in one look: large letters, few colours, small files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.apps.protocol_pictures.head import SIDE

WIDTH, DPI, LETTERS = 1200, 100, 20
"""px of a picture, px of an inch, points of the text: a third of the width still shows letters of 9 px."""
TRUE, FOUND, THIRD, QUIET = "#1f6f3a", "#c22a1e", "#2457a8", "#8a8a8a"
"""Colours of a truth, of a prediction, of a third thing, and of what stands behind."""


def panels(titles: Sequence[str], height: int, columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """A figure with one panel for each title, ``height`` px high, in rows of so many columns."""
    columns = columns or len(titles)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(-(-len(titles) // columns), columns, squeeze=False).flat)
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=LETTERS)
        axis.tick_params(labelsize=LETTERS - 3)
        axis.xaxis.label.set_size(LETTERS - 1)
        axis.yaxis.label.set_size(LETTERS - 1)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def show(axis: Axes, picture: np.ndarray, margin: float = 0.0) -> None:
    """A picture (h, w, 3) in pixels, without axes; ``margin``: share of it that is cut at each side."""
    axis.imshow(picture, interpolation="bilinear")
    cut = margin * SIDE
    axis.set(xlim=(cut, SIDE - cut), ylim=(SIDE - cut, cut))
    axis.set_axis_off()


def dots(axis: Axes, points: np.ndarray, colour: str, size: float = 30, **more) -> None:
    """Points (K, >= 2) as discs with a thin white rim."""
    axis.scatter(
        points[:, 0], points[:, 1], size, colour, edgecolors="white", linewidths=0.8, zorder=3, **more
    )


def note(axis: Axes, x: float, y: float, words: str, colour: str = "black", **more) -> None:
    """Words at a place in the panel's own units, on a white ground."""
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    axis.text(x, y, words, fontsize=LETTERS - 2, color=colour, bbox=ground, zorder=5, **more)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of few colours, the same bytes for the same figure."""
    figure.canvas.draw()
    from PIL import Image

    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    few = Image.fromarray(pixels).quantize(96, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
