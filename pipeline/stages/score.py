"""score: stored predictions and the truth of a benchmark -> one score per face and protocol; needs no GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config import TargetSettings
from pipeline.evaluation import predictions, protocols
from pipeline.evaluation.benchmark import AnnotatedTruth, benchmark_pictures
from pipeline.evaluation.chart import Chart, read_texels
from pipeline.evaluation.mean_face import mean_target
from pipeline.evaluation.score import score_benchmark, truth_floor, write_scores
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
    benchmark's), source, and the lists train (packs) and texels (a file, or none); `outputs` scores (tsv); `settings`
    face_model, target, reader, root, labels and protocols {id: content of its file}."""
    texels = read_texels(inputs["texels"][0]) if inputs["texels"] else None
    chart = Chart(load_face_model(**settings["face_model"]), texels)
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    mean = mean_target([Path(path) for path in inputs["train"]], target)
    pictures = benchmark_pictures(Path(inputs["source"]))
    reader = DATASETS[settings["reader"]]()
    chosen = [protocols.parse(name, content) for name, content in settings["protocols"].items()]
    truth = AnnotatedTruth(
        pictures,
        reader,
        expand(settings["root"]),
        chart,
        labelled=settings["labels"] == "tddfa",
        further=any(protocol.further for protocol in chosen),
    )
    with hdf5.open_checked(inputs["pack"], PACK) as pack:
        found = {
            "model": predictions.stored(Path(inputs["predictions"]), pack),
            "mean_face": predictions.constant(mean, pack),
        }
        scores = score_benchmark(
            {name: ((p.picture, p.shape(chart)) for p in each) for name, each in found.items()},
            truth.of_pack(pack),
            [picture.id for picture in pictures],
            chosen,
            truth.of,
            lambda one: truth_floor(one.shape.annotation, chart),
        )
    write_scores(Path(outputs["scores"]), scores)
