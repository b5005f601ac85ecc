"""What tables and figures are made of: the JSON of every model, and the scores behind it, face by face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.evaluation import protocols
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import Score, read_scores
from pipeline.io.files import read_json

MEAN_FACE = "mean_face"


@dataclass(frozen=True)
class Run:
    """One trained model on one benchmark: its files. Several seeds of a model are several runs. Predictions that were
    given have scores alone, on the whole pictures of the benchmark."""

    model: str
    seed: str
    benchmark: str
    scores: str
    predictions: str | None = None
    pack: str | None = None


@dataclass(frozen=True, eq=False)
class Results:
    """The results of a whole run of the chain.

    evaluations: model -> content of results/eval/<model>.json, in the config's order. runs: every model, seed and
    benchmark. protocols: id -> content of its file, in the config's order.
    """

    evaluations: Mapping[str, Mapping[str, Any]]
    runs: Sequence[Run] = ()
    contents: Mapping[str, Any] = field(default_factory=dict)

    @property
    def protocols(self) -> list[Protocol]:
        """The protocols that were scored, in the config's order."""
        return protocols.ordered(self.contents)

    @property
    def benchmarks(self) -> list[str]:
        """Every benchmark, in the order of the first evaluation."""
        return list(dict.fromkeys(b for found in self.evaluations.values() for b in found["benchmarks"]))

    def of(self, benchmark: str, model: str | None = None) -> list[Run]:
        """The runs on one benchmark, of one model or of all."""
        return [run for run in self.runs if run.benchmark == benchmark and model in (None, run.model)]

    def scores(self, run: Run, predictor: str = "model") -> list[Score]:
        """The long-form scores of a run; predictor "mean_face" for those of the mean face beside it."""
        return _read(run.scores).get(predictor, [])

    def mean_face(self, benchmark: str, protocol: str) -> tuple[str, Mapping[str, Any]] | None:
        """The mean face as a system of its own: a model, and the figures of its mean face in a model's form, but for
        interval, spread and mean_face. Mean faces differ with what models learn: the first model's that has scores
        stands for all; None where there is none."""
        for model, evaluation in self.evaluations.items():
            figures = evaluation["benchmarks"].get(benchmark, {"protocols": {}})["protocols"].get(protocol)
            if figures is not None and figures["mean_face"]["n"]:
                found = figures["mean_face"]
                return model, {**found, "seeds": {MEAN_FACE: found}}
        return None

    def blocks(self) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
        """Model, benchmark, protocol and figures of everything that was scored."""
        for model, evaluation in self.evaluations.items():
            for benchmark, block in evaluation["benchmarks"].items():
                for protocol, figures in block["protocols"].items():
                    yield model, benchmark, protocol, figures


def results_of(inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> Results:
    """The results that a job of a table or figure is given: `inputs` lists evaluations (one a model), scores (one a run
    and one a given run), predictions and packs (one a run); `settings` models, runs and given [model, seed, benchmark],
    protocols."""
    evaluations = dict(zip(settings["models"], map(read_json, inputs["evaluations"]), strict=True))
    count = len(settings["runs"])
    files = zip(inputs["scores"][:count], inputs["predictions"], inputs["packs"], strict=True)
    runs = [Run(*names, *paths) for names, paths in zip(settings["runs"], files, strict=True)]
    given = zip(settings["given"], inputs["scores"][count:], strict=True)
    return Results(evaluations, [*runs, *(Run(*names, path) for names, path in given)], settings["protocols"])


@lru_cache(maxsize=64)
def _read(path: str) -> Mapping[str, list[Score]]:
    return read_scores(Path(path))
