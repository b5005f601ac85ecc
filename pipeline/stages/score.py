"""score: stored predictions and the truth of a benchmark -> one score per face and protocol; needs no GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import TargetSettings
from pipeline.evaluation import protocols
from pipeline.evaluation.benchmark import AnnotatedTruth, benchmark_pictures
from pipeline.evaluation.chart import Chart, read_texels
from pipeline.evaluation.given import read_shapes
from pipeline.evaluation.predictions import Answers
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import (
    Score,
    read_scores,
    score_benchmark,
    score_given,
    truth_floor,
    write_scores,
)
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.morphable import load_face_model
from pipeline.records import PACK, FacemillError
from pipeline.registry import DATASETS


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Score one system with one seed, and the mean face beside it, on one benchmark.

    A model of the chain: `inputs` predictions, pack (the benchmark's), and the list train (packs, whose mean is the
    mean face). A system that was not trained here: beside (scores of a model, whose mean face is taken over) instead
    of train; where its predictions were given, the list given (their file or folder) instead of predictions and pack.
    Of all: `inputs` source and the list texels (a file, or none); `outputs` scores (tsv); `settings` face_model,
    reader, root, labels, protocols {id: content of its file}, and target of stored predictions.
    """
    texels = read_texels(inputs["texels"][0]) if inputs["texels"] else None
    chart = Chart(load_face_model(**settings["face_model"]), texels)
    chosen = protocols.ordered(settings["protocols"])
    pictures = benchmark_pictures(Path(inputs["source"]))
    truth = AnnotatedTruth(
        pictures,
        DATASETS[settings["reader"]](),
        expand(settings["root"]),
        chart,
        labelled=settings["labels"] == "tddfa",
        further=any(protocol.further for protocol in chosen),
    )
    task = _Task(truth, [picture.id for picture in pictures], chosen, chart)
    of = _given if "given" in inputs else _predicted
    scores = of(inputs, settings, task)
    if "beside" in inputs:
        scores["mean_face"] = read_scores(Path(inputs["beside"]))["mean_face"]
    write_scores(Path(outputs["scores"]), scores)


@dataclass(frozen=True, eq=False)
class _Task:
    """What every system is scored by on one benchmark: its truth, the ids of its pictures, protocols and chart."""

    truth: AnnotatedTruth
    names: Sequence[str]
    protocols: Sequence[Protocol]
    chart: Chart


def _predicted(inputs: Mapping[str, Any], settings: Mapping[str, Any], task: _Task) -> dict[str, list[Score]]:
    """The scores of stored predictions, and of the mean of what a model has learnt from."""
    answers = Answers(TargetSettings.model_validate(settings["target"]), task.chart)
    with hdf5.open_checked(inputs["pack"], PACK) as pack:
        found = {"model": answers.stored(inputs["predictions"], pack)}
        if "train" in inputs:
            mean = answers.output.mean([Path(path) for path in inputs["train"]])
            found["mean_face"] = answers.constant(*mean, pack)
        return score_benchmark(
            {name: ((p.picture, answers.shape(p)) for p in each) for name, each in found.items()},
            task.truth.of_pack(pack),
            task.names,
            task.protocols,
            task.truth.of,
            lambda one: truth_floor(one.shape.annotation, task.chart),
        )


def _given(inputs: Mapping[str, Any], settings: Mapping[str, Any], task: _Task) -> dict[str, list[Score]]:
    """The scores of predictions that were given; the log names those of other pictures."""
    (given,) = inputs["given"]
    if settings["labels"] == "tddfa":
        raise FacemillError(f"{given}: expected a benchmark with annotations, found one of the labeller's")
    shapes = read_shapes(Path(given), task.chart)
    scores, strangers = score_given(shapes, [task.truth.of(name) for name in task.names], task.protocols)
    if strangers:
        print(f"{given}: not scored, since the benchmark has no such picture: {', '.join(strangers)}")
    return {"model": scores}
