"""Tables: the three forms, and that they hold the same cells."""

import csv
import io
import re

import pytest

from pipeline.records import FacemillError
from pipeline.tables.table import WIDE, Column, Table, as_csv, as_latex, as_markdown

SMALL = Table(
    "A 50 % share",
    (Column("name"), Column("value", digits=1), Column("gain", sign=True)),
    (("a_b|c", 1.26, -0.5), ("d", None, 0.25)),
    ("A note & more.",),
)
AWKWARD = Table(
    "All that a form could read as its own",
    (Column("a|b"), Column("50 %"), Column("n"), Column("x", digits=3)),
    (
        ("[1] a\\b|c", "p & q_r #1 ~ ^ <$>{}", 12, 1 / 3),
        ("*", 'a "quoted", cell', 0, -2.0),
        (None, "–", None, None),
    ),
)


def test_markdown_aligns_numbers_and_escapes_bars():
    lines = as_markdown(SMALL).splitlines()
    assert lines[2:6] == [
        "| name | value | gain |",
        "| --- | ---: | ---: |",
        "| a_b\\|c | 1.3 | -0.50 |",
        "| d | – | +0.25 |",
    ]
    assert lines[-1] == "- A note & more."


def test_csv_keeps_every_digit_and_leaves_what_is_missing_empty():
    assert list(csv.reader(io.StringIO(as_csv(SMALL)))) == [
        ["name", "value", "gain"],
        ["a_b|c", "1.26", "-0.5"],
        ["d", "", "0.25"],
    ]
    third = list(csv.reader(io.StringIO(as_csv(AWKWARD))))[1][3]
    assert float(third) == 1 / 3


def test_latex_escapes_what_latex_would_read():
    text = as_latex(SMALL)
    assert r"\begin{tabular}{lrr}" in text
    assert r"a\_b\textbar{}c & 1.3 & -0.50 \\" in text
    assert r"\caption{A 50 \% share}" in text and r"A note \& more." in text
    row = next(line for line in as_latex(AWKWARD).splitlines() if "quoted" in line)
    assert row.startswith("{*}"), "after a line break LaTeX would read a bare star as part of it"


def test_a_wide_table_is_scaled_to_the_text_and_a_narrow_one_is_not():
    wide = Table("w", tuple(Column(f"c{k}") for k in range(WIDE + 1)), (tuple(range(WIDE + 1)),))
    text = as_latex(wide)
    assert text.count(r"\resizebox{\textwidth}") == 1 and r"\end{tabular}}" in text
    assert text.count("{") == text.count("}")
    assert "resizebox" not in as_latex(SMALL)


@pytest.mark.parametrize("table", [SMALL, AWKWARD], ids=["small", "awkward"])
def test_the_three_forms_hold_the_same_cells(table):
    markdown, latex = from_markdown(as_markdown(table)), from_latex(as_latex(table))
    assert markdown == latex
    assert [len(row) for row in markdown] == [len(table.columns)] * (len(table.rows) + 1)
    assert markdown[0] == [column.title for column in table.columns]
    full = list(csv.reader(io.StringIO(as_csv(table))))
    assert full[0] == markdown[0]
    for written, shown, row in zip(full[1:], markdown[1:], table.rows, strict=True):
        for cell, text, column, value in zip(written, shown, table.columns, row, strict=True):
            assert text == column.text(value)
            assert (cell or "–") == text if not isinstance(value, float) else float(cell) == value


def test_a_row_of_another_length_is_refused():
    with pytest.raises(FacemillError, match="expected 2 cells"):
        Table("t", (Column("a"), Column("b")), (("x",),))


def from_markdown(text: str) -> list[list[str]]:
    """The cells of the first table, header first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    del lines[1]
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    return [[re.sub(r"\\([\\|])", r"\1", cell) for cell in row] for row in cells]


def from_latex(text: str) -> list[list[str]]:
    """The cells between the rules, header first, read back to plain text."""
    words = {
        "textbackslash": "\\",
        "textasciitilde": "~",
        "textasciicircum": "^",
        "textless": "<",
        "textgreater": ">",
        "textbar": "|",
    }
    lines = [line for line in text.splitlines() if line.endswith(r" \\")]
    cells = [line.removesuffix(r" \\").split(" & ") for line in lines]
    known = "|".join(words)
    return [
        [
            re.sub(
                rf"\\({known}){{}}|\\(.)|{{(.)}}|(--)",
                lambda m: words.get(m[1]) or m[2] or m[3] or "–",
                cell,
            )
            for cell in row
        ]
        for row in cells
    ]
