"""``check-protocols``: the sanity card, printed; what is off makes the exit code 1."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pipeline.jobs import job
from pipeline.records import FacemillError
from pipeline.verbs import chain
from pipeline.verbs.options import load_config
from pipeline.verbs.score import chart_of


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``check-protocols``, by which name rules call it too, with an underscore."""
    text = "hold every protocol against cases with known answers"
    verb = verbs.add_parser("check-protocols", aliases=["check_protocols"], help=text, description=text)
    chain.add_job_options(verb, "check_protocols")
    verb.add_argument(
        "--data",
        metavar="DIR",
        help="folder of published predictions, in the layout that docs/protocols.md names; default: $FACEMILL_DATA",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The stage for a rule; for a person the card, line by line, and 1 where a case is off."""
    if options.job:
        options.verb = "check_protocols"
        return chain.run(options)
    from pipeline.evaluation.sanity.card import card

    config = load_config(options)
    folder = options.data or config.evaluation.published or os.environ.get("FACEMILL_DATA") or None
    if options.data and not Path(options.data).is_dir():
        raise FacemillError(f"--data: expected a folder, found none at {options.data}")
    protocols = job(config, "check_protocols").settings["protocols"]
    rows = card(chart_of(config), protocols, None if folder is None else Path(os.path.expandvars(folder)))
    for row in rows:
        print(row.line())
    off = sum(not row.ok for row in rows)
    published = "" if folder else "; no published predictions: give their folder with --data"
    print(f"{len(rows)} cases, {off} off{published}")
    return 1 if off else 0
