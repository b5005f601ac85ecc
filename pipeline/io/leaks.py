"""What the table of a training set's leaks means for its ledger: who is a copy, and who belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.io.tables import read_tsv
from pipeline.records import LEAK_COLUMNS, Reason, StatusRow

Row = Mapping[str, str]


def read_leaks(paths: Iterable[str | Path]) -> list[dict[str, str]]:
    """The rows of a data set's table of leaks; none for a benchmark, which has no table."""
    return [row for path in paths for row in read_tsv(path, LEAK_COLUMNS)]


def copies(rows: Iterable[Row], dataset: str) -> dict[str, Row]:
    """Picture -> the first of its rows that names a benchmark's picture."""
    found: dict[str, Row] = {}
    for row in rows:
        if row["dataset"] != dataset:
            found.setdefault(row["picture"], row)
    return found


def reaping(face: str, row: Row) -> StatusRow:
    """The row that reaps a face of a benchmark's copy: the bits that differ, and whose copy it is by which rule."""
    words = [f"{row['dataset']} {row['other']}, by {row['rule']}"]
    words += [row["mirrored"]] if row["mirrored"] else []
    words += [f"correlation {row['correlation']}"] if row["correlation"] else []
    value = float(row["bits"]) if row["bits"] else None
    return StatusRow(face, row["picture"], "leaks", Reason.BENCHMARK_COPY, value, ", ".join(words))


def groups(source: Iterable[Row], rows: Iterable[Row], dataset: str) -> dict[str, str]:
    """Picture -> group, the source's own but where pictures of several groups are near copies of one another: these
    have the first of their groups' names."""
    own = {row["id"]: row["group"] for row in source}
    parent = {name: name for name in own.values()}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for row in rows:
        if row["dataset"] == dataset:
            first, second = sorted((root(own[row["picture"]]), root(own[row["other"]])))
            parent[second] = first
    return {picture: root(name) for picture, name in own.items()}
