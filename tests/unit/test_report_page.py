"""The report's page and its faces: what stands on it, what it leaves out, and that equal runs give equal bytes."""

import base64
import html
import json
import re

import cv2
import h5py
import numpy as np
import pytest
import report_world
from evaluation_cases import model, write_pack

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import Score
from pipeline.io.files import write_text
from pipeline.records import FacemillError
from pipeline.report import examples, faces
from pipeline.report.page import as_json
from pipeline.tables.results import Results, Run
from pipeline.tables.table import as_csv

SECTIONS = ("head", "tables", "figures", "examples", "viewer", "sanity", "ledger", "cost", "protocols")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    report_world.write(root)
    return root


@pytest.fixture(scope="module")
def page(root) -> str:
    return report_world.make(root)


def viewed(page: str) -> dict:
    return json.loads(re.search(r'id="view-data">(.*?)</script>', page, re.S)[1])


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<u2").reshape(-1, 3)


def test_every_section_stands_once_and_the_links_lead_to_it(page):
    for name in (*SECTIONS, "provenance"):
        assert page.count(f'id="{name}"') == 1
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert len(ids) == len(re.findall(r' id="([^"]+)"', page))


def test_the_page_names_no_other_file_or_host(page):
    found = re.findall(r'(?:src|href|data|action)="([^"]*)"', page)
    assert found and all(target.startswith(("#", "data:")) for target in found)
    assert not re.search(r"@import|url\(|https?://", page)


def test_every_picture_has_words_and_every_table_a_caption(page):
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", page))
    assert page.count("<table") == page.count("<caption") > 4
    assert page.count("<svg") == page.count("<title id=") == 1


def test_tables_are_escaped_linked_and_can_be_taken_away(page):
    assert "A table of &lt;long&gt; words" in page and "<long>" not in page
    assert '<a href="#protocol-nme68_2d">nme68_2d</a>' in page
    csv = re.search(r'href="data:text/csv;base64,([^"]+)" download="t.csv"', page)
    assert base64.b64decode(csv[1]).decode() == as_csv(report_world.TABLE)


def test_the_head_sums_up_the_first_protocol_ledger_sanity_and_cost(page):
    head = re.search(r'<section id="head".*?</section>', page, re.S)[0]
    assert "prn on test" in head and "7.00 %" in head and "3 scored, 1 failed" in head
    assert '<strong class="bad">1 of 2</strong>' in head
    assert "3 of 4" in head and "0.1 min" in head and "1.05 GB" in head


def test_what_is_off_stands_first_and_open(page):
    groups = re.findall(r"<details( open)?>\s*<summary><h3>(\w+): (\d) of (\d)", page)
    assert groups == [("", "analytic", "1", "1"), (" open", "perturbed", "0", "1")]
    assert "Published predictions are not among them" in page


def test_protocols_stand_there_with_what_is_only_said_about_them(page):
    assert report_world.CONTENTS["nme68_2d"]["source"] in html.unescape(page)
    assert "normaliser: box68" in page


def test_the_brief_page_has_the_words_and_none_of_the_pictures(root, page):
    brief = (root / "report/brief.html").read_text(encoding="utf-8")
    for name in ("figures", "examples", "viewer"):
        assert f'id="{name}"' not in brief
    assert "data:image/" not in brief and "data:text/csv" not in brief
    assert "A table of &lt;long&gt; words" in brief and 'id="ledger"' in brief
    assert set(re.findall(r'href="#([^"]+)"', brief)) <= set(re.findall(r'id="([^"]+)"', brief))


