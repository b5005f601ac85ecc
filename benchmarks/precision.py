"""What bf16 changes of each trained model's own figure: predictions in float32 and under autocast, scored alike.

    python -m benchmarks.precision [--configfile FILE]... [--set results=FOLDER]... [--model prn]... [--faces N]
        [--most 0.02]

Loads the weights of every model of the config that was trained (or of those named), with every seed, predicts each
benchmark's pack twice, and compares the balanced 68-point error and, of models that learn volumes, their overlap with
the true ones. Of these the points are judged where the network paints heat-maps: no mesh is registered here. The exit
code is 1 when a figure changes by more than ``--most`` of its value, or when there is nothing to judge.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from benchmarks.limits import OVERLAPS, PROTOCOL, Limit
from pipeline.config import Config, TargetSettings, TrainingSettings
from pipeline.evaluation import protocols
from pipeline.evaluation.benchmark import AnnotatedTruth, benchmark_pictures
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.infer import answered
from pipeline.evaluation.outputs.base import Answer
from pipeline.evaluation.outputs.volume import INSIDE
from pipeline.evaluation.predictions import Answers
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.report import figures
from pipeline.evaluation.score import Score, score_benchmark
from pipeline.evaluation.shapes import Shape
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.surface import enlarged
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.jobs import job, seeds_of
from pipeline.models.inputs import network_points
from pipeline.morphable import load_face_model
from pipeline.records import PACK, FacemillError
from pipeline.registry import DATASETS, MODELS
from pipeline.settings import training_of
from pipeline.targets.volume import WIDTH
from pipeline.training.checkpoints import load_weights
from pipeline.training.precision import Precision, choose
from pipeline.verbs.options import add_config_options, load_config

FORMATS = ("fp32", "bf16")
MOST = 0.02


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with its weights on one benchmark.

    answers: how its answers are read. pack: the benchmark's in its frame and target. score: settings of the job that
    scores it. source: the table of the benchmark's pictures.
    """

    name: str
    network: torch.nn.Module
    training: TrainingSettings
    answers: Answers
    pack: Path
    score: Mapping[str, Any]
    source: Path


def load(config: Config, model: str, seed: int, benchmark: str) -> Trained | None:
    """A trained model as its infer and score jobs find it; None where it has no weights."""
    at = {"model": model, "seed": seed, "benchmark": benchmark}
    infer = job(config, "infer", **at)
    weights, settings = Path(infer.inputs["weights"]), infer.settings
    if not weights.is_file():
        return None
    score = job(config, "score", **at)
    network = MODELS[settings["model"]](**settings["network"])
    load_weights(weights, network)
    return Trained(
        f"{model} (seed {seed}) on {benchmark}",
        network.eval(),
        training_of(config, config.models[model].training),
        Answers(
            TargetSettings.model_validate(settings["target"]),
            Chart(load_face_model(**settings["face_model"])),
        ),
        Path(infer.inputs["pack"]),
        score.settings,
        Path(score.inputs["source"]),
    )


def judge(trained: Trained, faces: int | None, most: float) -> Iterator[Limit]:
    """The change of each of a model's figures under bf16 as a share of it. faces: the first of the pack; None: all.

    A prediction that is not finite counts as the protocol's worst. `FacemillError` where there is no figure in float32.
    """
    with hdf5.open_checked(trained.pack, PACK) as pack:
        count = min(len(pack["face"]), faces or len(pack["face"]))
        chosen = [protocols.load(name) for name in _judged_by(trained, pack)]
        scores = {name: _scores(trained, pack, count, name, chosen) for name in FORMATS}
    for protocol in chosen:
        whole, short = (figures(scores[name], protocol)["headline_with_failures"] for name in FORMATS)
        if not whole or short is None:
            raise FacemillError(
                f"{trained.name}: expected a figure of {protocol.id} on the first {count} faces, found none, since a "
                "bin of yaws is empty or nothing was predicted; type a larger --faces"
            )
        what = f"{trained.name}, {protocol.id} {whole:.5g}, in bf16 {short:.5g}, change"
        yield Limit(what, abs(short - whole) / whole, most)


