"""A paper's numbers with ours beside them: the one builder of every paper's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.tables.paper import Heading, Paper, Part, data_set_of
from pipeline.tables.results import MEAN_FACE, Results
from pipeline.tables.statistics import failed, floor, interval, reasons, spread, statistic, with_failures
from pipeline.tables.table import Cell, Column, Table

NOTES = (
    "Ours: the mean over seeds, each over the pictures that it scored; low and high: 95 % interval over pictures; "
    "with failures: pictures without a usable prediction at the protocol's worst score, of means over all pictures; "
    "spread: largest less smallest of the seeds. Mean face: the mean of a model's training targets predicted for every "
    "face; model mean_face: that of the first model whose own has a score. Model tddfa: 3DDFA_V2's released network.",
    "There is a difference (ours less the paper's) only on the paper's own pictures, that is, on benchmarks whose id "
    "begins with the data set's name. A benchmark may hold fewer of them than the paper's: see scored.",
    "Floor: plain or balanced 2D error of the face model's own 68 landmarks against the true ones; differences below "
    "it mean nothing.",
)


def columns(digits: int) -> tuple[Column, ...]:
    """The columns of every paper's table."""
    number = {"digits": digits}
    return (
        Column("method"),
        Column("data set"),
        Column("protocol"),
        Column("statistic"),
        Column("paper", **number),
        Column("stands in"),
        Column("certainty"),
        Column("model"),
        Column("benchmark"),
        Column("scored"),
        Column("failed"),
        Column("ours", **number),
        Column("low", **number),
        Column("high", **number),
        Column("with failures", **number),
        Column("difference", sign=True, **number),
        Column("seeds"),
        Column("spread", **number),
        Column("mean face", **number),
        Column("floor", **number),
    )


def beside(paper: Paper, results: Results, notes: tuple[str, ...] = ()) -> Table:
    """The table of a paper.

    Under each heading stand the paper's methods in its order, each with the models of the run that re-implement it on
    every benchmark under every protocol of the heading; then the run's other models and the mean face. A benchmark with
    another paper's pictures is left out; one with pictures of no paper stands under the first heading of its protocols
    and statistic. Notes say why figures are absent.
    """
    ours = _Ours(results)
    rows = [
        row
        for part in paper.parts
        for number in range(len(part.headings))
        for row in _rows(part, number, ours)
    ]
    shown = columns(paper.digits)
    return Table(
        paper.caption,
        shown,
        tuple(tuple(row.get(column.title) for column in shown) for row in rows),
        (*paper.notes, *NOTES, *notes, *ours.unscored(paper), *ours.absent()),
    )


def _rows(part: Part, number: int, ours: _Ours) -> Iterator[dict[str, Cell]]:
    """The rows under one heading, by column."""
    heading = part.headings[number]
    benchmarks = ours.benchmarks(heading)
    others = list(ours.results.evaluations)
    for method in part.methods:
        if method.values[number] is None:
            continue
        value, certainty = method.printed(number)
        printed = {
            "method": method.name,
            "data set": heading.data_set,
            "protocol": heading.protocols[0] if heading.protocols else None,
            "statistic": heading.statistic,
            "paper": value,
            "stands in": method.stands_in or heading.stands_in or None,
            "certainty": certainty,
            "model": ", ".join(method.ours) or None,
        }
        others = [model for model in others if model not in method.ours]
        found = [row for model in method.ours for row in ours.rows(model, heading, benchmarks)]
        for row in found or [{}]:
            comparable = row.get("ours") is not None and value is not None
            own = comparable and heading.data_set and data_set_of(row["benchmark"]) == heading.data_set
            yield printed | row | {"difference": row["ours"] - value if own else None}
    for model in others:
        yield from ours.rows(model, heading, benchmarks)
    yield from ours.mean_faces(heading, benchmarks)


