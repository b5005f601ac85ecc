"""A published checkpoint as a file of our weights with its card, as a training leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.datasets import licences
from pipeline.io.files import expand, sha256_of
from pipeline.io.sources import source
from pipeline.io.tensorflow import Checkpoint
from pipeline.io.weights import fill, read_state
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError
from pipeline.registry import MODELS, PUBLISHED
from pipeline.training.checkpoints import parameter_count, save_weights, write_card

COUNTS = "num_batches_tracked"
"""How often a batch norm was updated: not in every checkpoint, and no weight."""


def convert(model: str, weights: str, statistics: str | None, out: Path, command: str) -> dict[str, Any]:
    """Write ``out`` (.safetensors) and its card; returns the card.

    Args:
        model: the registered network that the weights are for.
        weights: path of the checkpoint; of a TensorFlow checkpoint its prefix or one of its files.
        statistics: path of the means and deviations of the 62 parameters, for the networks that answer with them.
        command: what was typed.

    Raises:
        FacemillError: a file is missing or damaged, or is no checkpoint of that network: names and shapes are compared
            with those of the public code.
    """
    path = expand(weights)
    found, files = _read(path)
    whitening = load_whitening(expand(statistics)) if statistics else None
    converted = PUBLISHED[model](found, path, whitening)
    network = MODELS[model](**converted.settings)
    own = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTS)}
    fill(network, {**own, **converted.tensors}, path)
    metadata = {"model": model, "settings": converted.settings, "published": converted.source}
    digest = save_weights(out, network.state_dict(), metadata)
    row = source(converted.source)
    card = {
        "model": model,
        "settings": converted.settings,
        "parameters": parameter_count(network),
        "published": row.what,
        "files": {file.name: sha256_of(file) for file in files},
        "licences": licences.joined({row.licence: {f"weights {row.id}"}}),
        "citation": row.citation,
        "sha256": digest,
        "command": command,
    }
    if statistics:
        card["files"][Path(statistics).name] = sha256_of(expand(statistics))
    write_card(card_of(out), **card)
    return card


def card_of(weights: Path) -> Path:
    """Where the card of a file of weights stands."""
    return (
        weights.with_name("card.json")
        if weights.name == "weights.safetensors"
        else weights.with_suffix(".json")
    )


def _read(path: Path) -> tuple[Mapping[str, Any], list[Path]]:
    """What a checkpoint holds, by name, and its files."""
    if Checkpoint.at(path):
        checkpoint = Checkpoint(path)
        return checkpoint, checkpoint.files
    if not path.is_file():
        raise FacemillError(
            f"no file {path}; expected a published checkpoint: a file that torch saved, or the prefix of a TensorFlow "
            "checkpoint, whose .index stands beside its .data"
        )
    return read_state(path), [path]
