"""Verbs that are no stage: what the configuration is, what changed, what to ship."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pipeline import layout, settings
from pipeline.records import FacemillError
from pipeline.verbs import (
    check_protocols,
    convert,
    data,
    evaluate,
    export,
    face_model,
    picture,
    protocols,
    score,
    volume,
    why,
)
from pipeline.verbs.options import add_config_options, load_config


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add the tools."""
    score.add_verbs(verbs)
    check_protocols.add_verbs(verbs)
    protocols.add_verbs(verbs)
    evaluate.add_verbs(verbs)
    why.add_verbs(verbs)
    picture.add_verbs(verbs)
    volume.add_verbs(verbs)
    face_model.add_verbs(verbs)
    data.add_verbs(verbs)
    export.add_verbs(verbs)
    convert.add_verbs(verbs)
    ship = verbs.add_parser("ship", help="copy trained networks into the package, with their cards")
    ship.add_argument("names", nargs="*", help="as fan or detector; none: all that the config trains")
    add_config_options(ship)
    ship.set_defaults(run=run_ship)
    schema = verbs.add_parser("schema", help="print the JSON schema of the configuration")
    schema.set_defaults(run=print_schema)


def run_ship(options: argparse.Namespace) -> int:
    """Copy what results/shipped holds to pipeline/detect/weights."""
    from pipeline.stages.ship import ship

    config = load_config(options)
    names = options.names or sorted(config.shipped)
    if not names:
        raise FacemillError(
            "the config trains no shipped network; type: python -m pipeline ship --configfile "
            "workflow/presets/shipped.yaml"
        )
    folders = {
        name: Path(layout.outputs(config.results, "train_shipped", shipped=name)["weights"]).parent
        for name in names
    }
    for name, card in ship(folders, config.seed).items():
        print(f"{name}: {card['parameters']} parameters, {card['bytes']} bytes, sha256 {card['sha256'][:10]}")
    return 0


def print_schema(options: argparse.Namespace) -> int:
    """Print the schema, as workflow/schemas/config.schema.json holds it."""
    print(json.dumps(settings.schema(), indent=2))
    return 0