class _Ours:
    """The figures of a run as rows, and what is absent from them."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.protocols = {protocol.id: protocol for protocol in results.protocols}
        self.shown: set[tuple[tuple[str, ...], str]] = set()
        self.reasons: dict[tuple[str, str, str], dict[str, int | None]] = {}

    def benchmarks(self, heading: Heading) -> list[str]:
        """The benchmarks that stand under a heading; asked once for each, in the table's order."""
        key = (heading.protocols, heading.statistic)
        first = key not in self.shown
        self.shown.add(key)
        return [
            name
            for name in (self.results.benchmarks if heading.beside else ())
            if heading.data_set in (None, data_set_of(name)) or (first and data_set_of(name) is None)
        ]

    def rows(self, model: str, heading: Heading, benchmarks: Sequence[str]) -> Iterator[dict[str, Cell]]:
        """A row for each protocol and benchmark; none for a model that the run does not have."""
        blocks = self.results.evaluations.get(model, {"benchmarks": {}})["benchmarks"]
        for protocol in heading.protocols:
            for benchmark in benchmarks:
                if benchmark in blocks and protocol in blocks[benchmark]["protocols"]:
                    yield self._row(model, benchmark, protocol, heading)

    def mean_faces(self, heading: Heading, benchmarks: Sequence[str]) -> Iterator[dict[str, Cell]]:
        """The rows of the mean face as a system of its own."""
        for protocol in heading.protocols:
            for benchmark in benchmarks:
                if found := self.results.mean_face(benchmark, protocol):
                    yield self._cells(*found, MEAN_FACE, benchmark, protocol, heading)

    def _row(self, model: str, benchmark: str, protocol: str, heading: Heading) -> dict[str, Cell]:
        figures = self.results.evaluations[model]["benchmarks"][benchmark]["protocols"][protocol]
        for who, found in ((model, figures), ("the mean face", figures["mean_face"])):
            for reason, pictures in reasons(found, heading.statistic).items():
                self.reasons.setdefault((benchmark, protocol, reason), {})[who] = pictures
        cells = self._cells(model, figures, "model", benchmark, protocol, heading)
        return cells | {"mean face": statistic(figures["mean_face"], heading.statistic)}

    def _cells(
        self,
        model: str,
        figures: Mapping[str, Any],
        predictor: str,
        benchmark: str,
        protocol: str,
        heading: Heading,
    ) -> dict[str, Cell]:
        """The cells of a model or of its mean face."""
        block, name = self.results.evaluations[model]["benchmarks"][benchmark], heading.statistic
        low, high = interval(self.results, model, benchmark, self.protocols[protocol], name, predictor)
        return {
            "data set": heading.data_set,
            "protocol": protocol,
            "statistic": name,
            "model": model if predictor == "model" else MEAN_FACE,
            "benchmark": benchmark,
            "scored": figures["n"],
            "failed": failed(block, figures),
            "ours": statistic(figures, name),
            "low": low,
            "high": high,
            "with failures": with_failures(figures, name),
            "seeds": len(figures["seeds"]),
            "spread": spread(figures, name),
            "floor": floor(block, figures, name),
        }

    def unscored(self, paper: Paper) -> Iterator[str]:
        """Which protocols and data sets of the paper's headings this run does not have."""
        headings = [heading for heading in paper.headings if heading.beside]
        scored = {protocol for _, _, protocol, _ in self.results.blocks()}
        wanted = dict.fromkeys(protocol for heading in headings for protocol in heading.protocols)
        names = [protocol for protocol in wanted if protocol not in scored]
        if names:
            yield f"Not scored in this run: {', '.join(names)}. evaluation.protocols names what is."
        found = {data_set_of(benchmark) for benchmark in self.results.benchmarks} | {None}
        sets = [name for name in dict.fromkeys(h.data_set for h in headings) if name not in found]
        if sets:
            yield f"No benchmark of this run begins with {' or '.join(sets)}: no difference from those numbers."

    def absent(self) -> Iterator[str]:
        """Why figures are dashes, or made of fewer pictures."""
        for (benchmark, protocol, reason), who in self.reasons.items():
            names = [f"{name} ({n} pictures)" if n is not None else name for name, n in who.items()]
            yield f"{protocol} on {benchmark}, {', '.join(names)}: {reason}."
