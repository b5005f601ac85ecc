"""Cumulative error curves (CED): the share of all pictures with at most an error, a panel a benchmark and protocol."""

from __future__ import annotations

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.metrics.ced import ced as curve
from pipeline.registry import FIGURES
from pipeline.tables.figures.key import Entry, key, looks
from pipeline.tables.figures.page import INNER, Area, Drawn, Page
from pipeline.tables.figures.values import UNITS, Series, number, series_of
from pipeline.tables.results import Results

LEFT, RIGHT, HEIGHT = 0.3, 0.08, 1.5


@FIGURES.register("ced")
def ced(results: Results, chart: Chart) -> Drawn:
    """The figure: curves of all models and of the mean face up to the protocol's limit, with the plain mean that PRNet
    prints in its legends, the balanced mean where a protocol has bins, and the area under the curve."""
    lower = [protocol for protocol in results.protocols if protocol.better == "lower"]
    higher = [protocol.id for protocol in results.protocols if protocol.better == "higher"]
    page = Page(
        "Cumulative error curves",
        "Share of all pictures whose error is at most x; a picture without a usable prediction never counts. Means are "
        "over the pictures with one, * marks the mean that the protocol's paper prints. AUC: area under the curve up "
        "to the end of the axis, 1 at best. Several seeds of a model: the mean of theirs.",
    )
    if higher:
        page.text(f"Without a curve, as more is better there: {', '.join(higher)}.")
    if not lower or not results.benchmarks:
        page.text(
            "No benchmark was scored under a protocol in which less is better: there is no curve to draw."
        )
    for benchmark in results.benchmarks:
        for protocol in lower:
            _panel(page, results, benchmark, protocol)
    return page.drawn()


def _panel(page: Page, results: Results, benchmark: str, protocol: Protocol) -> None:
    page.heading(f"{benchmark}: {protocol.title} ({protocol.id})")
    shown, without = series_of(results, benchmark, protocol)
    for words in without:
        page.text(words)
    if not shown:
        return
    look = looks(results)

    def draw(area: Area) -> None:
        axes = area.axes(LEFT, 0.05, INNER - LEFT - RIGHT, HEIGHT)
        for series in shown:
            x, y = curve(series.values, series.failed, protocol.limit)
            axes.plot(
                x,
                100 * y,
                drawstyle="steps-post",
                color=look[series.look].colour,
                linestyle=look[series.look].stroke,
                clip_on=False,
            )
        axes.set(xlim=(0, protocol.limit), ylim=(0, 100), yticks=range(0, 101, 25))
        axes.set_xlabel(f"error, {UNITS[protocol.unit]}")
        axes.set_ylabel("% of pictures")

    page.add(HEIGHT + 0.34, draw)
    means = ["balanced", "plain"] if protocol.bins else ["plain"]
    columns = [f"{name}*" if name == protocol.aggregate else name for name in means]
    columns += ["AUC", f"beyond {protocol.limit:g}", "failed"]
    key(
        page,
        columns,
        [Entry(look[series.look], series.name, _cells(series, means, protocol)) for series in shown],
    )


def _cells(series: Series, means: list[str], protocol: Protocol) -> list[str]:
    beyond = series.figures["failure_rate"]
    return [
        *(number(series.figures[name], protocol.unit) for name in means),
        number(series.figures["auc"], digits=3),
        f"{number(None if beyond is None else 100 * beyond, digits=1)} %",
        f"{number(100 * series.failed.mean(), digits=1)} %",
    ]
