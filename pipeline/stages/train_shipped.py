"""train_shipped: train one of the networks that the package ships, on synthetic pictures of its own.

Nothing in the chain depends on it: `python -m pipeline ship` copies what it made into the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config import TrainingSettings
from pipeline.io.files import expand, write_json
from pipeline.io.tables import read_tsv
from pipeline.morphable import load_face_model
from pipeline.records import SOURCE_COLUMNS
from pipeline.registry import DATASETS, PICTURE_TASKS
from pipeline.training.checkpoints import parameter_count
from pipeline.training.job import recorded, run_training
from pipeline.training.labelled import labelled_pictures

LICENCE = "MIT; trained on pictures that this package rendered from its own procedural face, on nothing else"


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Train: `inputs` source; `outputs` weights, history, card; `settings` task, task_settings, training, seed,
    reader, root, face_model, dataset, state."""
    face = settings["face_model"]
    rows = read_tsv(inputs["source"], SOURCE_COLUMNS)
    training = TrainingSettings.model_validate(settings["training"])
    model = load_face_model(face["id"], face["path"])
    pictures = labelled_pictures(rows, expand(settings["root"]), DATASETS[settings["reader"]](), model)
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
        data=[row["sha256"] for row in rows],
    )
    card = {
        **task.card(model),
        "parameters": parameter_count(network),
        "licence": LICENCE,
        "trained_on": {
            "dataset": settings["dataset"],
            "face_model": face["id"],
            "pictures": len(rows),
            "samples": task.samples,
        },
        "training": recorded(settings["training"]),
        "seed": settings["seed"],
        "validation": trained.selected,
        "sha256_fp32": trained.sha256,
        "code_digest": attributes["code_digest"],
        "command": attributes["command"],
    }
    write_json(outputs["card"], card)
