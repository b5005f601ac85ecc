"""The jobs that score and compare: from predictions to scores, JSON, tables, figures and the sanity card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline import registry
from pipeline.config import Config
from pipeline.jobs.data import dataset_of, detection_of, face_model, path_of, root_of, target_of
from pipeline.jobs.job import Parts
from pipeline.jobs.models import answers_of, benchmark_parts, model_of, packs_of, seeds_of
from pipeline.jobs.references import (
    SEED,
    TDDFA,
    answers_of_all,
    benchmarks_of_tddfa,
    evaluate_reference,
    is_tddfa,
    predictions_of_tddfa,
    references_of,
    score_reference,
)
from pipeline.records import FacemillError
from pipeline.settings import PROTOCOLS, as_values, protocol_names, protocols_of, read_yaml

LIFT_PAIRS = (("direct3d", "lift3d"), ("fan_depth", "fan_lift"))
"""Models that find landmarks in 3D at once, and models that find them in 2D and lift them: a student project's own, and
the modern pair."""
LIFT_PROTOCOLS = ("nme68_3d_zmean", "nme68_3d", "nme68_3d_similarity", "nme68_2d")
"""By which the two are compared; the first of them that is scored answers which is better."""
SAID = frozenset({"paper", "source", "uncertain", "crops", "default"})
"""Keys of a protocol file that change no figure: a better sentence makes nothing run again."""


def score(config: Config, model: str, seed: str, benchmark: str) -> Parts:
    """The scores of stored predictions, and of the mean face beside them."""
    inputs, settings, modules = _truth(config, benchmark)
    if model in references_of(config):
        return score_reference(config, model, seed, benchmark, (inputs, settings, modules))
    block = model_of(config, model)
    inputs |= benchmark_parts(config, model, benchmark)
    inputs["predictions"] = path_of(
        config, "infer", "predictions", model=model, seed=seed, benchmark=benchmark
    )
    inputs["train"] = packs_of(config, model, "train")
    target = target_of(config, block.target)
    settings["target"] = as_values(target)
    return inputs, settings, (*answers_of(config, [model]), *modules)


def _truth(config: Config, benchmark: str) -> Parts:
    """What a job needs that scores anything on a benchmark."""
    inputs, settings, face_modules = face_model(config, benchmark)
    dataset = dataset_of(config, benchmark)
    inputs["texels"] = [config.evaluation.texels] if config.evaluation.texels else []
    settings |= {
        "reader": dataset.reader,
        "root": root_of(config, benchmark),
        "labels": dataset.labels,
        "protocols": contents_of(protocols_of(config)),
    }
    return inputs, settings, (registry.DATASETS.module(dataset.reader), *face_modules)


def evaluate(config: Config, model: str) -> Parts:
    """The JSON of one model: every benchmark, protocol and seed."""
    if model in references_of(config):
        return evaluate_reference(config, model, contents_of(protocols_of(config)))
    block = model_of(config, model)
    seeds = seeds_of(config, model)
    benchmarks = config.evaluation.benchmarks
    datasets = [*block.train, *(b for b in benchmarks if b not in block.train)]
    at = {"frame": block.frame, "target": block.target}
    inputs: dict[str, Any] = {
        "scores": [
            path_of(config, "score", "scores", model=model, seed=seed, benchmark=benchmark)
            for benchmark in benchmarks
            for seed in seeds
        ],
        "predictions": [
            path_of(config, "infer", "predictions", model=model, seed=seeds[0], benchmark=benchmark)
            for benchmark in benchmarks
        ],
        "weights": [path_of(config, "train", "weights", model=model, seed=seed) for seed in seeds],
        "source": [path_of(config, "source", "source", dataset=d) for d in datasets],
        "kept": [path_of(config, "reap", "kept", dataset=d, **at) for d in datasets],
        "reaped": [path_of(config, "reap", "reaped", dataset=d, **at) for d in datasets],
    }
    settings = {
        "model": block.model,
        "frame": block.frame,
        "target": block.target,
        "seeds": seeds,
        "benchmarks": benchmarks,
        "crops": {
            name: {"detector": detection_of(config, name).detector, "frame": block.frame}
            for name in benchmarks
        },
        "datasets": datasets,
        "protocols": contents_of(protocols_of(config)),
    }
    return inputs, settings, ()


def sheet(config: Config, model: str, seed: str, benchmark: str) -> Parts:
    """The picture sheet of one model on one benchmark."""
    inputs, settings, face_modules = face_model(config, benchmark)
    block = model_of(config, model)
    target = target_of(config, block.target)
    at = {"model": model, "seed": seed, "benchmark": benchmark}
    inputs |= {
        "scores": path_of(config, "score", "scores", **at),
        "predictions": path_of(config, "infer", "predictions", **at),
        "pack": benchmark_parts(config, model, benchmark)["pack"],
    }
    settings |= {"target": as_values(target), "protocol": protocols_of(config)[0]}
    return inputs, settings, (*answers_of(config, [model]), *face_modules)


def scored(config: Config) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and settings of a job that looks at everything that was scored: `pipeline.tables.results.results_of`."""
    at = [
        {"model": model, "seed": str(seed), "benchmark": benchmark}
        for model in config.models
        for benchmark in config.evaluation.benchmarks
        for seed in seeds_of(config, model)
    ]
    predictions = [path_of(config, "infer", "predictions", **run) for run in at]
    packs = [benchmark_parts(config, run["model"], run["benchmark"])["pack"] for run in at]
    given = []
    for model, benchmarks in references_of(config).items():
        for benchmark in benchmarks:
            run = {"model": model, "seed": SEED, "benchmark": benchmark}
            if is_tddfa(config, model):
                stored = predictions_of_tddfa(config, benchmark)
                at.append(run)
                predictions.append(stored["predictions"])
                packs.append(stored["pack"])
            else:
                given.append(run)
    systems = [*config.models, *references_of(config)]
    inputs = {
        "evaluations": [path_of(config, "evaluate", "evaluation", model=model) for model in systems],
        "scores": [path_of(config, "score", "scores", **run) for run in [*at, *given]],
        "predictions": predictions,
        "packs": packs,
    }
    return inputs, {
        "models": systems,
        "runs": [list(run.values()) for run in at],
        "given": [list(run.values()) for run in given],
        "protocols": contents_of(protocols_of(config)),
    }


