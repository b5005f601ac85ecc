"""``face-model``: what a face model is and looks like."""

from __future__ import annotations

import argparse


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``face-model show``."""
    verb = verbs.add_parser("face-model", help="draw a face model: mean, modes, landmarks, chart")
    actions = verb.add_subparsers(dest="action", required=True, metavar="action")
    show = actions.add_parser("show", help="draw one page of it, and print its sizes and its licence")
    show.add_argument("--id", default="procedural", help="as face_model.id in config.yaml")
    show.add_argument("--path", metavar="FILE", help="as face_model.path: its file or folder")
    show.add_argument("--chart", metavar="FILE", help="as face_model.chart: another UV chart")
    show.add_argument("--out", required=True, metavar="FILE", help="the page, a PNG")
    show.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw the page into ``--out`` and print what stands at its head."""
    from pipeline.apps.face_model_sheet import draw, headline
    from pipeline.io.images import write_png
    from pipeline.morphable import load_face_model
    from pipeline.morphable.charts import measure

    model = load_face_model(options.id, options.path, options.chart)
    fit = measure(model.uv, model.uv_triangles)
    write_png(options.out, draw(model, fit))
    name, facts = headline(model).split(": ", 1)
    sizes, licence = facts.split("; licence: ", 1)
    print(f"{name}: {sizes}")
    print(
        f"chart: {len(model.uv)} points, folded {fit.folded:.2g}, overlapping {fit.overlapping:.2g} of its area"
    )
    print(f"licence: {licence}")
    print(f"page: {options.out}")
    return 0
