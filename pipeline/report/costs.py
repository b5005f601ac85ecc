"""What each rule cost, from the records that Snakemake's ``benchmark`` leaves: one file a job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.io.tables import read_tsv

GB_PER_MIB = 1024**2 / 1e9
COLUMNS = ("s", "max_rss", "cpu_time")


@dataclass(frozen=True)
class Cost:
    """The cost of all jobs of one rule, or of all rules.

    seconds, cpu_seconds: sums over its jobs. peak_gb: resident memory of its largest job, 1e9 bytes; None where all
    jobs were too short to be measured.
    """

    rule: str
    jobs: int
    seconds: float
    cpu_seconds: float
    peak_gb: float | None


def read_costs(folder: str | Path) -> list[Cost]:
    """The cost of each rule, the dearest first; empty where nothing was recorded.

    Args:
        folder: holds <rule>.tsv, or <rule>/**/*.tsv with a file a job.

    Raises:
        FacemillError: a file is no record of Snakemake's.
    """
    folder = Path(folder)
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        found[rule] += read_tsv(path, COLUMNS)
    return sorted(
        (_cost(rule, rows) for rule, rows in found.items()), key=lambda cost: (-cost.seconds, cost.rule)
    )


def total(costs: Iterable[Cost]) -> Cost:
    """All rules as one."""
    costs = list(costs)
    return Cost(
        "all",
        sum(cost.jobs for cost in costs),
        sum(cost.seconds for cost in costs),
        sum(cost.cpu_seconds for cost in costs),
        max((cost.peak_gb for cost in costs if cost.peak_gb is not None), default=None),
    )


def _cost(rule: str, rows: list[dict[str, str]]) -> Cost:
    peaks = [peak for row in rows if (peak := _number(row["max_rss"])) is not None]
    return Cost(
        rule,
        len(rows),
        sum(_number(row["s"]) or 0.0 for row in rows),
        sum(_number(row["cpu_time"]) or 0.0 for row in rows),
        max(peaks) * GB_PER_MIB if peaks else None,
    )


def _number(cell: str) -> float | None:
    """A cell of a record; None for "NA" and "-", which Snakemake writes of a job too short to be measured."""
    try:
        return float(cell)
    except ValueError:
        return None