def _judged_by(trained: Trained, pack: h5py.File) -> list[str]:
    if trained.answers.target.kind != "volume":
        return [PROTOCOL]
    overlap = OVERLAPS[trained.answers.target.variant]
    return [overlap, PROTOCOL] if "landmarks" in next(answered(trained.network, pack)) else [overlap]


def _scores(
    trained: Trained, pack: h5py.File, count: int, number_format: str, chosen: Sequence[Protocol]
) -> list[Score]:
    """The scores of the first faces of an open pack, predicted in a number format."""
    settings = trained.training.model_copy(update={"precision": number_format})
    precision = choose(settings, trained.network)
    trained.network.to(precision.device)
    listed = benchmark_pictures(trained.source)
    truth = AnnotatedTruth(
        listed,
        DATASETS[trained.score["reader"]](),
        expand(trained.score["root"]),
        trained.answers.output.chart,
        labelled=trained.score["labels"] == "tddfa",
    )
    known = {picture.id for picture in listed}
    pictures = [name for name in dict.fromkeys(hdf5.texts(pack["picture"][:count])) if name in known]
    found = {"model": _shapes(trained, pack, count, precision)}
    truths = islice(truth.of_pack(pack), count)
    return score_benchmark(found, truths, pictures, chosen, truth.of, lambda one: None)["model"]


def _shapes(
    trained: Trained, pack: h5py.File, count: int, precision: Precision
) -> Iterator[tuple[str, Shape]]:
    """The picture and the predicted shape of each face."""
    output, size = trained.answers.output, trained.network.size
    store = _unregistered if trained.answers.target.kind == "volume" else output.store
    stored = (one for answer in _answers(trained.network, pack, precision) for one in store(answer, size))
    rows = zip(hdf5.texts(pack["picture"][:count]), pack["transform"][:count], strict=True)
    for (picture, transform), values in zip(rows, stored, strict=False):
        yield picture, output.shape(values, CropTransform.from_array(transform).resized(size))


def _answers(network: torch.nn.Module, pack: h5py.File, precision: Precision) -> Iterator[Answer]:
    """What the network answers, each batch computed under the autocast of training."""
    found = answered(network, pack)
    while True:
        with precision.autocast():
            answer = next(found, None)
        if answer is None:
            return
        yield answer


def _unregistered(answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
    """Volumes as they are stored, with the points of heat-maps where there are some, and without a mesh."""
    for row, logits in enumerate(answer["volume"]):
        points = np.zeros((68, 3), np.float32)
        if "landmarks" in answer:
            points[:, :2] = network_points(answer["landmarks"][row].float().cpu().numpy(), size, WIDTH)
        inside = enlarged(logits.float().sigmoid().cpu().numpy()) >= INSIDE
        yield {"volume": np.packbits(inside, axis=-1), "vertices": points[:0], "landmarks": points}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each figure; 1 when one changes too much or there is nothing to judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_options(parser)
    parser.add_argument("--model", action="append", default=[], help="may be given again; none: all")
    parser.add_argument("--faces", type=int, help="of each pack the first so many; none: all")
    parser.add_argument("--most", type=float, default=MOST, help="change of a figure as a share of it")
    options = parser.parse_args(arguments)
    if options.faces is not None and options.faces < 1:
        parser.error(f"--faces: expected 1 or more, found {options.faces}")
    torch.set_num_threads(1)
    found: list[Limit] = []
    absent: list[str] = []
    try:
        config = load_config(options)
        for model in options.model or config.models:
            for seed in seeds_of(config, model):
                for benchmark in config.evaluation.benchmarks:
                    trained = load(config, model, seed, benchmark)
                    if trained is None:
                        absent.append(f"{model} (seed {seed})")
                        break
                    for limit in judge(trained, options.faces, options.most):
                        print(limit, flush=True)
                        found.append(limit)
    except FacemillError as error:
        print(f"precision: {error}", file=sys.stderr)
        return 1
    if absent:
        print(f"not trained in {config.results}: {', '.join(absent)}; type: snakemake -j8 models")
    missed = sum(not limit.kept for limit in found)
    print(f"{len(found)} figures, {missed} change by more than {options.most:.2%}")
    return int(missed > 0 or not found or bool(options.model and absent))


if __name__ == "__main__":
    sys.exit(main())
