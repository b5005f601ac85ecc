"""``evaluate``: the JSON of a trained model, or the figures of any checkpoint under any protocol."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from pipeline.config import Config
from pipeline.jobs import job
from pipeline.records import FacemillError
from pipeline.registry import unknown
from pipeline.settings import PROTOCOLS, protocol_names, protocols_of, read_yaml
from pipeline.verbs import chain
from pipeline.verbs.options import load_config


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``evaluate``."""
    verb = verbs.add_parser("evaluate", help="gather a model's scores, or score a given checkpoint")
    chain.add_job_options(verb, "evaluate")
    verb.add_argument("--weights", metavar="FILE", help="a checkpoint, instead of the chain's own")
    verb.add_argument("--protocol", metavar="ID", action="append", help="with --weights; may be given again")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The stage of that name; with ``--weights`` print the figures of that file on every benchmark."""
    if not options.weights:
        if options.protocol:
            raise FacemillError(
                "--protocol goes with --weights FILE; the chain's protocols stand in the config"
            )
        return chain.run(options)
    if options.model is None:
        raise FacemillError("expected --model ID, the name of the checkpoint's model in the config")
    config = load_config(options)
    chosen = options.protocol or protocols_of(config)
    for name in chosen:
        if name not in protocol_names():
            raise FacemillError(unknown("protocol", name, protocol_names()))
    figures = {
        benchmark: checkpoint_figures(config, options, benchmark, chosen)
        for benchmark in config.evaluation.benchmarks
    }
    print(json.dumps(figures, indent=2))
    return 0


def checkpoint_figures(
    config: Config, options: argparse.Namespace, benchmark: str, chosen: list[str]
) -> dict:
    """The figures of the options' checkpoint on one benchmark by protocol; nothing of the results folder is touched."""
    from pipeline.evaluation import protocols
    from pipeline.evaluation.report import benchmark_block
    from pipeline.evaluation.score import read_scores

    contents = {name: read_yaml(PROTOCOLS / f"{name}.yaml") for name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        predictions = str(Path(folder) / "predictions.h5")
        scores = str(Path(folder) / "scores.tsv")
        infer = job(config, "infer", model=options.model, seed=0, benchmark=benchmark)
        chain.carry_out(
            replace(
                infer,
                inputs={**infer.inputs, "weights": options.weights},
                outputs={"predictions": predictions},
            ),
            options,
        )
        score = job(config, "score", model=options.model, seed=0, benchmark=benchmark)
        chain.carry_out(
            replace(
                score,
                inputs={**score.inputs, "predictions": predictions},
                outputs={"scores": scores},
                settings={**score.settings, "protocols": contents},
            ),
            options,
        )
        found = read_scores(Path(scores))
    parsed = [protocols.parse(name, content) for name, content in contents.items()]
    return benchmark_block({"0": found.get("model", [])}, found.get("mean_face", []), parsed)
