"""infer: trained weights and a benchmark's pack -> predictions, stored once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.config import TargetSettings
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.infer import infer
from pipeline.evaluation.predictions import Answers
from pipeline.morphable import load_face_model
from pipeline.registry import MODELS
from pipeline.training.checkpoints import load_weights


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Predict every face of one benchmark: `inputs` weights, pack; `outputs` predictions (h5); `settings` model,
    network (its keywords), target, face_model."""
    torch.set_num_threads(1)
    network = MODELS[settings["model"]](**settings["network"])
    load_weights(inputs["weights"], network)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    target = TargetSettings.model_validate(settings["target"])
    answers = Answers(target, Chart(load_face_model(**settings["face_model"])))
    infer(network, Path(inputs["pack"]), Path(outputs["predictions"]), answers, attributes)