def table(config: Config, table: str) -> Parts:
    """One of the tables, from the JSON and the scores of all models."""
    inputs, settings = scored(config)
    return inputs, settings, (registry.TABLES.module(table),)


def table_lift(config: Config) -> Parts:
    """Direct against lifted landmarks, over seeds of their own whatever seeds the run has; FacemillError where the
    models of neither pair are all there, or no protocol measures landmarks."""
    lacking = {pair: [name for name in pair if name not in config.models] for pair in LIFT_PAIRS}
    pairs = [list(pair) for pair, names in lacking.items() if not names]
    if not pairs:
        wanted = " or ".join(" and ".join(pair) for pair in LIFT_PAIRS)
        without = ", ".join(name for names in lacking.values() for name in names)
        raise FacemillError(
            f"table_lift: expected the models {wanted} in the config, found none of {without}; add them to models, and "
            "to systems where it names some"
        )
    named = protocols_of(config)
    protocols = [name for name in LIFT_PROTOCOLS if name in named]
    if not protocols:
        raise FacemillError(
            f"table_lift: expected one of {', '.join(LIFT_PROTOCOLS)} in evaluation.protocols, found "
            f"{', '.join(named)}; add {LIFT_PROTOCOLS[0]}"
        )
    models = [model for pair in pairs for model in pair]
    runs = [
        [model, str(seed), benchmark]
        for model in models
        for benchmark in config.evaluation.benchmarks
        for seed in config.evaluation.lift_seeds
    ]
    runs += [[TDDFA, SEED, benchmark] for benchmark in benchmarks_of_tddfa(config)]
    scores = [path_of(config, "score", "scores", model=m, seed=s, benchmark=b) for m, s, b in runs]
    settings = {
        "pairs": pairs,
        "absent": [[*pair, ", ".join(names)] for pair, names in lacking.items() if names],
        "runs": runs,
        "benchmarks": config.evaluation.benchmarks,
        "protocols": contents_of(protocols),
    }
    return {"scores": scores}, settings, ()


def figure(config: Config, figure: str) -> Parts:
    """One of the figures, from the scores, predictions and packs of all models."""
    inputs, settings = scored(config)
    face_inputs, face, face_modules = face_model(config)
    modules = (registry.FIGURES.module(figure), *answers_of_all(config), *face_modules)
    return inputs | face_inputs, settings | face, modules


def check_protocols(config: Config) -> Parts:
    """The sanity card of every shipped protocol, with published predictions where the config names their folder."""
    inputs, settings, face_modules = face_model(config)
    settings["published"] = config.evaluation.published
    return inputs, settings | {"protocols": contents_of(protocol_names())}, face_modules


def contents_of(names: Iterable[str], *, said: bool = False) -> dict[str, Any]:
    """The content of protocol files by id, each with its place in this order, which JSON does not keep; without what is
    only said about them unless that is wanted."""
    found = {}
    for place, name in enumerate(names):
        content = read_yaml(PROTOCOLS / f"{name}.yaml")
        kept = {key: value for key, value in content.items() if said or key not in SAID}
        found[name] = {**kept, "place": place}
    return found
