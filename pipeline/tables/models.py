"""Every model on every benchmark under every protocol: the README's result table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.metrics.summary import YAW_BINS
from pipeline.registry import TABLES
from pipeline.tables.table import Column, Table

COLUMNS = (
    Column("model"),
    Column("benchmark"),
    Column("protocol"),
    Column("unit"),
    *(Column(name) for name in YAW_BINS),
    Column("balanced"),
    Column("with failures"),
    Column("mean face"),
    Column("share of it", digits=3),
    Column("floor"),
    Column("plain"),
    Column("scored"),
    Column("failed"),
    Column("seeds"),
)


@TABLES.register("models")
def models(evaluations: Mapping[str, Mapping[str, Any]]) -> Table:
    """The table of all models; ``evaluations`` is model id -> content of results/eval/<model>.json."""
    rows = []
    for model, evaluation in evaluations.items():
        for benchmark, block in evaluation["benchmarks"].items():
            for protocol, figures in block["protocols"].items():
                balanced, mean = figures["balanced"], figures["mean_face"]["balanced"]
                rows.append(
                    (
                        model,
                        benchmark,
                        protocol,
                        figures["unit"],
                        *(_mean(figures["bins"][name]) for name in YAW_BINS),
                        balanced,
                        figures["balanced_with_failures"],
                        mean,
                        balanced / mean if balanced is not None and mean else None,
                        _floor(block, figures["unit"]),
                        figures["plain"],
                        figures["n"],
                        block["failed"],
                        len(figures["seeds"]),
                    )
                )
    notes = (
        "Lower is better. Bins are of the true yaw in degrees, bounds in the lower bin; balanced is the mean of the "
        "three bins, plain the mean over pictures. With failures: pictures without a usable prediction count with the "
        "protocol's worst score.",
        "Mean face: the mean of the training targets predicted for every face; below a share of 1 a model has learned "
        "to look.",
        "Floor: balanced 2D error of the face model's own 68 landmarks, with the modes that it has, against the true "
        "ones. It is a limit of the truth that models learn from and dense figures are measured with: differences "
        "below it mean nothing.",
    )
    return Table("Models on their benchmarks", COLUMNS, tuple(rows), notes)


def _floor(block: Mapping[str, Any], unit: str) -> float | None:
    return block["truth_floor"]["balanced"] if unit == "%" and block["truth_floor"] else None


def _mean(entry: Mapping[str, Any] | None) -> float | None:
    return None if entry is None else entry["mean"]
