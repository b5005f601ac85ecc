"""figure: the scores, predictions and packs of all models -> one figure, as SVG and PNG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.chart import Chart
from pipeline.io.files import write_bytes
from pipeline.morphable import load_face_model
from pipeline.registry import FIGURES
from pipeline.tables.results import results_of


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Draw one figure: `inputs` as of a table; `outputs` svg, png; `settings` as of a table, and face_model.

    A figure is a function of the results and the face model's chart that gives an object with svg() and png() bytes;
    the same results give the same bytes.
    """
    chart = Chart(load_face_model(**settings["face_model"]))
    drawn = FIGURES[wildcards["figure"]](results_of(inputs, settings), chart)
    write_bytes(outputs["svg"], drawn.svg())
    write_bytes(outputs["png"], drawn.png())
