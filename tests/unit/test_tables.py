"""Tables: what stands in a cell, and the three forms."""

import csv
import io

import pytest

from pipeline.records import FacemillError
from pipeline.registry import TABLES
from pipeline.tables.table import Column, Table, as_csv, as_latex, as_markdown

SMALL = Table(
    "A 50 % share",
    (Column("name"), Column("value", digits=1), Column("gain", sign=True)),
    (("a_b|c", 1.26, -0.5), ("d", None, 0.25)),
    ("A note & more.",),
)


def figures(balanced: float | None, bins=(1.0, 2.0, 3.0)) -> dict:
    entries = [None if mean is None else {"mean": mean, "std": 0.0, "n": 4} for mean in bins]
    block = {
        "n": 12,
        "bins": dict(zip(("0-30", "30-60", "60-90"), entries, strict=True)),
        "balanced": balanced,
        "balanced_with_failures": 9.0,
        "plain": 1.5,
        "median": 1.4,
        "std": 0.8,
    }
    return block


def evaluation(benchmark: str, balanced: float | None = 2.0, bins=(1.0, 2.0, 3.0)) -> dict:
    own = figures(balanced, bins)
    protocol = {"unit": "%", **own, "seeds": {"0": own}, "spread": 0.0, "mean_face": figures(20.0)}
    block = {"images": 13, "evaluated": 12, "failed": 1, "protocols": {"nme68_2d": protocol}}
    block["truth_floor"] = {"protocol": "nme68_2d", "unit": "%", "balanced": 0.88, "plain": 0.84}
    return {"benchmarks": {benchmark: block}}


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


def test_latex_escapes_what_latex_would_read():
    text = as_latex(SMALL)
    assert r"\begin{tabular}{lrr}" in text
    assert r"a\_b|c & 1.3 & -0.50 \\" in text
    assert r"\caption{A 50 \% share}" in text and r"A note \& more." in text


def test_a_row_of_another_length_is_refused():
    with pytest.raises(FacemillError, match="expected 2 cells"):
        Table("t", (Column("a"), Column("b")), (("x",),))


def test_the_table_of_models_gives_the_share_of_the_mean_face():
    table = TABLES["models"]({"prn": evaluation("synth_test")})
    row = dict(zip([column.title for column in table.columns], table.rows[0], strict=True))
    assert row["model"] == "prn" and row["benchmark"] == "synth_test" and row["failed"] == 1
    assert row["floor"] == 0.88
    assert row["balanced"] == 2.0 and row["mean face"] == 20.0 and row["share of it"] == pytest.approx(0.1)
    assert [row[name] for name in ("0-30", "30-60", "60-90")] == [1.0, 2.0, 3.0]


def test_an_empty_bin_stays_a_dash_in_every_form():
    table = TABLES["models"]({"prn": evaluation("synth_test", None, (1.0, None, 3.0))})
    assert "| 1.00 | – | 3.00 | – |" in as_markdown(table)
    assert ",1.0,,3.0,," in as_csv(table)


def test_the_papers_numbers_are_compared_only_on_the_papers_benchmark():
    by_protocol = {}
    for benchmark in ("synth_test", "aflw2000_test"):
        table = TABLES["prn_aflw2000"]({"prn": evaluation(benchmark)})
        titles = [column.title for column in table.columns]
        rows = [dict(zip(titles, row, strict=True)) for row in table.rows]
        by_protocol[benchmark] = {(row["protocol"], row["statistic"]): row for row in rows}
    ours = by_protocol["aflw2000_test"]["nme68_2d", "balanced"]
    assert (ours["paper"], ours["ours"]) == (3.62, 2.0)
    assert ours["difference"] == pytest.approx(2.0 - 3.62)
    assert by_protocol["aflw2000_test"]["nme68_2d", "60-90"]["ours"] == 3.0
    assert by_protocol["synth_test"]["nme68_2d", "balanced"]["difference"] is None
    assert by_protocol["synth_test"]["dense_2d", "plain"]["ours"] is None


def test_every_printed_number_says_where_it_stands_and_how_sure_it_is():
    table = TABLES["prn_aflw2000"]({})
    titles = [column.title for column in table.columns]
    for row in table.rows:
        cells = dict(zip(titles, row, strict=True))
        assert cells["paper"] > 0 and cells["stands in"] and cells["certainty"]
