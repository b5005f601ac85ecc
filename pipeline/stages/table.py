"""table: the JSON and the scores of all models -> one table, as Markdown, CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.io.files import write_text
from pipeline.registry import TABLES
from pipeline.tables.results import results_of
from pipeline.tables.table import as_csv, as_latex, as_markdown


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write one table: `inputs` lists evaluations (one a model), scores, predictions, packs (one a run); `outputs`
    markdown, csv, latex; `settings` models, runs [model, seed, benchmark] and protocols {id: content of its file}."""
    table = TABLES[wildcards["table"]](results_of(inputs, settings))
    write_text(outputs["markdown"], as_markdown(table))
    write_text(outputs["csv"], as_csv(table))
    write_text(outputs["latex"], as_latex(table))
