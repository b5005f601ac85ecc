"""What a model looks like in every figure, and the table below a panel that says so and gives its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.tables.figures.page import INNER, LEADING, SIZE, SMALL, Page, length_of, shortened
from pipeline.tables.results import MEAN_FACE, Results

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's colours that people with any colour blindness tell apart, without yellow and black."""
STROKES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")
GREY = "#666666"
SAMPLE, NAME, GAP, ROW = 0.26, 0.32, 0.1, LEADING * SIZE / 72


@dataclass(frozen=True)
class Look:
    """Colour, stroke of lines and marker of points of one model."""

    colour: str
    stroke: str
    marker: str


MEAN_LOOK = Look(GREY, "--", "x")


def looks(results: Results) -> Mapping[str, Look]:
    """The look of each model, by its place in the config, and of the mean face. Beyond six models the colours come
    again with another stroke and marker."""
    found = {}
    for place, model in enumerate(results.evaluations):
        turn = place // len(COLOURS) % len(STROKES)
        found[model] = Look(COLOURS[place % len(COLOURS)], STROKES[turn], MARKERS[turn])
    return {**found, MEAN_FACE: MEAN_LOOK}


def opacity_of(points: int) -> float:
    """Of each point of a scatter: the lighter, the more there are, so that lines over them stay visible."""
    return float(np.clip(8 / np.sqrt(max(points, 1)), 0.05, 0.4))


@dataclass(frozen=True)
class Entry:
    """One row of a key: the look, the name, a cell for each column; whether its sample shows the marker."""

    look: Look
    name: str
    cells: Sequence[str]
    marked: bool = False


def key(page: Page, columns: Sequence[str], entries: Sequence[Entry]) -> None:
    """Add a key to a page: a row an entry with a sample of its line; columns stand to the right."""
    widths = [
        max(length_of(words, SMALL) for words in (column, *(entry.cells[place] for entry in entries))) + GAP
        for place, column in enumerate(columns)
    ]
    room = INNER - NAME - sum(widths)
    right = [INNER - sum(widths[place + 1 :]) for place in range(len(widths))]

    def draw(area) -> None:
        for place, column in zip(right, columns, strict=True):
            area.write(place, 0.5 * ROW, column, ha="right", size=SMALL, color=GREY)
        for number, entry in enumerate(entries, start=1):
            middle = (number + 0.5) * ROW
            _sample(area, middle, entry)
            area.write(NAME, middle, shortened(entry.name, room))
            for place, cell in zip(right, entry.cells, strict=True):
                area.write(place, middle, cell, ha="right", size=SMALL)

    page.add((len(entries) + 1) * ROW + 0.04, draw)


def _sample(area, middle: float, entry: Entry) -> None:
    axes = area.axes(0, middle - ROW / 2, SAMPLE, ROW)
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    look = entry.look
    axes.plot([0.04, 0.96], [0.5, 0.5], color=look.colour, linestyle=look.stroke)
    if entry.marked:
        axes.plot([0.5], [0.5], color=look.colour, marker=look.marker, markersize=3)
