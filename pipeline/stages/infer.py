"""infer: trained weights and a benchmark's pack -> predictions, stored once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.config import TargetSettings
from pipeline.evaluation.infer import infer
from pipeline.registry import MODELS, TARGETS
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
    network (its keywords), target."""
    torch.set_num_threads(1)
    network = MODELS[settings["model"]](**settings["network"])
    load_weights(inputs["weights"], network)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    unit = float(target.attributes["normaliser"])
    infer(network, Path(inputs["pack"]), Path(outputs["predictions"]), target.side, unit, attributes)
