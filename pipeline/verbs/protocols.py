"""``protocols``: every protocol as its file has it, as docs/protocols.md shows them, and the pictures of that page."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``protocols``."""
    text = "print what every protocol's file says, or draw the pictures that explain them"
    verb = verbs.add_parser("protocols", help=text, description=text)
    verb.add_argument("--pictures", metavar="FOLDER", help="draw them into it, as docs/figures")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the Markdown, or the paths of the pictures."""
    if options.pictures:
        from pipeline.apps.protocol_pictures import draw
        from pipeline.evaluation.chart import Chart
        from pipeline.morphable import load_face_model

        for path in draw(Path(options.pictures), Chart(load_face_model("procedural"))):
            print(path)
        return 0
    from pipeline.evaluation.catalogue import markdown
    from pipeline.evaluation.protocols import load, names

    print(markdown([load(name) for name in names()]), end="")
    return 0
