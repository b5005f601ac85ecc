"""A figure as a column of blocks from top to bottom, drawn once and written as SVG and PNG.

A page is four inches wide: 400 pixels at 100 an inch, on which its letters stand 9 pixels high, and 1,600 in the PNG.
It grows in height only. The same blocks give the same bytes: ids in the SVG are hashed with a fixed salt, and neither
file says when it was made.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.0
MARGIN = 0.08
INNER = WIDTH - 2 * MARGIN
DPI, EMBEDDED = 400, 200
"""Of the PNG, and of what the SVG holds as pixels: clouds of points. Crops keep their own."""
LONGEST = 65_000
"""Pixels of a PNG's height; Agg draws up to 65,535."""
SIZE, SMALL, LARGE = 6.5, 6.0, 8.5
LEADING = 1.3
STYLE = {
    "svg.hashsalt": "facemill",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.parse_math": False,
    "axes.labelsize": SIZE,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.4,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "axes.labelpad": 2.0,
    "lines.linewidth": 1.1,
}


@dataclass(frozen=True)
class Area:
    """A block's place on the page. Lengths in inches, from its upper left corner to the right and down."""

    figure: Figure
    top: float
    page: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose frame has this corner and size."""
        bottom = self.page - self.top - top - height
        return self.figure.add_axes(
            ((MARGIN + left) / WIDTH, bottom / self.page, width / WIDTH, height / self.page)
        )

    def write(self, left: float, top: float, words: str, **more: Any) -> None:
        """One line of text, its middle at this height; ``more`` as matplotlib's text."""
        place = (MARGIN + left) / WIDTH, 1 - (self.top + top) / self.page
        self.figure.text(*place, words, **{"va": "center_baseline", "size": SIZE, **more})


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished figure."""

    figure: Figure

    def svg(self) -> bytes:
        """The figure as SVG, letters as outlines."""
        return self._saved(format="svg", dpi=EMBEDDED, metadata={"Date": None})

    def png(self) -> bytes:
        """The figure as PNG, 1,600 pixels wide; narrower where it would get too long for a picture."""
        dpi = min(DPI, LONGEST / self.figure.get_figheight())
        return self._saved(format="png", dpi=dpi, metadata={"Software": None})

    def _saved(self, **how: Any) -> bytes:
        out = io.BytesIO()
        with style():
            self.figure.savefig(out, **how)
        return out.getvalue()


class Page:
    """Blocks from top to bottom. Nothing is drawn before `drawn`."""

    def __init__(self, title: str, *notes: str) -> None:
        self._blocks: list[tuple[float, Callable[[Area], None]]] = []
        self.text(title, size=LARGE, weight="bold")
        for note in notes:
            self.text(note)

    def add(self, height: float, draw: Callable[[Area], None]) -> None:
        """A block of this height in inches, and what draws it."""
        self._blocks.append((height, draw))

    def text(self, words: str, *, size: float = SIZE, weight: str = "normal", colour: str = "black") -> None:
        """Words in as many lines as they need."""
        lines = wrapped(words, INNER, size, weight)
        step = LEADING * size / 72

        def draw(area: Area) -> None:
            for number, line in enumerate(lines):
                area.write(0, (number + 0.6) * step, line, size=size, weight=weight, color=colour)

        self.add(len(lines) * step + 0.04, draw)

    def heading(self, words: str) -> None:
        """The heading of a panel, with some room above."""
        self.add(0.1, lambda area: None)
        self.text(words, weight="bold")

    def drawn(self) -> Drawn:
        """The page, drawn."""
        from matplotlib.figure import Figure

        height = sum(height for height, _ in self._blocks) + 2 * MARGIN
        with style():
            figure = Figure(figsize=(WIDTH, height), facecolor="white")
            top = MARGIN
            for block, draw in self._blocks:
                draw(Area(figure, top, height))
                top += block
        return Drawn(figure)


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults and the page's, whatever the user's are; theirs are back afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def length_of(words: str, size: float = SIZE, weight: str = "normal") -> float:
    """Length in inches of words on the page."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=STYLE["font.family"], weight=weight, size=size)
    return text_to_path.get_text_width_height_descent(words, font, ismath=False)[0] / 72


def wrapped(words: str, width: float, size: float = SIZE, weight: str = "normal") -> list[str]:
    """Lines that are at most ``width`` inches long; a word that is longer is cut into pieces."""
    lines = [""]
    for word in words.split():
        tried = f"{lines[-1]} {word}".strip()
        if length_of(tried, size, weight) <= width:
            lines[-1] = tried
            continue
        if not lines[-1]:
            lines.pop()
        while length_of(word, size, weight) > width:
            fit = max(
                (n for n in range(1, len(word)) if length_of(word[:n], size, weight) <= width), default=1
            )
            lines.append(word[:fit])
            word = word[fit:]
        lines.append(word)
    return lines


def shortened(words: str, width: float, size: float = SIZE, weight: str = "normal") -> str:
    """Words that are at most ``width`` inches long, the last ones kept: "…_00012"."""
    if length_of(words, size, weight) <= width:
        return words
    while words and length_of(f"…{words}", size, weight) > width:
        words = words[1:]
    return f"…{words}"
