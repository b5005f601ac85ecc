"""learning_curves: the histories of a model's trainings -> one figure, as SVG and PNG."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.io.files import write_bytes
from pipeline.records import FacemillError
from pipeline.tables.figures.learning_curves import learning_curves


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Draw the curves: `inputs` lists history (one a seed); `outputs` svg, png; `settings` seeds."""
    histories = {
        str(seed): read_history(path) for seed, path in zip(settings["seeds"], inputs["history"], strict=True)
    }
    drawn = learning_curves(wildcards["model"], histories)
    write_bytes(outputs["svg"], drawn.svg())
    write_bytes(outputs["png"], drawn.png())


def read_history(path: str | Path) -> list[dict[str, Any]]:
    """The records of a history.jsonl; FacemillError for a file that is none."""
    try:
        return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise FacemillError(
            f"{path}: expected a JSON record in each line, found another text: {error}"
        ) from error
