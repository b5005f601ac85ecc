"""Options that verbs share."""

from __future__ import annotations

import argparse
import shlex

from pipeline import settings
from pipeline.config import Config


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """``--configfile`` and ``--set``, as every verb that reads the configuration has them."""
    parser.add_argument(
        "--configfile",
        action="append",
        default=[],
        metavar="FILE",
        help="overlay on config.yaml, as workflow/presets/longer.yaml; may be given again",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="KEY=VALUE",
        help="one value, as training.lr=1e-3; may be given again",
    )


def as_typed(options: argparse.Namespace) -> str:
    """These options as a person types them behind a verb; empty without any."""
    given = [f"--configfile {shlex.quote(path)}" for path in options.configfile]
    given += [f"--set {shlex.quote(text)}" for text in options.assignments]
    return "".join(f" {option}" for option in given)


def load_config(options: argparse.Namespace) -> Config:
    """The configuration that the options describe, checked."""
    return settings.load(options.configfile, options.assignments)
