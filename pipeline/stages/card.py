"""card: a model's trainings and its evaluation -> results/cards/<model>.md and .json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.io.files import read_json, write_json, write_text
from pipeline.report.card import model_card
from pipeline.report.card_page import as_markdown


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write the card: `inputs` cards (one a seed), evaluation, curves (PNG); `outputs` markdown, card; `settings`
    seeds, about, sets. Training times are read from the run records beside the trainings' cards, as they are when the
    card is written."""
    paths = dict(zip(settings["seeds"], inputs["cards"], strict=True))
    card = model_card(
        wildcards["model"],
        settings["about"],
        {seed: read_json(path) for seed, path in paths.items()},
        read_json(inputs["evaluation"]),
        settings["sets"],
        {seed: _record(path) for seed, path in paths.items()},
        Path(os.path.relpath(inputs["curves"], Path(outputs["markdown"]).parent)).as_posix(),
    )
    write_text(outputs["markdown"], as_markdown(card))
    write_json(outputs["card"], card)


def _record(card: str) -> Mapping[str, Any] | None:
    path = Path(f"{card}.run.json")
    return read_json(path) if path.is_file() else None
