"""Error against the true yaw: means of 15-degree steps with 95 % intervals over a scatter of the faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.metrics.bootstrap import bootstrap
from pipeline.registry import FIGURES
from pipeline.tables.figures.key import Entry, Look, key, looks, opacity_of
from pipeline.tables.figures.page import INNER, Area, Drawn, Page
from pipeline.tables.figures.values import UNITS, Mean, Series, number, series_of
from pipeline.tables.results import MEAN_FACE, Results

STEP, END = 15.0, 90.0
LEFT, RIGHT, HEIGHT = 0.3, 0.08, 1.6
ASIDE, SPREAD = 1.3, 9.0
"""Degrees between the means of two models, so that none covers another, and at most between the first and the last."""
SAMPLES = 2000
HIGHEST = 98.0
"""Percentile of the faces up to which the axis goes at least."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Mean score of each step of |yaw| that has a face, with its interval (NaN where one face stands alone).

    centre, mean, low, high, n: (m,) each.
    """

    centre: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray


@dataclass(frozen=True, eq=False)
class Faces:
    """A series with the faces that have a usable prediction and a known yaw: |yaw| (n,) in degrees, values (n,)."""

    series: Series
    yaw: np.ndarray
    values: np.ndarray

    @property
    def drawn(self) -> bool:
        """Whether the faces stand as points; the mean face's would hide the models'."""
        return self.series.look != MEAN_FACE


@FIGURES.register("nme_by_yaw")
def nme_by_yaw(results: Results, chart: Chart) -> Drawn:
    """The figure: a panel a benchmark and protocol; each model's faces, its steps' means and the mean face's."""
    page = Page(
        "Error against yaw",
        f"Points: faces with a usable prediction. Lines: means of steps of {STEP:g} degrees of the true |yaw|, with "
        "95 % bootstrap intervals over pictures. Dotted: the bounds of the protocol's bins, whose means stand below. "
        "Several seeds of a model: the mean of theirs.",
    )
    if not results.protocols or not results.benchmarks:
        page.text("No benchmark was scored: there is nothing to draw.")
    for benchmark in results.benchmarks:
        for protocol in results.protocols:
            _panel(page, results, benchmark, protocol)
    return page.drawn()


def steps_of(yaw: np.ndarray, values: np.ndarray) -> Steps:
    """The steps of faces with these |yaw| (n,) in degrees and values (n,); a bound belongs to the lower step, and the
    last takes all beyond."""
    place = np.clip(np.ceil(yaw / STEP) - 1, 0, END / STEP - 1)
    rows = []
    for step in np.unique(place):
        inside = values[place == step]
        low = high = np.nan
        if len(inside) > 1:
            found = bootstrap(inside, rng=np.random.default_rng(0), samples=SAMPLES)
            low, high = found.low, found.high
        rows.append(((step + 0.5) * STEP, inside.mean(), low, high, len(inside)))
    return Steps(*np.array(rows, np.float64).reshape(-1, 5).T)


def _panel(page: Page, results: Results, benchmark: str, protocol: Protocol) -> None:
    page.heading(f"{benchmark}: {protocol.title} ({protocol.id})")
    found, without = series_of(results, benchmark, protocol)
    placed = [Faces(series, *_placed(series.pictures.values())) for series in found]
    for words in without:
        page.text(words)
    for faces in placed:
        if not len(faces.values):
            page.text(
                f"Nothing for {faces.series.name}: no face with a usable prediction has a known true yaw."
            )
    shown = [faces for faces in placed if len(faces.values)]
    if not shown:
        return
    look = looks(results)
    steps = [steps_of(faces.yaw, faces.values) for faces in shown]
    top = _top(shown, steps)

    aside = min(ASIDE, SPREAD / len(shown))
    light = opacity_of(sum(len(faces.values) for faces in shown if faces.drawn))

    def draw(area: Area) -> None:
        axes = area.axes(LEFT, 0.05, INNER - LEFT - RIGHT, HEIGHT)
        for bound in list(protocol.bins.values())[:-1]:
            axes.axvline(bound, color="#888888", linestyle=":", linewidth=0.7)
        for place, (faces, means) in enumerate(zip(shown, steps, strict=True)):
            own = look[faces.series.look]
            if faces.drawn:
                x, y = np.clip(faces.yaw, 0, END), np.clip(faces.values, None, top)
                axes.scatter(x, y, s=3, color=own.colour, alpha=light, linewidths=0, rasterized=True)
            _draw_steps(axes, own, means, aside * (place - (len(shown) - 1) / 2))
        axes.set(xlim=(-1, END + 1), ylim=(0, top), xticks=np.arange(0, END + 1, STEP))
        axes.set_xlabel("true |yaw|, degrees")
        axes.set_ylabel(f"{'error' if protocol.better == 'lower' else 'score'}, {UNITS[protocol.unit]}")

    page.add(HEIGHT + 0.34, draw)
    entries = [
        Entry(look[faces.series.look], faces.series.name, _cells(faces, protocol), marked=True)
        for faces in shown
    ]
    key(page, [*(f"{name}°" for name in protocol.bins), "faces"], entries)
    told = _on_the_edge([faces for faces in shown if faces.drawn], top)
    if told:
        page.text(told)


def _placed(pictures: Iterable[Mean]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(abs(p.yaw_deg), p.value) for p in pictures if not p.failed and not np.isnan(p.yaw_deg)]
    yaw, values = np.array(pairs, np.float64).reshape(-1, 2).T
    return yaw, values


def _cells(faces: Faces, protocol: Protocol) -> list[str]:
    bins = faces.series.figures["bins"].values()
    means = [number(None if entry is None else entry["mean"], protocol.unit) for entry in bins]
    return [*means, str(len(faces.values))]


def _top(shown: Sequence[Faces], steps: Sequence[Steps]) -> float:
    """Where the axis ends: above every mean, every interval and nearly every face."""
    ends = [np.percentile(faces.values, HIGHEST) for faces in shown if faces.drawn]
    ends += [np.fmax(one.mean, one.high).max() for one in steps]
    return 1.05 * float(max(ends)) or 1.0


def _draw_steps(axes, look: Look, steps: Steps, aside: float) -> None:
    x = steps.centre + aside
    axes.plot(x, steps.mean, color=look.colour, linestyle=look.stroke, marker=look.marker, markersize=3)
    axes.vlines(x, steps.low, steps.high, color=look.colour, linewidth=1.1)


def _on_the_edge(shown: Sequence[Faces], top: float) -> str:
    """What stands on the edge of the axes instead of beyond it, as a sentence; empty: nothing."""
    above = sum(int((faces.values > top).sum()) for faces in shown)
    wide = sum(int((faces.yaw > END).sum()) for faces in shown)
    words = [f"{above} above it" if above else "", f"{wide} beyond {END:g} degrees" if wide else ""]
    told = " and ".join(word for word in words if word)
    return f"Drawn on the edge of the axes: {told}." if told else ""
