"""score: stored predictions and the truth of a benchmark -> one score per face and protocol; needs no GPU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.config import TargetSettings
from pipeline.evaluation import predictions, protocols
from pipeline.evaluation.benchmark import benchmark_pictures, true_angles
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.mean_face import mean_target
from pipeline.evaluation.score import score_benchmark, write_scores
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.morphable import load_face_model
from pipeline.records import PACK
from pipeline.registry import DATASETS, TARGETS


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Score one model with one seed, and the mean face beside it, on one benchmark: `inputs` predictions, pack (the
    benchmark's), source, and the list train (packs); `outputs` scores (tsv); `settings` face_model, target, reader,
    root and protocols {id: content of its file}."""
    model = load_face_model(**settings["face_model"])
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    mean = mean_target([Path(path) for path in inputs["train"]], target)
    with hdf5.open_checked(inputs["pack"], PACK) as pack:
        scores = score_benchmark(
            {
                "model": predictions.stored(Path(inputs["predictions"]), pack),
                "mean_face": predictions.constant(mean, pack),
            },
            pack,
            Chart(model),
            benchmark_pictures(Path(inputs["source"])),
            [protocols.parse(name, content) for name, content in settings["protocols"].items()],
            partial(true_angles, reader=DATASETS[settings["reader"]](), root=expand(settings["root"])),
        )
    write_scores(Path(outputs["scores"]), scores)
