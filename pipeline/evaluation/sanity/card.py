"""The whole card: every case, the protocols and the data it was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.sanity import analytic, perturbed, published
from pipeline.evaluation.sanity.row import Row


def card(chart: Chart, contents: Mapping[str, Any], data: Path | None) -> list[Row]:
    """Every case of some protocols.

    Args:
        chart: of the face model with whose faces the analytic and the perturbed cases are made.
        contents: protocol id -> content of its file.
        data: folder of published predictions; None: without them.
    """
    known = [protocols.parse(name, content) for name, content in contents.items()]
    found = [*analytic.rows(chart, known), *perturbed.rows(chart, known)]
    return found if data is None else [*found, *published.rows(data)]


def as_values(rows: Sequence[Row]) -> dict[str, Any]:
    """The card as JSON values: rows, how many of them are ok, and how many there are."""
    return {
        "ok": sum(row.ok for row in rows),
        "total": len(rows),
        "published": any(row.group == "published" for row in rows),
        "rows": [row.as_values() for row in rows],
    }
