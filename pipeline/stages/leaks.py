"""leaks: the pictures of a training set that repeat a benchmark's, or one another, by name and by pixels.

Three rules, the first that holds is written: `name`, both are one photograph of a published collection; `picture`, the
whole pictures are alike; `face`, faces in them are. Reap takes a benchmark's copies out of the training set, and keeps
near copies inside it on one side of the split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.config import LeakSettings
from pipeline.datasets.likeness import VIEWS, Match, matches, middle, views
from pipeline.datasets.origins import origin
from pipeline.io import hdf5
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.records import FINGERPRINTS, LEAK_COLUMNS, SOURCE_COLUMNS
from pipeline.registry import DATASETS

RULES = ("name", "picture", "face")
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Prints:
    """The fingerprints of one data set.

    pictures: ids of the n thumbnails (n, 32, 32) uint8; owners: the picture of each of the m patches (m, 40, 40) uint8.
    """

    pictures: list[str]
    thumbnails: np.ndarray
    owners: list[str]
    patches: np.ndarray


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Compare one training set: `inputs` lists sources (its own, then the benchmarks') and fingerprints (every shard
    of the same sets in that order); `outputs` leaks (tsv); `settings` benchmarks, shards, readers, collections, leaks.
    A row is a pair; its bits and correlation are empty where the names alone say it."""
    options = LeakSettings.model_validate(settings["leaks"])
    own, shards = wildcards["dataset"], int(settings["shards"])
    sets = [own, *settings["benchmarks"]]
    tables = dict(zip(sets, (read_tsv(path, SOURCE_COLUMNS) for path in inputs["sources"]), strict=True))
    paths = inputs["fingerprints"]
    ours = read_prints(paths[:shards])
    rows: list[tuple] = []
    order = {row["id"]: k for k, row in enumerate(tables[own])}
    for k, name in enumerate(sets[1:], start=1):
        found: dict[Pair, tuple] = {}
        if options.names:
            known = (_origins(settings, dataset, tables[dataset]) for dataset in (own, name))
            found = {pair: ("name", "", "", "") for pair in same_origin(*known)}
        theirs = read_prints(paths[k * shards : (k + 1) * shards])
        found |= {p: cells for p, cells in alike(ours, theirs, options).items() if p not in found}
        rows += [(picture, name, other, *cells) for (picture, other), cells in found.items()]
    if options.groups:
        group = {row["id"]: row["group"] for row in tables[own]}
        pairs = {
            pair: cells for pair, cells in alike(ours, ours, options, group).items() if _forward(pair, order)
        }
        rows += [(picture, own, other, *cells) for (picture, other), cells in pairs.items()]
    place = {name: k for k, name in enumerate([*sets[1:], own])}
    rows.sort(key=lambda row: (order[row[0]], place[row[1]], RULES.index(row[3]), row[2]))
    write_tsv(outputs["leaks"], LEAK_COLUMNS, rows)


def read_prints(paths: Sequence[str]) -> Prints:
    """The fingerprints of all shards of a data set."""
    pictures, owners, thumbnails, patches = [], [], [], []
    for path in paths:
        with hdf5.open_checked(path, FINGERPRINTS) as file:
            pictures += hdf5.texts(file["picture"])
            owners += hdf5.texts(file["faces/picture"])
            thumbnails.append(file["thumbnail"][:])
            patches.append(file["faces/patch"][:])
    return Prints(pictures, np.concatenate(thumbnails), owners, np.concatenate(patches))


def same_origin(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Pair]:
    """Pairs of pictures with equal origins; ours and theirs: picture -> origin."""
    named: dict[str, list[str]] = {}
    for picture, source in theirs.items():
        named.setdefault(source, []).append(picture)
    for picture, source in ours.items():
        for other in named.get(source, []):
            yield picture, other


def alike(
    ours: Prints, theirs: Prints, options: LeakSettings, group: Mapping[str, str] | None = None
) -> dict[Pair, tuple[str, str, str, str]]:
    """Pairs of pictures that are alike, with rule, mirrored, bits and correlation.

    group: of each picture when a data set is compared with itself; pairs inside a group are left out. A benchmark's
    faces are looked at through all their squares, those of a training set through their own.
    """
    by_picture: dict[Pair, Match] = {}
    by_face: dict[Pair, Match] = {}
    apart = None if group is None else _numbers(ours.pictures, group)
    for match in _matches(ours.thumbnails, theirs.thumbnails, options, apart):
        _keep(by_picture, (ours.pictures[match.first], theirs.pictures[match.second]), match)
    apart = None if group is None else _numbers(ours.owners, group)
    each = VIEWS if group is None else 1
    faces = views(theirs.patches) if group is None else middle(theirs.patches)
    for match in _matches(middle(ours.patches), faces, options, apart):
        _keep(by_face, (ours.owners[match.first], theirs.owners[match.second // each]), match)
    found = {pair: ("face", *_cells(match)) for pair, match in by_face.items()}
    return found | {pair: ("picture", *_cells(match)) for pair, match in by_picture.items()}


def _matches(
    first: np.ndarray, second: np.ndarray, options: LeakSettings, apart: np.ndarray | None
) -> Iterator[Match]:
    groups = None if apart is None else (apart, apart)
    return matches(first, second, options.bits, options.correlation, groups)


def _numbers(pictures: Sequence[str], group: Mapping[str, str]) -> np.ndarray:
    """The number (n,) of each picture's group."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(group[name], len(number)) for name in pictures], np.int64)


def _keep(found: dict[Pair, Match], pair: Pair, match: Match) -> None:
    """The match of a pair with the fewest bits apart, of several the best correlated."""
    if pair not in found or _rank(match) < _rank(found[pair]):
        found[pair] = match


def _rank(match: Match) -> tuple[int, float]:
    return match.distance, -match.correlation


def _cells(match: Match) -> tuple[str, str, str]:
    return ("mirrored" if match.mirrored else "", str(match.distance), f"{match.correlation:.3f}")


def _forward(pair: Pair, order: Mapping[str, int]) -> bool:
    return order[pair[0]] < order[pair[1]]


def _origins(settings: Mapping[str, Any], dataset: str, rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Picture -> origin, where there is one: by the collection of the data set's settings, else of its reader."""
    reader = DATASETS[settings["readers"][dataset]]
    collection = settings["collections"][dataset] or getattr(reader, "collection", None)
    found = {row["id"]: origin(collection, row) for row in rows}
    return {picture: name for picture, name in found.items() if name is not None}
