"""Annotations that are rows of one file: `<file>#<row>` or `<file>#<table>:<row>`, rows counted from 0.

The address is what a source table holds and what a reader's `annotation` gets, joined to the data set's root.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.datasets.base import AnnotationProblem
from pipeline.records import Reason

ADDRESS = re.compile(r"^(?P<file>.+)#(?:(?P<table>\w+):)?(?P<row>\d+)$")
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One row of a table in a file; `table` is empty where the file holds one table alone."""

    file: Path
    row: int
    table: str = ""


def address(file: str, row: int, table: str = "") -> str:
    """The address of a row of `file`, a path relative to the data set's root."""
    return f"{file}#{table}:{row}" if table else f"{file}#{row}"


def parse(path: Path) -> Row:
    """The file and the row of an address; `AnnotationProblem` for a path without one."""
    match = ADDRESS.match(path.name)
    if match is None:
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"expected <file>#<row>, found {path.name}")
    return Row(path.with_name(match["file"]), int(match["row"]), match["table"] or "")


def no_such_row(row: Row, count: int) -> AnnotationProblem:
    """The problem of an address beyond its table's `count` rows."""
    what = f"{row.file.name}, table {row.table}" if row.table else row.file.name
    return AnnotationProblem(Reason.ANNOTATION_MISSING, f"{what}: expected row {row.row}, found {count} rows")


class Loaded(Generic[T]):
    """Files read once: `loaded[path]` is what `load(path)` gave the first time."""

    def __init__(self, load: Callable[[Path], T]):
        self._load = load
        self._found: dict[Path, T] = {}

    def __getitem__(self, path: Path) -> T:
        if path not in self._found:
            self._found[path] = self._load(path)
        return self._found[path]
