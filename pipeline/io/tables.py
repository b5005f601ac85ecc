"""Tab-separated tables: plain text with a header, the form of every ledger and manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.io.files import write_text
from pipeline.records import FacemillError, StatusRow


def write_tsv(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows of cells under a header; a tab or a line break inside a cell becomes a space."""
    lines = ["\t".join(columns)]
    for row in rows:
        cells = [" ".join(str(cell).split()) if isinstance(cell, str) else str(cell) for cell in row]
        if len(cells) != len(columns):
            raise FacemillError(f"{path}: a row of {len(cells)} cells under {len(columns)} columns: {cells}")
        lines.append("\t".join(cells))
    write_text(path, "\n".join(lines) + "\n")


def read_tsv(path: str | Path, columns: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The rows as dictionaries; with ``columns``, a file that lacks one of them is refused."""
    path = Path(path)
    if not path.is_file():
        raise FacemillError(f"no file {path}")
    lines = path.read_text(encoding="utf-8").split("\n")
    header = lines[0].split("\t")
    missing = [column for column in columns or () if column not in header]
    if missing:
        raise FacemillError(
            f"{path}: expected the columns {', '.join(columns or ())}; missing: {', '.join(missing)}"
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        cells = line.split("\t")
        if len(cells) != len(header):
            raise FacemillError(
                f"{path}, line {number}: expected {len(header)} cells, found {len(cells)}; the file is damaged, "
                "delete it and run the same command again"
            )
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def write_status(path: str | Path, rows: Iterable[StatusRow]) -> None:
    """Write the status rows of one stage."""
    write_tsv(path, StatusRow.COLUMNS, (row.cells() for row in rows))


def read_status(path: str | Path) -> list[StatusRow]:
    """The status rows that a stage wrote."""
    return [StatusRow.from_cells(cells) for cells in read_tsv(path, StatusRow.COLUMNS)]
