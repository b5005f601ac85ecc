"""Tables as they stand on the page: read back from the Markdown that the chain wrote, with the CSV to take away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.records import FacemillError
from pipeline.report.pictures import data_uri

RULE, CELL, ESCAPED = re.compile(r"---:?"), re.compile(r"((?:\\.|[^|\\])*)\|"), re.compile(r"\\(.)")


@dataclass(frozen=True)
class WrittenTable:
    """A table as its Markdown shows it, so that page and file agree to the digit.

    name: of the registry. numeric: of each column, whether its cells are numbers. csv: the CSV file as a data URI.
    """

    name: str
    caption: str
    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    csv: str


def read_table(name: str, markdown: str, csv: str) -> WrittenTable:
    """The table of the registry's ``name`` from its two files."""
    try:
        caption, titles, numeric, rows, notes = parse(Path(markdown).read_text(encoding="utf-8"))
    except ValueError as error:
        raise FacemillError(
            f"{markdown}: {error}; expected a table as the stage writes it, type: python -m pipeline table "
            f"--table {name}"
        ) from error
    return WrittenTable(
        name, caption, titles, numeric, rows, notes, data_uri(Path(csv).read_bytes(), "text/csv")
    )


def parse(
    text: str,
) -> tuple[str, tuple[str, ...], tuple[bool, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Caption, titles, numeric, rows and notes of what `pipeline.tables.table.as_markdown` wrote. ValueError for a text
    that is no such table."""
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith("|")), len(lines))
    last = next((n for n in range(first, len(lines)) if not lines[n].startswith("|")), len(lines))
    if last - first < 2:
        raise ValueError("no header of a table")
    titles, rules, *rows = (_cells(line) for line in lines[first:last])
    if not all(RULE.fullmatch(rule) for rule in rules):
        raise ValueError(f"line {first + 2} is no rule below a header")
    for number, row in enumerate(rows, start=first + 3):
        if len(row) != len(titles):
            raise ValueError(f"line {number}: {len(row)} cells below {len(titles)} titles")
    caption = " ".join(line for line in lines[:first] if line)
    notes = tuple(line.removeprefix("- ") for line in lines[last:] if line)
    return caption, titles, tuple(rule.endswith(":") for rule in rules), tuple(rows), notes


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|").removesuffix("|") + "|"
    return tuple(ESCAPED.sub(r"\1", cell.strip()) for cell in CELL.findall(inner))
