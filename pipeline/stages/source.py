"""source: a data set's folder, zip or video -> one row per picture, whether it can be read or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.datasets.base import Picture
from pipeline.io.containers import encoded, picture_digest
from pipeline.io.files import expand
from pipeline.io.tables import write_tsv
from pipeline.records import SOURCE_COLUMNS, FacemillError
from pipeline.registry import DATASETS

SYNTHETIC_LICENCE = "made by Facemill's synthesiser: no terms"


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """List one data set: `outputs` source (tsv); `settings` reader, root, subset, every, benchmark, and options where
    the reader takes more of the data set's settings.

    Paths in the table are relative to the root. A benchmark's pictures are all 'test'; a data set that models learn
    from may not hold pictures that its reader calls 'test'. A picture with the bytes of an earlier one (a frame
    of a video: with its pixels) names it in `duplicate_of`.
    """
    root = expand(settings["root"])
    options = settings.get("options", {})
    reader = DATASETS[settings["reader"]](subset=settings["subset"], every=settings["every"], **options)
    pictures = reader.pictures(root)
    _check(wildcards["dataset"], pictures, settings["benchmark"])
    rows, first = [], {}
    for picture in pictures:
        digest = picture_digest(root / picture.path)
        original = first.setdefault(digest, picture.id) if digest else picture.id
        rows.append(
            (
                picture.id,
                picture.path,
                "test" if settings["benchmark"] else "train",
                picture.group,
                ";".join(picture.annotations),
                digest,
                "" if original == picture.id else original,
                SYNTHETIC_LICENCE if "manifests" in inputs else picture.licence,
            )
        )
    write_tsv(outputs["source"], SOURCE_COLUMNS, rows)


def _check(dataset: str, pictures: list[Picture], benchmark: bool) -> None:
    seen: dict[str, str] = {}
    for picture in pictures:
        if picture.id in seen:
            raise FacemillError(
                f"{dataset}: {seen[picture.id]} and {picture.path} would have the same id {picture.id}; "
                "rename one of them"
            )
        seen[picture.id] = picture.path
        for path in (picture.path, *picture.annotations):
            if encoded(path) != path:
                raise FacemillError(
                    f"{dataset}: {path!r} holds a semicolon, a tab, a line break, two spaces in a row, a control "
                    "character or bytes that are no text, which the tables cannot hold; rename the file"
                )
        if picture.split == "test" and not benchmark:
            raise FacemillError(
                f"{dataset}: {picture.id} is a test picture of its data set, and a model learns from it; "
                f"set datasets.{dataset}.subset to train, or take {dataset} out of the model's train list"
            )