def test_equal_runs_in_two_folders_give_equal_pages_but_for_the_costs(page, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    report_world.write(tmp_path / "elsewhere")
    assert report_world.make(tmp_path / "elsewhere") == page
    other = report_world.make(tmp_path / "elsewhere", costs=str(tmp_path / "none"))
    assert other != page and "There is no record" in other
    cost = re.compile(r'<section id="cost">.*?</section>|<li><a href="#cost">.*?</li>', re.S)
    assert cost.sub("", page) == cost.sub("", other)


def test_surfaces_travel_within_a_hundredth_of_a_pixel(root, page):
    data = viewed(page)
    chart = Chart(model(root))
    assert [face["picture"] for face in data["faces"]] == ["a", "b", "c"]
    triangles = decoded(data["meshes"][0])
    for face, (name, annotation) in zip(data["faces"], report_world.FACES.items(), strict=True):
        truth = chart.dense_of(annotation.vertices(chart.model), faces.GRID)
        at = np.array(face["origin"]) + face["step"] * decoded(face["truth"])
        assert np.abs(at - truth).max() < 0.01, name
        assert triangles.max() == len(truth) - 1
        found = np.array(face["origin"]) + face["step"] * decoded(face["predicted"][0]["points"])
        moved = found - at
        assert np.median(moved[:, 0]) == pytest.approx(report_world.MOVED, abs=0.2)
        assert abs(moved[:, 2].mean()) < 0.01
    assert data["full"] in faces.SCALES


def test_every_model_is_shown_on_the_faces_of_the_first(root):
    runs = [
        Run(name, "0", "test", "", str(root / "infer.h5"), str(root / "test.h5")) for name in ("prn", "vrn")
    ]
    found = faces.collect(runs, {"prn": {"b": 1.5}, "vrn": {"b": 2.5}}, {"b": 45.0}, Chart(model(root)))
    (face,) = faces.as_values([found])["faces"]
    assert [(each["model"], each["value"]) for each in face["predicted"]] == [("prn", 1.5), ("vrn", 2.5)]
    assert found.missing == {}


def test_one_stray_point_costs_the_others_no_precision():
    truth = np.random.default_rng(0).uniform(0, 100, (50, 3))
    face = faces.Face("b", "p", 0.0, "", truth, 80.0)
    wild = truth.copy()
    wild[0] = 1e9
    beside = faces.beside(wild, face)
    assert np.ptp(beside, axis=0).max() < 100 + 2 * faces.REACH * 80 + 1


def test_a_truth_of_points_alone_is_named_not_drawn(root, tmp_path):
    pack = write_pack(tmp_path / "p.h5", model(root), report_world.FACES)
    with h5py.File(pack, "r+") as file:
        file.attrs["truth"] = "points"
    run = Run("prn", "0", "test", "", str(root / "infer.h5"), str(pack))
    found = faces.collect([run], {"prn": {}}, {"a": 5.0}, Chart(model(root)))
    assert found.faces == [] and found.missing == {"prn": "the truth has points alone, no surface"}
    assert faces.as_values([found])["faces"] == []


def test_examples_are_best_median_and_worst_of_each_bin():
    protocol = protocols.load("nme68_2d")
    scores = [Score(f"p{k}", "nme68_2d", float(k), 10.0 + 30 * (k % 3), False) for k in range(15)]
    found = examples.chosen([*scores, Score("x", "nme68_2d", 100.0, 10.0, True)], protocol)
    assert {name: [s.value for s in group.values()] for name, group in found.items()} == {
        "0-30": [0, 6, 12],
        "30-60": [1, 7, 13],
        "60-90": [2, 8, 14],
    }
    assert list(found["0-30"]) == ["best", "median", "worst"]


def test_where_more_is_better_the_largest_score_is_the_best_and_without_bins_there_is_one_group():
    protocol = protocols.load("volume_iou").model_copy(update={"bins": {}})
    scores = [Score(f"p{k}", "volume_iou", k / 10, np.nan, False) for k in range(3)]
    (group,) = examples.chosen(scores, protocol).values()
    assert {rank: score.value for rank, score in group.items()} == {"best": 0.2, "median": 0.1, "worst": 0.0}


def test_given_predictions_have_no_crops_and_one_seed_is_shown():
    runs = [Run("a", "0", "t", "s", "p", "k"), Run("a", "1", "t", "s", "p", "k"), Run("given", "0", "t", "s")]
    assert examples.first_runs(Results({}, runs)) == runs[:1]


def test_the_overlay_is_drawn_over_the_crop(page):
    crops = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="(Crop|The same)', page)
    assert [kind for _, kind in crops] == ["Crop", "The same"] * 3
    first, second = (
        cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        for data, _ in crops[:2]
    )
    assert first.shape == second.shape == (48, 48, 3) and (first != second).any()


def test_json_cannot_end_its_script():
    assert "</script" not in as_json({"a": "</script><script>"})


def test_a_missing_sanity_card_is_one_line(root, tmp_path):
    report_world.write(tmp_path)
    (tmp_path / "sanity.json").unlink()
    with pytest.raises(FacemillError, match=r"no file .*sanity\.json"):
        report_world.make(tmp_path)


def test_a_ledger_that_is_off_makes_no_page(tmp_path):
    report_world.write(tmp_path)
    write_text(tmp_path / "kept.tsv", "face\tpicture\tsplit\tgroup\tshard\trow\n")
    with pytest.raises(FacemillError, match="the ledger is off: 3 pictures are missing"):
        report_world.make(tmp_path)
