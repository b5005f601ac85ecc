"""table: the JSON of all models -> one of the papers' tables, as Markdown, CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.io.files import read_json, write_text
from pipeline.registry import TABLES
from pipeline.tables.table import as_csv, as_latex, as_markdown


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write one table: `inputs` list evaluations, one a model; `outputs` markdown, csv, latex; `settings` models."""
    evaluations = dict(zip(settings["models"], map(read_json, inputs["evaluations"]), strict=True))
    table = TABLES[wildcards["table"]](evaluations)
    write_text(outputs["markdown"], as_markdown(table))
    write_text(outputs["csv"], as_csv(table))
    write_text(outputs["latex"], as_latex(table))
