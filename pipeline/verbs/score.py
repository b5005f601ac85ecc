"""``score``: stored predictions of the chain, or anyone's predictions in a file, under any protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.jobs.data import dataset_of, located, root_of
from pipeline.records import FacemillError
from pipeline.registry import DATASETS, unknown
from pipeline.settings import protocol_names
from pipeline.verbs import chain
from pipeline.verbs.options import load_config

if TYPE_CHECKING:
    from pipeline.evaluation.chart import Chart
    from pipeline.evaluation.truth import Truth

NAMES = 3
"""Names that a message gives as examples."""


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``score``."""
    text = "score stored predictions, or anyone's in a file, by protocols"
    verb = verbs.add_parser("score", help=text, description=text)
    chain.add_job_options(verb, "score")
    verb.add_argument(
        "--protocol", metavar="ID", action="append", help="with --predictions; may be given again"
    )
    verb.add_argument(
        "--truth",
        metavar="FILE_OR_DATASET",
        help="a data set of the config, READER:FOLDER as aflw2000_3d:$DATA/AFLW2000-3D, or an .npz",
    )
    verb.add_argument(
        "--predictions",
        metavar="FILE_OR_FOLDER",
        help="an .npz, or a folder of .mat or _kpt.txt; docs/scoring.md",
    )
    verb.add_argument(
        "--only", metavar="FILE", help="names of the pictures that count: a text file, or an .npz"
    )
    verb.add_argument("--origin", type=int, choices=(0, 1), help="number of the predictions' first pixel")
    verb.add_argument("--out", metavar="FILE.json", help="the figures as JSON")
    verb.add_argument("--scores", metavar="FILE.tsv", help="the scores face by face")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The stage of that name; with ``--predictions`` print the figures of that file."""
    given = {name: getattr(options, name) for name in ("protocol", "truth", "predictions")}
    if not any(given.values()):
        return chain.run(options)
    missing = [f"--{name}" for name, value in given.items() if not value]
    if missing:
        raise FacemillError(
            f"expected --protocol, --truth and --predictions together, found no {', '.join(missing)}"
        )
    for name in options.protocol:
        if name not in protocol_names():
            raise FacemillError(unknown("protocol", name, protocol_names()))
    _score(options, load_config(options))
    return 0


def _score(options: argparse.Namespace, config: Config) -> None:
    from pipeline.evaluation import protocols
    from pipeline.evaluation.given import read_names, read_shapes
    from pipeline.evaluation.report import figures
    from pipeline.evaluation.score import score_given, write_scores
    from pipeline.evaluation.told import told
    from pipeline.evaluation.truths import only
    from pipeline.io.files import write_json

    require_truth(options.truth, config)
    chart = chart_of(config)
    truths = truths_of(options.truth, config, chart)
    if options.only:
        truths = only(truths, read_names(Path(options.only)), options.only)
    shapes = read_shapes(Path(options.predictions), chart, options.origin)
    chosen = [protocols.load(name) for name in dict.fromkeys(options.protocol)]
    scores, strangers = score_given(shapes, truths, chosen)
    found = {protocol.id: figures(scores, protocol) for protocol in chosen}
    missing = sum(score.failed for score in scores if score.protocol == chosen[0].id)
    print(f"truth: {options.truth}, {len(truths)} pictures")
    print(f"predictions: {options.predictions}, {len(shapes)} faces; {missing} pictures without a usable one")
    if strangers:
        print(
            f"not scored, since the truth has no such picture: {len(strangers)}, as {', '.join(strangers[:NAMES])}"
        )
    for protocol in chosen:
        print(f"\n{told(protocol, found[protocol.id])}")
    if options.scores:
        write_scores(Path(options.scores), {"model": scores})
    if options.out:
        said = {"truth": options.truth, "predictions": options.predictions}
        write_json(options.out, {**said, "protocols": found})


def chart_of(config: Config) -> Chart:
    """The config's face model with its chart, and the papers' texels where the config names them."""
    from pipeline.evaluation.chart import Chart, read_texels
    from pipeline.morphable import load_face_model
    from pipeline.settings import as_values

    block = as_values(config.face_model)
    paths = {key: str(located(block[key])) for key in ("path", "chart") if block[key]}
    texels = config.evaluation.texels
    return Chart(load_face_model(**(block | paths)), read_texels(located(texels)) if texels else None)


def require_truth(given: str, config: Config) -> None:
    """Raise FacemillError unless ``--truth`` is an .npz, READER:FOLDER or a data set with annotations."""
    reader, separator, _ = given.partition(":")
    if given.endswith(".npz") or (separator and reader in DATASETS):
        return
    if given not in config.datasets:
        raise FacemillError(
            f"{unknown('data set', given, sorted(config.datasets))} Or give an .npz, or READER:FOLDER with one of the "
            f"readers {', '.join(DATASETS)}"
        )
    if dataset_of(config, given).labels == "tddfa":
        raise FacemillError(f"data set {given} has the labeller's truth, which is none to score against")


def truths_of(given: str, config: Config, chart: Chart) -> list[Truth]:
    """The truth that ``--truth`` names."""
    from pipeline.evaluation.truths import of_dataset, of_file

    if given.endswith(".npz"):
        return of_file(Path(given), chart)
    reader, separator, folder = given.partition(":")
    if separator and reader in DATASETS:
        return of_dataset(DATASETS[reader](), located(folder), chart)
    block = dataset_of(config, given)
    made = DATASETS[block.reader](subset=block.subset, every=block.every)
    return of_dataset(made, located(root_of(config, given)), chart)
