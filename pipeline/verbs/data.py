"""``data list|verify|fetch``: the papers' data, face models and weights: what they are, what is here, getting them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.jobs.data import detection_of
from pipeline.jobs.named import mentioned
from pipeline.jobs.weights import library_sources
from pipeline.records import FacemillError
from pipeline.verbs.options import add_config_options, load_config

if TYPE_CHECKING:
    from pipeline.io.sources import Source


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add ``data`` with its three actions."""
    data = verbs.add_parser("data", help="list, verify and fetch data sets, face models and weights")
    actions = data.add_subparsers(dest="action", required=True, metavar="action")
    for name, run, text in (
        ("list", run_list, "what there is, what of it is here and where"),
        ("verify", run_verify, "compare what is here with the known sizes and hashes"),
        ("fetch", run_fetch, "download what a program can, and say what to do for the rest"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        none = "what the config reads" if name == "fetch" else "all"
        action.add_argument("ids", nargs="*", metavar="ID", help=f"as in data list; none: {none}")
        action.set_defaults(run=run)
        if name == "fetch":
            add_config_options(action)


def _chosen(options: argparse.Namespace) -> list[Source]:
    from pipeline.io import sources

    return [sources.source(name) for name in options.ids] or list(sources.sources().values())


def run_list(options: argparse.Namespace) -> int:
    """Print a table: id, kind, whether a product may be made with it, where it is, what it is."""
    rows = [("id", "kind", "commercial", "here", "what")]
    for row in _chosen(options):
        standing, missing = _standing(row)
        rows.append(
            (row.id, row.kind, row.commercial, missing if standing is None else str(standing), row.what)
        )
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]))
    return 0


def _standing(row: Source) -> tuple[Path | None, str]:
    """Where a source stands, or None and why it does not."""
    try:
        return row.standing(), "no"
    except FacemillError:
        return None, "no (FACEMILL_DATA is not set)"


def run_verify(options: argparse.Namespace) -> int:
    """One line a file that is here; 1 when one is not what it should be, or one that was named is not here."""
    from pipeline.io import sources

    wrong = 0
    for row in _chosen(options):
        standing, missing = _standing(row)
        if standing is None:
            if options.ids:
                wrong += 1
                print(
                    f"{row.id}: expected it here, found {missing}; type: python -m pipeline data fetch {row.id}"
                )
        elif problem := sources.problem(row, standing) if standing.is_file() else "":
            wrong += 1
            print(f"{row.id}: {standing} is another file: {problem}")
        else:
            print(f"{row.id}: {standing} {_checked_by(row, standing)}")
    return 1 if wrong else 0


def _checked_by(row: Source, standing: Path) -> str:
    from pipeline.io import sources

    if standing.is_dir():
        return "is there; a folder, nothing to compare it with"
    if row.sha256:
        return "has the published sha256"
    if sources.locked(standing):
        return "has the sha256 of its first fetch"
    return "has the digits of its name" if row.digits else "is there; nobody has computed its sha256"


def _needed(options: argparse.Namespace) -> list[Source]:
    """The sources of what the jobs of the config read: weights of torch's cache, and whatever else the config names by
    the path where a source puts it."""
    from pipeline.io import sources

    config = load_config(options)
    names = {name for data in config.datasets for name in library_sources(detection_of(config, data))}
    for path in mentioned(config):
        names |= {row.id for row in sources.providing(path)}
    return [sources.source(name) for name in sorted(names)]


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch what a program can; print the steps for the rest. 1 when something that was named could not be had."""
    from pipeline.io import fetch

    failed = 0
    if not (rows := _chosen(options) if options.ids else _needed(options)):
        print(
            "the config names nothing that a source provides; name what to fetch, as in: python -m pipeline data list"
        )
    for row in rows:
        standing, _ = _standing(row)
        if standing is not None and standing.is_dir():
            print(f"{row.id}: {standing} is there")
            continue
        if not row.direct and standing is None:
            failed += 1
            print(f"{row.id}: {fetch.instructions(row)}")
            continue
        try:
            path = fetch.fetch(row)
        except FacemillError as problem:
            failed += 1
            print(f"{row.id}: {problem}")
            continue
        print(f"{row.id}: {path}, {path.stat().st_size} bytes")
        if row.steps and standing is None:
            print(f"{row.id}: {fetch.instructions(row)}")
    return 1 if failed else 0
