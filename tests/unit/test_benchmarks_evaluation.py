"""The evaluator's benchmark on small faces: every limit has its line, and a result that differs is a limit missed."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_head import egg

from benchmarks import evaluation


@pytest.fixture
def small(monkeypatch):
    """The benchmark with an egg for a face, hundreds of points and no real data."""
    for name, count in (("VERTICES", 500), ("CLOUD", 400), ("SCAN", 200)):
        monkeypatch.setattr(evaluation, name, count)
    monkeypatch.setattr(evaluation, "load_face_model", lambda name, path: egg())
    monkeypatch.delenv("FACEMILL_DATA", raising=False)


def test_every_figure_has_its_limit_and_the_last_line_counts_them(small, capsys):
    evaluation.judge(2, 1)
    lines = capsys.readouterr().out.splitlines()
    judged = [line for line in lines if line.startswith(("ok", "MISSED"))]
    assert [sum(word in line for line in judged) for word in ("scoring", "ICP", "triangles")] == [2, 8, 1]
    assert [line.split()[0] for line in judged if "difference" in line] == ["ok", "ok"]
    assert lines[-1].startswith("11 limits, ") and any("FACEMILL_DATA" in line for line in lines)


@pytest.mark.parametrize("change", ["distances", "iterations"])
def test_another_result_than_the_plain_loops_is_missed(small, monkeypatch, change):
    plain = evaluation.plain_icp

    def other(*arguments):
        found = plain(*arguments)
        value = found.distances + 1e-5 if change == "distances" else found.iterations + 1
        return replace(found, **{change: value})

    monkeypatch.setattr(evaluation, "plain_icp", other)
    clouds = evaluation.procedural_clouds(egg())
    [limit] = [limit for limit in evaluation.of_icp(clouds, 1) if "difference" in limit.what]
    assert not limit.kept


def test_a_turned_start_lies_away_from_the_landmarks(small):
    clouds = evaluation.procedural_clouds(egg())
    turned = clouds.turned()
    assert turned.name.endswith("turned") and turned.start.scale == clouds.start.scale
    moved, before = turned.start.apply(clouds.moving), clouds.start.apply(clouds.moving)
    assert np.linalg.norm(moved - before, axis=1).mean() > 5


def test_points_of_a_surface_lie_on_it_and_fill_it_by_area():
    corners = np.array([[0.0, 0, 5], [3, 0, 5], [0, 3, 5], [9, 9, 5], [10, 9, 5], [9, 10, 5]])
    points = evaluation.on_surface(corners, np.array([[0, 1, 2], [3, 4, 5]]), 4000, np.random.default_rng(0))
    large = points[:, 0] < 5
    assert np.all(points[:, 2] == 5) and large.mean() == pytest.approx(0.9, abs=0.02)
    assert np.all(points[large, :2].sum(axis=1) <= 3 + 1e-9) and np.all(points[large] >= 0)
    assert np.array_equal(large, np.sort(large)[::-1])
