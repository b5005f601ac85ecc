"""The ledger as a flow: what each stage let through and what it reaped, with the geometry of its Sankey diagram.

The diagram runs downwards, so that it is as legible on a telephone as on a desk: one band whose width is the number of
ledger rows, from which every reason turns off to the right, to its own label.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline import layout
from pipeline.records import Reason

WIDTH, BAND, TURN, TEXT = 360, 116, 140, 146
"""Of the diagram: its width, the band's, where ribbons end, where their labels begin. All lengths are SVG units."""
LETTERS = 30
LINE, GAP, HEAD, BAR = 16, 8, 22, 4
ORDER = {stage: number for number, stage in enumerate(layout.PATTERNS)}


@dataclass(frozen=True)
class Flow:
    """One data set in one frame and target.

    pictures: in the source. rows: faces and pictures without one. kept: of these. stages: stage -> reason in words ->
    rows that it reaped, stages in the chain's order, the most frequent reason first.
    """

    dataset: str
    frame: str
    target: str
    pictures: int
    rows: int
    kept: int
    stages: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Label:
    """Words at (x, y), y of the first line's middle; ``kind`` is how they are set: sum, stage or reason."""

    x: float
    y: float
    lines: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Diagram:
    """A Sankey diagram in SVG units: paths of the band and of the ribbons, bars (y, width) from x = 0, labels."""

    width: float
    height: float
    band: str
    ribbons: tuple[str, ...]
    bars: tuple[tuple[float, float], ...]
    labels: tuple[Label, ...]


def flow_of(
    names: Sequence[str],
    pictures: int,
    kept: Sequence[Mapping[str, str]],
    reaped: Sequence[Mapping[str, str]],
) -> Flow:
    """The flow of one data set.

    Args:
        names: frame, target, data set.
        pictures: in its source.
        kept, reaped: its ledger's rows.
    """
    counts: dict[str, Counter[str]] = {}
    for row in reaped:
        counts.setdefault(row["stage"], Counter())[Reason.from_code(row["code"]).words] += 1
    stages = {
        stage: dict(sorted(counts[stage].items(), key=lambda item: (-item[1], item[0])))
        for stage in sorted(counts, key=lambda stage: (ORDER.get(stage, len(ORDER)), stage))
    }
    frame, target, dataset = names
    return Flow(dataset, frame, target, pictures, len(kept) + len(reaped), len(kept), stages)


def share(count: int, total: int) -> str:
    """A count with its share of the total, as labels show it."""
    return f"{count} ({count / total:.1%})" if total else str(count)


def diagram(flow: Flow) -> Diagram:
    """The geometry of a flow. Widths are in proportion to rows, but no ribbon is thinner than one unit."""
    unit = BAND / max(flow.rows, 1)
    left, y = flow.rows, HEAD
    source = f"{flow.pictures} pictures, {flow.rows} faces and faceless pictures"
    labels = [Label(0.0, HEAD / 2, (source,), "sum")]
    bars = [(y, left * unit)]
    edges = [(left * unit, y)]
    ribbons: list[str] = []
    y += BAR
    for stage, reasons in flow.stages.items():
        labels.append(Label(TEXT, y + GAP, (stage,), "stage"))
        place = y + GAP + LINE
        for words, count in reasons.items():
            lines = tuple(textwrap.wrap(f"{share(count, flow.rows)} {words}", LETTERS))
            thick = max(count * unit, 1.0)
            tall = max(thick, LINE * len(lines)) + GAP
            middle = place + tall / 2 - LINE / 2
            right, left = left * unit, left - count
            ribbons.append(_turn(right, left * unit, y, middle - thick / 2, middle + thick / 2))
            labels.append(Label(TEXT, middle - LINE * (len(lines) - 1) / 2, lines, "reason"))
            edges += [(right, y), (left * unit, y)]
            place += tall
        y = place + GAP
    edges.append((left * unit, y))
    bars.append((y, left * unit))
    labels.append(Label(0.0, y + BAR + LINE, (f"{share(flow.kept, flow.rows)} kept",), "sum"))
    return Diagram(WIDTH, y + BAR + 2 * LINE, _outline(edges), tuple(ribbons), tuple(bars), tuple(labels))


def _turn(right: float, left: float, top: float, upper: float, lower: float) -> str:
    """A ribbon that leaves the band downwards between ``left`` and ``right`` at ``top`` and turns to the right."""
    return (
        f"M{right:.2f} {top:.2f}Q{right:.2f} {upper:.2f} {TURN} {upper:.2f}V{lower:.2f}"
        f"Q{left:.2f} {lower:.2f} {left:.2f} {top:.2f}Z"
    )


def _outline(edges: Iterable[tuple[float, float]]) -> str:
    """The band: down its right edge, back up at x = 0."""
    points = list(edges)
    steps = "".join(f"L{x:.2f} {y:.2f}" for x, y in points)
    return f"M0 {points[0][1]:.2f}{steps}L0 {points[-1][1]:.2f}Z"
