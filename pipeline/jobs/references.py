"""The jobs of systems that stand beside the models and were not trained here: predictions that somebody gives, and
3DDFA_V2's released network."""

from __future__ import annotations

from typing import Any

from pipeline import registry
from pipeline.config import Config, TargetSettings
from pipeline.jobs.data import detection_of, face_model, labelled, path_of, per_shard, reader
from pipeline.jobs.job import Parts
from pipeline.jobs.models import answers_of, benchmark_parts, seeds_of
from pipeline.records import FacemillError
from pipeline.settings import as_values

SEED = "0"
"""The seed in the paths of what was not trained here."""
TDDFA = "tddfa"
"""The id of the released network among the systems."""
TDDFA_TARGET = TargetSettings(kind="params", size=120)
"""What it predicts; `pipeline.evaluation.reference` stores it so."""
NONE_GIVEN = ("predictions", "weights", "source", "kept", "reaped")
"""Inputs of a system's JSON that predictions which were given have none of."""


def benchmarks_of_tddfa(config: Config) -> list[str]:
    """The benchmarks that the released network is judged on where the user has its weights: not those whose truth the
    labeller has made, since that is its own answer."""
    if config.evaluation.tddfa.weights is None:
        return []
    return [name for name in config.evaluation.benchmarks if not labelled(config, name)]


def is_tddfa(config: Config, model: str) -> bool:
    """Whether a system is the released network."""
    return model == TDDFA and bool(benchmarks_of_tddfa(config))


def references_of(config: Config) -> dict[str, list[str]]:
    """The systems beside the models by name, each with its benchmarks: the released network first."""
    own = {TDDFA: benchmarks_of_tddfa(config)} if is_tddfa(config, TDDFA) else {}
    return own | {name: list(files) for name, files in config.evaluation.given.items()}


def first_model(config: Config) -> str:
    """The model whose packs the released network sees and whose mean face stands beside all of these."""
    return next(iter(config.models))


def infer_tddfa(config: Config, benchmark: str) -> Parts:
    """The released network's predictions for the faces of a benchmark that the first model sees."""
    block = config.evaluation.tddfa
    if block.weights is None:
        raise FacemillError(
            "evaluation.tddfa.weights: expected a checkpoint of 3DDFA_V2, found none; type: python -m pipeline data "
            "fetch mb05, and set it to ${FACEMILL_DATA}/weights/mb05_120x120.pth"
        )
    if benchmark not in benchmarks_of_tddfa(config):
        known = " or ".join(benchmarks_of_tddfa(config)) or "of which the config has none"
        raise FacemillError(
            f"infer_tddfa: expected a benchmark with annotations of its own, {known}; found {benchmark}"
        )
    inputs, settings, _ = reader(config, benchmark)
    face_inputs, face, face_modules = face_model(config, benchmark)
    settings.pop("reader")
    inputs |= face_inputs | {
        "pack": benchmark_parts(config, first_model(config), benchmark)["pack"],
        "detections": per_shard(config, "detect", "detections", dataset=benchmark),
        "weights": [path for path in (block.weights, block.statistics) if path],
    }
    whole = detection_of(config, benchmark).detector == "whole"
    return (
        inputs,
        settings | face | {"whole": whole, "tddfa": as_values(block)},
        (*tddfa_modules(), *face_modules),
    )


def tddfa_modules() -> tuple[str, ...]:
    """The modules behind the released network's stored predictions."""
    kind = TDDFA_TARGET.kind
    return registry.OUTPUTS.module(kind), registry.TARGETS.module(kind)


def answers_of_all(config: Config) -> tuple[str, ...]:
    """The modules behind all predictions that are stored: of the models, and of the released network."""
    found = answers_of(config, config.models)
    more = tddfa_modules() if is_tddfa(config, TDDFA) else ()
    return tuple(dict.fromkeys([*found, *more]))


def predictions_of_tddfa(config: Config, benchmark: str) -> dict[str, str]:
    """Its predictions on a benchmark, and the pack that they were made from."""
    return {
        "predictions": path_of(config, "infer_tddfa", "predictions", benchmark=benchmark),
        "pack": benchmark_parts(config, first_model(config), benchmark)["pack"],
    }


def score_reference(config: Config, model: str, seed: str, benchmark: str, truth: Parts) -> Parts:
    """The scores of a system beside the models, with the mean face of the first model; `truth`: what every job has that
    scores on this benchmark."""
    benchmarks = references_of(config)[model]
    if benchmark not in benchmarks or seed != SEED:
        where = f"evaluation.{TDDFA}" if is_tddfa(config, model) else f"evaluation.given.{model}"
        raise FacemillError(
            f"{where}: expected a benchmark of {', '.join(benchmarks)} with seed {SEED}, found {benchmark} with seed "
            f"{seed}"
        )
    inputs, settings, modules = truth
    first = first_model(config)
    at = {"model": first, "seed": seeds_of(config, first)[0], "benchmark": benchmark}
    inputs["source"] = path_of(config, "source", "source", dataset=benchmark)
    inputs["beside"] = path_of(config, "score", "scores", **at)
    if is_tddfa(config, model):
        inputs |= predictions_of_tddfa(config, benchmark)
        return inputs, settings | {"target": as_values(TDDFA_TARGET)}, (*tddfa_modules(), *modules)
    inputs["given"] = [config.evaluation.given[model][benchmark]]
    return inputs, settings, (*modules, "pipeline.evaluation.given")


def evaluate_reference(config: Config, model: str, protocols: dict[str, Any]) -> Parts:
    """The JSON of a system beside the models. Predictions that were given have no weights, crops and ledger."""
    benchmarks = references_of(config)[model]
    at = {"model": model, "seed": SEED}
    inputs: dict[str, Any] = {name: [] for name in NONE_GIVEN}
    inputs["scores"] = [path_of(config, "score", "scores", benchmark=name, **at) for name in benchmarks]
    settings = {
        "model": "given",
        "frame": None,
        "target": None,
        "seeds": [int(SEED)],
        "benchmarks": benchmarks,
        "crops": dict.fromkeys(benchmarks),
        "datasets": [],
        "protocols": protocols,
    }
    if not is_tddfa(config, model):
        return inputs, settings, ()
    parts = [benchmark_parts(config, first_model(config), name) for name in benchmarks]
    inputs |= {key: [part[key] for part in parts] for key in ("source", "kept", "reaped")}
    inputs["predictions"] = [predictions_of_tddfa(config, name)["predictions"] for name in benchmarks]
    inputs["weights"] = [config.evaluation.tddfa.weights]
    settings |= {
        "model": TDDFA,
        "frame": "roi120",
        "named": inputs["weights"],
        "crops": {
            name: {"detector": detection_of(config, name).detector, "frame": "roi120"} for name in benchmarks
        },
        "datasets": benchmarks,
    }
    return inputs, settings, ()
