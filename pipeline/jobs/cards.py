"""The jobs that tell of a model's trainings: learning curves and its card."""

from __future__ import annotations

from pipeline import registry
from pipeline.config import Config
from pipeline.jobs.data import dataset_of, path_of
from pipeline.jobs.job import Parts
from pipeline.jobs.models import model_of, seeds_of


def learning_curves(config: Config, model: str) -> Parts:
    """The figure of all of a model's histories."""
    seeds = seeds_of(config, model)
    inputs = {"history": [path_of(config, "train", "history", model=model, seed=seed) for seed in seeds]}
    return inputs, {"seeds": seeds}, ()


def card(config: Config, model: str) -> Parts:
    """The card of a model: what its seeds' trainings left, and what the evaluator found."""
    block, seeds = model_of(config, model), seeds_of(config, model)
    inputs = {
        "cards": [path_of(config, "train", "card", model=model, seed=seed) for seed in seeds],
        "evaluation": path_of(config, "evaluate", "evaluation", model=model),
        "curves": path_of(config, "learning_curves", "png", model=model),
    }
    sets = [
        {
            "name": name,
            "reader": dataset.reader,
            "labels": dataset.labels,
            "made": dataset.synthetic is not None,
        }
        for name in dict.fromkeys([*block.train, *block.unlabelled])
        for dataset in [dataset_of(config, name)]
    ]
    return inputs, {"seeds": seeds, "about": registry.MODELS.said(block.model), "sets": sets}, ()
