"""check_protocols: every protocol and its measures -> the sanity card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.sanity.card import as_values, card
from pipeline.io.files import expand, write_json
from pipeline.morphable import load_face_model


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write the card: `inputs` face_model; `outputs` sanity (json); `settings` face_model, published (the folder of the
    data package, or null) and protocols {id: content of its file}, of all that are shipped."""
    folder = settings["published"]
    data = None if folder is None else expand(folder)
    rows = card(Chart(load_face_model(**settings["face_model"])), settings["protocols"], data)
    write_json(outputs["sanity"], as_values(rows))
