"""table_lift: the scores of several seeds of the direct and the lifted models -> their comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.io.files import write_text
from pipeline.tables.lift_seeds import lift_over_seeds
from pipeline.tables.results import Results, Run
from pipeline.tables.table import as_csv, as_latex, as_markdown


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write the table: `inputs` lists scores (one a run); `outputs` markdown, csv, latex; `settings` pairs of models,
    absent (pairs that are not compared, with what is lacking), benchmarks, runs [model, seed, benchmark] and protocols
    {id: content of its file}."""
    models = [model for pair in settings["pairs"] for model in pair]
    evaluations = {model: {"benchmarks": dict.fromkeys(settings["benchmarks"])} for model in models}
    runs = [Run(*names, path) for names, path in zip(settings["runs"], inputs["scores"], strict=True)]
    results = Results(evaluations, runs, settings["protocols"])
    table = lift_over_seeds(results, settings["pairs"], settings["absent"])
    write_text(outputs["markdown"], as_markdown(table))
    write_text(outputs["csv"], as_csv(table))
    write_text(outputs["latex"], as_latex(table))
