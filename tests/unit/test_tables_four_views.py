"""The panel of 3D landmarks: matplotlib's own views, points where the crop puts them, and who is left out."""

import re

import numpy as np
import pytest
from test_tables_figures import chart, results, words  # noqa: F401 (fixtures)

from pipeline.evaluation.shapes import PointsShape
from pipeline.tables.figures import four_views as figure
from pipeline.tables.figures.faces import faces_of
from pipeline.tables.figures.four_views import PREDICTED, TRUE, VIEWS, four_views, projected
from pipeline.tables.figures.tiles import landmarks_in


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_those_of_matplotlib(view):
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d import proj3d

    axes = Figure().add_subplot(projection="3d", proj_type="ortho")
    axes.view_init(*view)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    axes.set_box_aspect((1, 1, 1))
    points = np.random.default_rng(0).uniform(-0.8, 0.8, (12, 3))
    x, y, _ = proj3d.proj_transform(*points.T, axes.get_proj())
    theirs, ours = np.column_stack([x, y]), projected(points, *view)
    scale = np.ptp(theirs) / np.ptp(ours)
    np.testing.assert_allclose(theirs - theirs.mean(0), scale * (ours - ours.mean(0)), atol=2e-3)


def test_the_first_view_is_the_picture_as_one_sees_it():
    right, down, near = projected(np.eye(3) * [-1, 1, 1], *VIEWS[0])
    assert right[0] == pytest.approx(1) and abs(right[1]) < 1e-9
    assert down[1] < -0.99 and abs(down[0]) < 1e-9
    assert np.linalg.norm(near) < 0.1


def rows_of(drawn):
    """The axes of each row: a picture and three views."""
    axes = drawn.figure.axes
    return [axes[start : start + 4] for start in range(0, len(axes), 4)]


def test_every_model_has_a_row_a_picture_with_truth_and_prediction(results, chart):  # noqa: F811
    rows = rows_of(four_views(results, chart))
    assert len(rows) == 2 * 3, "two models, three pictures"
    picture, *views = rows[0]
    assert len(picture.images) == 1 and not picture.axison
    for axes in (picture, *views):
        assert [line.get_color() for line in axes.lines] == [TRUE, PREDICTED]
        assert all(len(line.get_xdata()) == 68 for line in axes.lines)
    faces = faces_of(results.of("bench"), [f"p{k}" for k in range(6)], chart).values()
    true = picture.lines[0].get_xydata()
    assert any(np.allclose(true, landmarks_in(face, face.truth)[:, :2]) for face in faces)


def test_depths_are_compared_from_a_common_mean(results, chart, monkeypatch):  # noqa: F811
    own = figure.shapes_of

    def deeper(run, pictures, chart):
        return {
            name: PointsShape(shape.landmarks() + np.array([0, 0, 500.0]), chart.model.mean[:68])
            for name, shape in own(run, pictures, chart).items()
        }

    before = [line.get_xydata() for axes in four_views(results, chart).figure.axes for line in axes.lines]
    monkeypatch.setattr(figure, "shapes_of", deeper)
    after = [line.get_xydata() for axes in four_views(results, chart).figure.axes for line in axes.lines]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_model_without_depth_is_named_and_not_drawn(results, chart, words, monkeypatch):  # noqa: F811
    own = figure.shapes_of

    def flat(run, pictures, chart):
        found = own(run, pictures, chart)
        if run.model != "other":
            return found
        return {name: PointsShape(shape.landmarks()[:, :2], None) for name, shape in found.items()}

    monkeypatch.setattr(figure, "shapes_of", flat)
    assert len(rows_of(four_views(results, chart))) == 3
    assert any(re.fullmatch("Not drawn, as they predict no landmarks in 3D: other.", said) for said in words)
