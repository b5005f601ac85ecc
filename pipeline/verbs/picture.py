"""``picture``: one face through the chain, as the README shows it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.jobs import job, seeds_of
from pipeline.records import FacemillError
from pipeline.verbs import chain
from pipeline.verbs.options import add_config_options, load_config


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``picture``."""
    verb = verbs.add_parser(
        "picture", help="draw one face through the chain: photo, crop, position map, mesh"
    )
    verb.add_argument("--model", required=True)
    verb.add_argument("--benchmark", required=True)
    verb.add_argument("--picture", metavar="ID", help="none: the one with the middle score")
    verb.add_argument("--out", required=True, metavar="FILE", help="as docs/figures/chain.png")
    add_config_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw the strip into ``--out``."""
    from pipeline.apps.chain_picture import draw
    from pipeline.evaluation.chart import Chart
    from pipeline.evaluation.score import read_scores
    from pipeline.io.files import expand
    from pipeline.io.images import write_png
    from pipeline.io.tables import read_tsv
    from pipeline.morphable import load_face_model

    config = load_config(options)
    seed = seeds_of(config, options.model)[0]
    sheet = job(config, "sheet", model=options.model, seed=seed, benchmark=options.benchmark)
    chain.require_inputs(sheet, options)
    files = chain.expanded(sheet.inputs)
    scores = read_scores(Path(files["scores"]))["model"]
    ranked = sorted(
        (s.value, s.picture)
        for s in scores
        if s.protocol == sheet.settings["protocol"] and not s.failed and s.value is not None
    )
    if not ranked:
        raise FacemillError(f"{files['scores']}: no picture was scored")
    picture = options.picture or ranked[len(ranked) // 2][1]
    source = job(config, "source", dataset=options.benchmark)
    paths = {row["id"]: row["path"] for row in read_tsv(source.outputs["source"])}
    if picture not in paths:
        raise FacemillError(f"{source.outputs['source']} lists no picture {picture}")
    chart = Chart(load_face_model(**sheet.settings["face_model"]))
    photo = expand(source.settings["root"]) / paths[picture]
    write_png(options.out, draw(picture, photo, Path(files["pack"]), Path(files["predictions"]), chart))
    print(f"{options.out}: {picture}")
    return 0
