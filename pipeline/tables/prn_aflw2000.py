"""The figures of the PRN paper on AFLW2000-3D beside ours, with what is known of each printed number.

Paper: Feng et al., ECCV 2018, Table 1 and the legends of its cumulative error curves. The legends are plain means over
all 2,000 pictures, Table 1 is balanced over yaw; the two must not be mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.registry import TABLES
from pipeline.tables.table import Cell, Column, Table

REAL = "aflw2000"
UNVERIFIED = "from memory of the paper, unverified"
NOTES = "third-party notes of the paper"
ISSUE = "repository issues and notes"


@dataclass(frozen=True)
class Printed:
    """A number of the paper: our protocol and statistic for it, the number, where it stands, how sure it is."""

    protocol: str
    statistic: str
    value: float
    source: str
    certainty: str


PAPER = (
    Printed("nme68_2d", "0-30", 2.75, "Table 1", UNVERIFIED),
    Printed("nme68_2d", "30-60", 3.51, "Table 1", UNVERIFIED),
    Printed("nme68_2d", "60-90", 4.61, "Table 1", UNVERIFIED),
    Printed("nme68_2d", "balanced", 3.62, "Table 1", NOTES),
    Printed("nme68_2d", "plain", 3.2699, "curve of 68 points, 2D", NOTES),
    Printed("nme68_3d", "plain", 4.70, "curve of 68 points, 3D", NOTES),
    Printed("dense_2d", "plain", 3.1774, "curve of 45K points, 2D", NOTES),
    Printed("dense_3d", "plain", 4.40, "curve of 45K points, 3D", ISSUE),
    Printed("reconstruction", "plain", 3.9625, "curve of 3D reconstruction", NOTES),
)
COLUMNS = (
    Column("protocol"),
    Column("statistic"),
    Column("paper"),
    Column("stands in"),
    Column("certainty"),
    Column("model"),
    Column("benchmark"),
    Column("scored"),
    Column("ours"),
    Column("difference", sign=True),
    Column("mean face"),
    Column("floor"),
)


@TABLES.register("prn_aflw2000")
def prn_aflw2000(evaluations: Mapping[str, Mapping[str, Any]]) -> Table:
    """The table; ``evaluations`` is model id -> content of results/eval/<model>.json.

    A row for each number of the paper and each benchmark on which a model was scored under its protocol. There is a
    difference only on AFLW2000-3D itself, that is, on benchmarks whose id begins with aflw2000.
    """
    rows: list[tuple[Cell, ...]] = []
    for printed in PAPER:
        found = list(_ours(printed, evaluations))
        for model, benchmark, figures, floor in found or [(None, None, None, None)]:
            ours = _statistic(figures, printed.statistic)
            comparable = ours is not None and str(benchmark).startswith(REAL)
            rows.append(
                (
                    printed.protocol,
                    printed.statistic,
                    printed.value,
                    printed.source,
                    printed.certainty,
                    model,
                    benchmark,
                    None if figures is None else figures["n"],
                    ours,
                    ours - printed.value if comparable else None,
                    _statistic(None if figures is None else figures["mean_face"], printed.statistic),
                    None if floor is None else floor["plain"],
                )
            )
    notes = (
        "NME in per cent, lower is better. The paper's 2,000 pictures are not all in a benchmark that scores fewer.",
        "Floor: plain 2D error of the face model's own 68 landmarks against the true ones; a truth of 40 + 10 of BFM's "
        "199 + 29 modes cannot tell better figures apart.",
        "The paper does not say where depth has its origin. Neither rule gives its 3D numbers back from its own "
        "published weights (users report about 6): see nme68_3d_zmean and dense_3d_zmean for the other rule.",
        "The paper's reconstruction recipe is not published; ours stands in the protocol's file.",
    )
    return Table("PRN on AFLW2000-3D: the paper's numbers and ours", COLUMNS, tuple(rows), notes)


def _ours(printed: Printed, evaluations: Mapping[str, Mapping[str, Any]]):
    for model, evaluation in evaluations.items():
        for benchmark, block in evaluation["benchmarks"].items():
            if printed.protocol in block["protocols"]:
                yield model, benchmark, block["protocols"][printed.protocol], block["truth_floor"]


def _statistic(figures: Mapping[str, Any] | None, name: str) -> float | None:
    if figures is None:
        return None
    if name not in figures["bins"]:
        return figures[name]
    return None if figures["bins"][name] is None else figures["bins"][name]["mean"]
