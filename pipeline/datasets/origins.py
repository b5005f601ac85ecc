"""Which photograph of a published collection a picture is, by its name: data sets cut from one collection share it.

AFLW2000-3D is the first 2000 pictures of AFLW, with AFLW's own names. 300W-LP was made from the photographs of 300W-3D;
both have them under one name, the group of their pictures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.datasets.face_300w_lp import photograph

AFLW = re.compile(r"(?<![A-Za-z0-9])image\d{5}(?!\d)")
SUBSETS = re.compile(r"(?:AFW|HELEN|IBUG|LFPW)_.+")


def _aflw(row: Mapping[str, str]) -> str | None:
    match = AFLW.search(row["id"]) or AFLW.search(row["group"])
    return match[0] if match else None


def _300w(row: Mapping[str, str]) -> str | None:
    for name in (row["group"], photograph(row["id"].rsplit("/", 1)[-1])):
        if SUBSETS.fullmatch(name):
            return name
    return None


COLLECTIONS = {"aflw": _aflw, "300w": _300w}


def origin(collection: str | None, row: Mapping[str, str]) -> str | None:
    """The photograph behind a row of a source table, as `aflw image00002`; None without a collection, or for a name
    that is not of it."""
    name = COLLECTIONS[collection](row) if collection else None
    return f"{collection} {name}" if name else None
