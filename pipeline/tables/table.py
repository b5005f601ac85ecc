"""A table of text and numbers, and the three forms in which it is written."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from pipeline.records import FacemillError

Cell = str | int | float | None
MISSING = "–"
WIDE = 8


@dataclass(frozen=True)
class Column:
    """One column: its heading, and how many digits stand behind the point of its numbers."""

    title: str
    digits: int = 2
    sign: bool = False

    def text(self, cell: Cell) -> str:
        """A cell as it is printed; a figure that does not exist is a dash."""
        if cell is None:
            return MISSING
        if isinstance(cell, float):
            return f"{cell:{'+' if self.sign else ''}.{self.digits}f}"
        return " ".join(str(cell).split())


@dataclass(frozen=True)
class Table:
    """A caption, columns, rows of as many cells, and notes that stand below."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise FacemillError(
                    f"table {self.caption!r}: expected {len(self.columns)} cells in a row, found {len(row)}: {row}"
                )


def as_markdown(table: Table) -> str:
    """The table in GitHub's Markdown: numbers to the right, text to the left."""
    cells = [
        [column.text(cell) for column, cell in zip(table.columns, row, strict=True)] for row in table.rows
    ]
    numeric = [_is_numeric(table, index) for index in range(len(table.columns))]
    lines = [
        f"{table.caption}",
        "",
        _line([_piped(column.title) for column in table.columns]),
        _line(["---:" if right else "---" for right in numeric]),
        *(_line([_piped(cell) for cell in row]) for row in cells),
    ]
    if table.notes:
        lines += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def as_csv(table: Table) -> str:
    """The table as CSV with full digits; a figure that does not exist is an empty cell. Notes are left out."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in table.columns])
    for row in table.rows:
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue()


def as_latex(table: Table) -> str:
    """The table as a LaTeX tabular with booktabs' rules; notes stand below it in a small font.

    A table of more than `WIDE` columns is scaled to the width of the text, by graphicx.
    """
    kinds = "".join("r" if _is_numeric(table, index) else "l" for index in range(len(table.columns)))
    wide = len(table.columns) > WIDE
    lines = [
        "% " + r"\usepackage{booktabs, graphicx}" if wide else "% " + r"\usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{_escape(table.caption)}}}",
        *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _latex_row([column.title for column in table.columns]),
        r"\midrule",
    ]
    for row in table.rows:
        lines.append(_latex_row([column.text(cell) for column, cell in zip(table.columns, row, strict=True)]))
    lines += [r"\bottomrule", r"\end{tabular}" + ("}" if wide else "")]
    lines += [rf"\par\footnotesize {_escape(note)}" for note in table.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _is_numeric(table: Table, index: int) -> bool:
    cells = [row[index] for row in table.rows if row[index] is not None]
    return bool(cells) and not any(isinstance(cell, str) for cell in cells)


def _piped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _latex_row(cells: list[str]) -> str:
    return " & ".join(_escape(cell) for cell in cells) + r" \\"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",
    "*": "{*}",
    "–": "--",
}


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
