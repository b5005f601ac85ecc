"""Every model on every benchmark under every protocol: the README's result table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.metrics.summary import YAW_BINS
from pipeline.registry import TABLES
from pipeline.tables.results import MEAN_FACE, Results
from pipeline.tables.statistics import failed, floor, interval, statistic
from pipeline.tables.table import Cell, Column, Table

HEAD = (Column("model"), Column("benchmark"), Column("protocol"), Column("unit"))
TAIL = (
    Column("headline"),
    Column("low"),
    Column("high"),
    Column("with failures"),
    Column("mean face"),
    Column("share of it", digits=3),
    Column("floor"),
    Column("aggregate"),
    Column("balanced"),
    Column("plain"),
    Column("AUC", digits=3),
    Column("failure rate", digits=3),
    Column("scored"),
    Column("failed"),
    Column("left out"),
    Column("lacking"),
    Column("seeds"),
    Column("spread"),
)
NOTES = (
    "Yaw bins are of the true yaw in degrees, bounds in the lower bin; a dash where a protocol has other bins or none. "
    "Balanced is the mean of the bins' means, plain the mean over pictures; the headline is the one that the "
    "protocol's aggregate names, and floor, mean face and with failures are of the same kind. Low, high: its 95 % "
    "interval over pictures.",
    "Lower is better, but for figures of unit 1. With failures: pictures without a usable prediction count with the "
    "protocol's worst score. AUC and failure rate: of the error curve up to the protocol's limit. Left out: pictures "
    "that the protocol does not count; lacking: those without what it compares. Spread: largest less smallest headline "
    "of several seeds.",
    "Mean face: the mean of a model's training targets predicted for every face; below a share of 1 it has learned to "
    "look. Row mean_face: that of the first model whose own has a score. Row tddfa: 3DDFA_V2's released network, which "
    "learns nothing here.",
    "Floor: 2D error of the face model's own 68 landmarks, with the modes that it has, against the true ones. It is a "
    "limit of the truth that models learn from and dense figures are measured with: differences below it mean nothing.",
)


@TABLES.register("models")
def models(results: Results) -> Table:
    """The table of all models: a row for each benchmark and protocol, a column for each yaw bin of any protocol; the
    mean face's rows below the models'."""
    blocks = list(results.blocks())
    bins = dict.fromkeys(YAW_BINS)
    bins |= dict.fromkeys(name for *_, figures in blocks for name in figures["bins"])
    columns = (*HEAD, *(Column(f"yaw {name}") for name in bins), *TAIL)
    named = {protocol.id: protocol for protocol in results.protocols}
    rows = []
    for model, benchmark, protocol, figures in blocks:
        ends = interval(results, model, benchmark, named[protocol], figures["aggregate"])
        rows.append((model, *_row(results, model, benchmark, protocol, figures, bins, ends)))
    for benchmark in results.benchmarks:
        for protocol in results.protocols:
            if found := results.mean_face(benchmark, protocol.id):
                model, figures = found
                ends = interval(results, model, benchmark, protocol, figures["aggregate"], MEAN_FACE)
                rows.append((MEAN_FACE, *_row(results, model, benchmark, protocol.id, figures, bins, ends)))
    reasons = {
        f"{protocol} on {benchmark}, {model}: {reason} ({n} pictures)."
        for model, benchmark, protocol, figures in blocks
        for reason, n in figures["lacking"].items()
    }
    return Table("Models on their benchmarks", columns, tuple(rows), (*NOTES, *sorted(reasons)))


def _row(
    results: Results,
    model: str,
    benchmark: str,
    protocol: str,
    figures: Mapping[str, Any],
    bins: Iterable[str],
    ends: tuple[float | None, float | None],
) -> Iterator[Cell]:
    """The cells of a row but its first: of a model, or of its mean face, beside which there is no other."""
    block = results.evaluations[model]["benchmarks"][benchmark]
    yield from (benchmark, protocol, figures["unit"])
    yield from (statistic(figures, name) if name in figures["bins"] else None for name in bins)
    headline, mean = figures["headline"], figures.get("mean_face", {}).get("headline")
    shared = headline is not None and mean and figures["better"] == "lower"
    yield from (
        headline,
        *ends,
        figures["headline_with_failures"],
        mean,
        headline / mean if shared else None,
        floor(block, figures, figures["aggregate"]),
        figures["aggregate"],
        figures["balanced"],
        figures["plain"],
        figures["auc"],
        figures["failure_rate"],
        figures["n"],
        failed(block, figures),
        figures["left_out"],
        sum(figures["lacking"].values()),
        len(figures["seeds"]),
        figures["spread"] if len(figures["seeds"]) > 1 else None,
    )
