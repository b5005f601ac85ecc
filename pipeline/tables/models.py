"""Every model on every benchmark under every protocol: the README's result table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.metrics.summary import YAW_BINS
from pipeline.registry import TABLES
from pipeline.tables.results import Results
from pipeline.tables.statistics import failed, floor, statistic
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
    "Mean face: the mean of the training targets predicted for every face; below a share of 1 a model has learned "
    "to look.",
    "Floor: 2D error of the face model's own 68 landmarks, with the modes that it has, against the true ones. It is a "
    "limit of the truth that models learn from and dense figures are measured with: differences below it mean nothing.",
)


@TABLES.register("models")
def models(results: Results) -> Table:
    """The table of all models: a row for each benchmark and protocol, a column for each yaw bin of any protocol."""
    blocks = list(results.blocks())
    bins = dict.fromkeys(YAW_BINS)
    bins |= dict.fromkeys(name for *_, figures in blocks for name in figures["bins"])
    columns = (*HEAD, *(Column(f"yaw {name}") for name in bins), *TAIL)
    rows = []
    for model, benchmark, protocol, figures in blocks:
        block = results.evaluations[model]["benchmarks"][benchmark]
        yaws = (statistic(figures, name) if name in figures["bins"] else None for name in bins)
        rows.append((model, benchmark, protocol, figures["unit"], *yaws, *_tail(block, figures)))
    reasons = {
        f"{protocol} on {benchmark}, {model}: {reason} ({n} pictures)."
        for model, benchmark, protocol, figures in blocks
        for reason, n in figures["lacking"].items()
    }
    return Table("Models on their benchmarks", columns, tuple(rows), (*NOTES, *sorted(reasons)))


def _tail(block: Mapping[str, Any], figures: Mapping[str, Any]) -> tuple[Cell, ...]:
    headline, mean = figures["headline"], figures["mean_face"]["headline"]
    shared = headline is not None and mean and figures["better"] == "lower"
    return (
        headline,
        *(figures["interval"] or (None, None)),
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
