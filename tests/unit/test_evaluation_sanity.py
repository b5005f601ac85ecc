"""The sanity card: all its cases are met, and it turns red where the evaluator is wrong."""

import json

import numpy as np
import pytest
from evaluation_cases import model

from pipeline.__main__ import main
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.measures import points, pose
from pipeline.evaluation.sanity import analytic, perturbed
from pipeline.evaluation.sanity.row import Row
from pipeline.settings import PROTOCOLS, protocol_names, read_yaml
from pipeline.stages import check_protocols

ALL = [protocols.load(name) for name in protocols.names()]


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


def off(chart, *names) -> set[str]:
    """The cases that are not met, of some protocols."""
    chosen = [protocols.load(name) for name in names]
    return {row.case for row in [*analytic.rows(chart, chosen), *perturbed.rows(chart, chosen)] if not row.ok}


def test_every_protocol_has_its_cases_and_all_are_met(chart):
    rows = [*analytic.rows(chart, ALL), *perturbed.rows(chart, ALL)]
    assert {row.protocol for row in rows} == set(protocols.names())
    assert [row.line() for row in rows if not row.ok] == []
    assert {row.case for row in rows} >= {
        "the truth itself",
        "shifted by (3, 4) px",
        "one picture of six without a prediction",
        "the truth in a file that counts from 0",
    }


def test_a_wrong_normaliser_turns_the_card_red(chart, monkeypatch):
    monkeypatch.setattr(points, "nme", lambda predicted, truth, size: 50.0)
    assert {"the truth itself", "shifted by (3, 4) px"} <= off(chart, "nme68_2d")


def test_a_biased_decode_turns_the_card_red(chart, monkeypatch):
    monkeypatch.setattr(pose, "decode_angles", lambda rotation, decode: np.array([0.0, 0.1, 0.0]))
    assert "the truth itself" in off(chart, "head_pose_yaw")


def test_a_case_without_a_figure_is_off():
    assert not Row("analytic", "p", "c", 0.0, None, 1.0).ok
    assert "got none" in Row("analytic", "p", "c", 0.0, None, 1.0).line()
    assert Row("analytic", "p", "c", 1.0, 1.05, 0.1).ok and not Row("analytic", "p", "c", 1.0, 1.2, 0.1).ok


def test_the_verb_prints_each_case_and_exits_with_1_where_one_is_off(capsys, monkeypatch):
    monkeypatch.delenv("FACEMILL_DATA", raising=False)
    monkeypatch.setattr(analytic, "rows", lambda chart, chosen: [Row("analytic", "p", "c", 1.0, 2.0, 0.1)])
    monkeypatch.setattr(perturbed, "rows", lambda chart, chosen: [Row("perturbed", "p", "c", 1.0, 1.0, 0.1)])
    assert main(["check-protocols"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "OFF  analytic  p                            c: expected 1, got 2, tolerance 0.1"
    assert lines[1].startswith("ok   perturbed")
    assert lines[2] == "2 cases, 1 off; no published predictions: give their folder with --data"
    assert main(["check-protocols", "--data", "nowhere"]) == 1
    assert "expected a folder, found none at nowhere" in capsys.readouterr().err


def test_the_stage_writes_the_card_as_json(tmp_path):
    content = {name: read_yaml(PROTOCOLS / f"{name}.yaml") for name in protocol_names()[:2]}
    check_protocols.run(
        inputs={},
        outputs={"sanity": str(tmp_path / "sanity.json")},
        settings={"face_model": {"id": "procedural"}, "published": None, "protocols": content},
        wildcards={},
        attributes={},
    )
    found = json.loads((tmp_path / "sanity.json").read_text())
    assert found["ok"] == found["total"] == len(found["rows"]) > 5 and not found["published"]
    assert set(found["rows"][0]) == {
        "group",
        "protocol",
        "case",
        "expected",
        "got",
        "tolerance",
        "note",
        "ok",
    }
