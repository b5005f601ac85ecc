"""What the report's page is made of: tables read back, costs, figures as data."""

import base64

import cv2
import numpy as np
import pytest

from pipeline.records import FacemillError
from pipeline.report import costs, pictures
from pipeline.report.tables import parse, read_table
from pipeline.tables.table import Column, Table, as_csv, as_markdown

TABLE = Table(
    "Words | and 50 % numbers",
    (Column("name"), Column("value"), Column("gain", sign=True), Column("nothing")),
    (("a|b\\", 1.256, -0.5, None), ("- c", None, 0.25, None)),
    ("A note.", "Another | note."),
)


def test_a_table_comes_back_as_its_markdown_shows_it():
    caption, titles, numeric, rows, notes = parse(as_markdown(TABLE))
    assert caption == TABLE.caption and notes == TABLE.notes
    assert titles == ("name", "value", "gain", "nothing")
    assert numeric == (False, True, True, False)
    assert rows == (("a|b\\", "1.26", "-0.50", "–"), ("- c", "–", "+0.25", "–"))


def test_a_table_without_rows_and_notes_comes_back_too():
    assert parse(as_markdown(Table("Empty", (Column("a"), Column("b")), ())))[3:] == ((), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Only words.\n", "no header"),
        ("T\n\n| a | b |\n| 1 | 2 |\n", "no rule"),
        ("T\n\n| a | b |\n| --- | --- |\n| 1 |\n", "line 5: 1 cells below 2 titles"),
    ],
)
def test_what_is_no_table_is_refused_with_the_command_that_mends_it(tmp_path, text, said):
    (tmp_path / "t.md").write_text(text)
    (tmp_path / "t.csv").write_text(as_csv(TABLE))
    with pytest.raises(FacemillError, match=f"{said}.*python -m pipeline table --table t"):
        read_table("t", str(tmp_path / "t.md"), str(tmp_path / "t.csv"))


def record(path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["s\th:m:s\tmax_rss\tmax_vms\tcpu_time", *rows]) + "\n")


def test_costs_are_summed_by_rule_and_the_peak_is_that_of_one_job(tmp_path):
    record(tmp_path / "crop/fan192/a/0.tsv", "2.5\t0:00:02\t1000\t1\t2.0")
    record(tmp_path / "crop/fan192/a/1.tsv", "1.5\t0:00:01\t500\t1\t1.0")
    record(tmp_path / "ledger.tsv", "0.3\t0:00:00\tNA\tNA\tNA")
    record(tmp_path / "train/prn/0.tsv", "10\t0:00:10\t-\t1\t15")
    found = costs.read_costs(tmp_path)
    assert [cost.rule for cost in found] == ["train", "crop", "ledger"]
    crop, ledger = found[1], found[2]
    assert (crop.jobs, crop.seconds, crop.cpu_seconds) == (2, 4.0, 3.0)
    assert crop.peak_gb == pytest.approx(1.048576)
    assert (ledger.seconds, ledger.cpu_seconds, ledger.peak_gb) == (0.3, 0.0, None)
    whole = costs.total(found)
    assert (whole.jobs, whole.seconds, whole.peak_gb) == (4, pytest.approx(14.3), crop.peak_gb)


def test_without_records_there_are_no_costs_and_a_strange_file_is_refused(tmp_path):
    assert costs.read_costs(tmp_path / "nothing") == []
    assert costs.total([]).peak_gb is None
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(FacemillError, match="missing: s, max_rss, cpu_time"):
        costs.read_costs(tmp_path)


def test_a_figure_is_its_drawing_until_its_pixels_take_less_room(tmp_path, monkeypatch):
    svg, png = tmp_path / "f.svg", tmp_path / "f.png"
    svg.write_text('<svg width="288pt" height="10pt"></svg>')
    png.write_bytes(b"pixels")
    assert pictures.drawing_uri(svg, png) == (
        384,
        "data:image/svg+xml;base64," + base64.b64encode(svg.read_bytes()).decode(),
    )
    monkeypatch.setattr(pictures, "LARGEST_DRAWING", 10)
    assert pictures.drawing_uri(svg, png) == (384, "data:image/png;base64,cGl4ZWxz")
    png.write_bytes(b"pixels" * 100)
    assert pictures.drawing_uri(svg, png)[1].startswith("data:image/svg+xml")
    svg.write_text("<svg></svg>")
    with pytest.raises(FacemillError, match="expected an SVG with a width in points"):
        pictures.drawing_uri(svg, png)


def test_a_sheet_wider_than_the_page_is_made_smaller_and_no_other(tmp_path):
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((50, 400, 3), np.uint8))
    for width, shape in ((200, (25, 200, 3)), (500, (50, 400, 3))):
        data = pictures.sheet_uri(tmp_path / "wide.png", width).removeprefix("data:image/jpeg;base64,")
        found = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert found.shape == shape
