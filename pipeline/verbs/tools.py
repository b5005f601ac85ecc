"""Verbs that are no stage: what the configuration is, what changed, what to ship."""

from __future__ import annotations

import argparse
import json

from pipeline import settings
from pipeline.verbs import why


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add the tools."""
    why.add_verbs(verbs)
    schema = verbs.add_parser("schema", help="print the JSON schema of the configuration")
    schema.set_defaults(run=print_schema)


def print_schema(options: argparse.Namespace) -> int:
    """Print the schema, as workflow/schemas/config.schema.json holds it."""
    print(json.dumps(settings.schema(), indent=2))
    return 0
