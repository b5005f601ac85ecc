"""face-model show: what it prints, and a page that is neither mirrored nor inside out nor cut."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.apps import face_model_sheet as sheet
from pipeline.io.images import read_picture
from pipeline.morphable import load_face_model
from pipeline.morphable.charts import measure
from tests.face_files import dome, write_face3d


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_face3d(tmp_path_factory.mktemp("face3d"), dome())


@pytest.fixture(scope="module")
def model(files):
    return load_face_model("bfm2009", files)


def page(model):
    return sheet.draw(model, measure(model.uv, model.uv_triangles))


def tile(picture, row, column):
    """A panel of the first rows of tiles, without its caption."""
    top = sheet.TITLE + row * (sheet.PANEL + sheet.CAPTION)
    return picture[top : top + sheet.PANEL, column * sheet.PANEL : (column + 1) * sheet.PANEL]


def drawn(panel):
    return (panel < 250).any(axis=2)


def test_the_verb_draws_a_page_and_prints_sizes_and_licence(tmp_path, capsys, files, model):
    out = tmp_path / "page.png"
    assert main(["face-model", "show", "--id", "bfm2009", "--path", str(files), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "bfm2009: 900 vertices, 1682 triangles, 6 shape, 4 expression, 3 albedo modes",
        "chart: 900 points, folded 0, overlapping 0 of its area",
        "licence: Basel Face Model 2009: research only, not to be passed on",
        f"page: {out}",
    ]
    np.testing.assert_array_equal(read_picture(out), page(model))


def test_the_verb_takes_another_chart_and_says_in_one_line_what_is_wrong(tmp_path, capsys, files, model):
    np.savez(tmp_path / "half.npz", uv=model.uv * (0.5, 1))
    arguments = ["face-model", "show", "--id", "bfm2009", "--path", str(files), "--out"]
    assert main([*arguments, str(tmp_path / "b.png"), "--chart", str(tmp_path / "half.npz")]) == 0
    assert main([*arguments, str(tmp_path / "a.png")]) == 0
    third = sheet.PANEL * sheet.COLUMNS // 3
    row = slice(sheet.TITLE + sheet.PANEL + sheet.CAPTION, sheet.TITLE + sheet.PANEL + sheet.CAPTION + third)
    own, other = (drawn(read_picture(tmp_path / f"{n}.png")[row, 2 * third :]) for n in "ab")
    assert own.mean() > 0.95 and abs(other.mean() - 0.5) < 0.05 and other[:, : third // 2].mean() > 0.95
    capsys.readouterr()
    assert main([*arguments, str(tmp_path / "c.png"), "--chart", str(tmp_path / "none.obj")]) == 1
    assert capsys.readouterr().err == f"face-model: no file {tmp_path}/none.obj\n"
    assert not (tmp_path / "c.png").exists()


def test_the_face_is_not_mirrored_nor_upside_down_nor_inside_out(model):
    red, blue = np.eye(3, dtype=np.float32)[[0, 2]]
    sided = np.where(model.mean[:, :1] < 0, red, blue).astype(np.float32)
    front = tile(page(replace(model, albedo_mean=sided)), 0, 3)
    seen = drawn(front)
    left = seen & (np.indices(seen.shape)[1] < seen.shape[1] / 2)
    right = seen & ~left
    assert (front[left, 0] > 200).mean() > 0.85 and (front[right, 2] > 200).mean() > 0.85
    raised = np.where(model.mean[:, 1:2] > 0, red, blue).astype(np.float32)
    front = tile(page(replace(model, albedo_mean=raised)), 0, 3)
    rows = np.flatnonzero(drawn(front).any(axis=1))
    assert (front[rows[2], drawn(front)[rows[2]], 0] > 200).all()
    assert drawn(tile(page(model), 0, 0)).mean() > 0.2
    turned = replace(
        model, triangles=model.triangles[:, ::-1].copy(), uv_triangles=model.uv_triangles[:, ::-1]
    )
    assert drawn(tile(page(turned), 0, 0)).mean() == 0


def test_no_panel_is_cut_whatever_its_mode_does(model):
    large = replace(model, shape_sigma=model.shape_sigma * 20)
    picture = page(large)
    below = sheet.TITLE * 2 + (sheet.PANEL + sheet.CAPTION) + sheet.PANEL * sheet.COLUMNS // 3 + sheet.CAPTION
    for row in range(2):
        top = below + row * (sheet.PANEL + sheet.CAPTION)
        for column in range(sheet.COLUMNS):
            panel = picture[top : top + sheet.PANEL, column * sheet.PANEL : (column + 1) * sheet.PANEL]
            seen = drawn(panel)
            assert seen.any() and not seen[[0, -1]].any() and not seen[:, [0, -1]].any()


def test_one_way_modes_have_one_end_and_unknown_sigmas_a_stated_reach(model):
    words = [w for _, w, _ in sheet._coefficients(model, "expression", 4)]
    assert words == ["-3 sigma", "+3 sigma"] * 4
    one_way = replace(model, expression_floor=np.zeros(4))
    found = list(sheet._coefficients(one_way, "expression", 4))
    assert [w for _, w, _ in found] == ["+3 sigma, one way"] * 4
    np.testing.assert_allclose([c[-1] for _, _, c in found], 3 * model.expression_sigma)
    unknown = replace(model, expression_sigma=np.full(4, np.nan))
    for _, _, coefficients in sheet._coefficients(unknown, "expression", 4):
        moved = np.linalg.norm(unknown.vertices(None, coefficients) - unknown.mean, axis=1).max()
        assert abs(moved - sheet.SHIFT * np.ptp(model.mean[:, 0])) < 1.0
    assert "sigma is unknown" in sheet._section(unknown, "expression", 4)
    assert "unknown" not in sheet._section(model, "expression", 4)
    page(unknown)


def test_a_model_without_colours_has_no_albedo_row(model):
    bare = replace(model, albedo_mean=None, albedo_basis=None, albedo_sigma=None)
    rows = sheet.TITLE + sheet.PANEL + sheet.CAPTION
    assert page(model).shape[0] - page(bare).shape[0] == rows
    assert "albedo" not in sheet.headline(bare)


def test_captions_fit_their_strips(model, monkeypatch):
    seen = []
    real = cv2.putText

    def recorded(picture, words, where, font, scale, *rest):
        (width, _), _ = cv2.getTextSize(words, font, scale, 1)
        seen.append((words, where[0] >= 0 and where[0] + width <= picture.shape[1]))
        return real(picture, words, where, font, scale, *rest)

    monkeypatch.setattr(cv2, "putText", recorded)
    page(model)
    assert len(seen) > 100 and all(fits for _, fits in seen), [words for words, fits in seen if not fits]
