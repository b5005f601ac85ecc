"""train_shipped: train one of the networks that the package ships, on synthetic pictures of its own.

Nothing in the chain depends on it: `python -m pipeline ship` copies what it made into the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from pipeline.config import TrainingSettings
from pipeline.datasets import licences
from pipeline.io.files import expand, write_json
from pipeline.io.tables import read_tsv
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import SOURCE_COLUMNS
from pipeline.registry import DATASETS, PICTURE_TASKS
from pipeline.training.checkpoints import parameter_count
from pipeline.training.job import recorded, run_training
from pipeline.training.labelled import Labelled, labelled_pictures


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Train: `inputs` source (one table a data set); `outputs` weights, history, card; `settings` task,
    task_settings, training, seed, state, and sets, for each data set its name, reader, root, face_model and dataset
    (its block of the config)."""
    training = TrainingSettings.model_validate(settings["training"])
    sets = [
        _Set(entry, read_tsv(source, SOURCE_COLUMNS))
        for entry, source in zip(settings["sets"], inputs["source"], strict=True)
    ]
    pictures = chain.from_iterable(one.pictures() for one in sets)
    task = PICTURE_TASKS[settings["task"]](pictures, training, settings["seed"], **settings["task_settings"])
    network = task.network()
    trained = run_training(
        network,
        task,
        training,
        settings["seed"],
        settings=settings,
        outputs=outputs,
        attributes=attributes,
        data=[row["sha256"] for one in sets for row in one.rows],
    )
    card = {
        **task.card(mean_shape([one.model for one in sets])),
        "parameters": parameter_count(network),
        "licences": licences.joined(
            licences.of_pictures(inputs["source"]),
            licences.of_face_models((one.model.name, one.model.licence, one.entry["name"]) for one in sets),
        ),
        "trained_on": {"sets": [one.described() for one in sets], "samples": task.samples},
        "training": recorded(settings["training"]),
        "seed": settings["seed"],
        "validation": trained.selected,
        "ended": trained.ended,
        "sha256_fp32": trained.sha256,
        "code_digest": attributes["code_digest"],
        "command": attributes["command"],
    }
    write_json(outputs["card"], card)


class _Set:
    """One data set to learn from: its pictures' rows and its face model."""

    def __init__(self, entry: Mapping[str, Any], rows: list[dict[str, str]]) -> None:
        self.entry, self.rows = entry, rows
        self.model = load_face_model(**entry["face_model"])

    def pictures(self) -> Iterator[Labelled]:
        """Its pictures, their ids behind the name of the set."""
        reader = DATASETS[self.entry["reader"]]()
        for picture in labelled_pictures(self.rows, expand(self.entry["root"]), reader, self.model):
            yield replace(picture, id=f"{self.entry['name']}/{picture.id}")

    def described(self) -> dict[str, Any]:
        """What the card says of it."""
        return {
            "name": self.entry["name"],
            "dataset": self.entry["dataset"],
            "face_model": self.model.name,
            "pictures": len(self.rows),
        }


def mean_shape(models: Sequence[MorphableModel]) -> np.ndarray:
    """(68, 3) the landmarks of the models' mean faces, each centred and in units of its spread, and their mean."""
    shapes = [model.landmarks() for model in models]
    centred = [shape - shape.mean(axis=0) for shape in shapes]
    return np.mean([shape / shape.std() for shape in centred], axis=0)
