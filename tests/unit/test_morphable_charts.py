"""Another chart for a face model: from every kind of file, checked, measured, and carried into every stage."""

import ast
from dataclasses import replace

import numpy as np
import pytest

from pipeline import jobs, settings
from pipeline.geometry.posmap import UVTable
from pipeline.io.meshes import read_mesh
from pipeline.morphable import charts, load_face_model
from pipeline.records import FacemillError
from tests.face_files import dome, write_chart, write_face3d, write_v2
from tests.project import ROOT


@pytest.fixture(scope="module")
def face():
    return dome()


@pytest.fixture(scope="module")
def files(tmp_path_factory, face):
    return write_face3d(tmp_path_factory.mktemp("face3d"), face)


@pytest.fixture(scope="module")
def model(files):
    return load_face_model("bfm2009", files)


def squeezed(model):
    """A chart with a seam: the left half of the triangles in the lower half of the square, the right one above."""
    left = model.mean[model.triangles][:, :, 0].mean(axis=1) < 0
    lower, upper = model.uv * (1, 0.45), model.uv * (1, 0.45) + (0, 0.5)
    rows = np.where(left[:, None], model.triangles, model.triangles + len(model.mean))
    return np.concatenate([lower, upper]), rows.astype(np.int32)


def write_obj(path, model, uv, uv_triangles, triangles=None, turn=0):
    """An .obj as other programs export it, its corners rotated by ``turn``."""
    triangles = model.triangles if triangles is None else triangles
    lines = ["# exported", "mtllib face.mtl", "o face"]
    lines += ["v " + " ".join(f"{x:.3f}" for x in p) + " 0.5 0.5 0.5" for p in model.mean]
    lines += [f"vt {u:.7f} {v:.7f}" for u, v in uv]
    lines += ["vn 0 0 1", "usemtl skin", "s off"]
    for corners, points in zip(np.roll(triangles, turn, 1), np.roll(uv_triangles, turn, 1), strict=True):
        lines.append("f " + " ".join(f"{v + 1}/{t + 1}/1" for v, t in zip(corners, points, strict=True)))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_an_obj_gives_its_chart_corner_by_corner(tmp_path, files, model, turn):
    uv, rows = squeezed(model)
    found = load_face_model("bfm2009", files, write_obj(tmp_path / "c.obj", model, uv, rows, turn=turn))
    np.testing.assert_allclose(found.uv[found.uv_triangles], uv[rows], atol=1e-6)
    np.testing.assert_array_equal(found.triangles, model.triangles)
    np.testing.assert_array_equal(found.mean, model.mean)
    reversed_rows = write_obj(tmp_path / "r.obj", model, uv, rows[:, ::-1], model.triangles[:, ::-1])
    found = load_face_model("bfm2009", files, reversed_rows)
    np.testing.assert_allclose(found.uv[found.uv_triangles], uv[rows], atol=1e-6)


def test_a_list_of_points_and_an_archive_with_seams_are_charts_too(tmp_path, files, model, face):
    other = replace(face, uv=face.uv * 0.5 + 0.25)
    found = load_face_model("bfm2009", files, write_chart(tmp_path, other))
    np.testing.assert_allclose(found.uv, other.uv, atol=1e-6)
    np.savez(tmp_path / "points.npz", uv=other.uv)
    np.testing.assert_array_equal(load_face_model("bfm2009", files, tmp_path / "points.npz").uv, found.uv)
    uv, rows = squeezed(model)
    np.savez(tmp_path / "seams.npz", uv=uv, uv_triangles=rows)
    found = load_face_model("bfm2009", files, tmp_path / "seams.npz")
    np.testing.assert_array_equal(found.uv_triangles, rows)


def test_a_map_of_the_new_chart_shows_the_mesh_in_it(model):
    uv, rows = squeezed(model)
    found = charts.with_chart(model, uv, rows)
    table = UVTable(found.uv, found.uv_triangles, found.triangles, 64)
    x = table.gather(found.mean)[..., 0]
    assert (x[:28][table.inside[:28]] > -6e3).all() and (x[36:][table.inside[36:]] < 6e3).all()
    other = UVTable(model.uv, model.uv_triangles, model.triangles, 64)
    assert other.inside.mean() > 0.95 > 0.6 > table.inside.mean()


def test_the_whole_meshs_chart_serves_the_part_that_indices_name(tmp_path, face):
    path = write_v2(tmp_path, face)
    (tmp_path / "configs" / "BFM_UV.mat").unlink()
    chart = write_chart(tmp_path / "uv", face)
    with pytest.raises(
        FacemillError, match=rf"for each of {len(face.kept)} vertices of .*tddfa_v2, found 900"
    ):
        load_face_model("tddfa_v2", path, chart)
    np.save(tmp_path / "uv" / "indices.npy", face.kept)
    found = load_face_model("tddfa_v2", path, chart)
    np.testing.assert_allclose(found.uv, face.uv[face.kept], atol=1e-6)


def test_the_fit_of_a_chart_is_measured(model):
    fit = charts.measure(model.uv, model.uv_triangles)
    assert fit.folded == 0 and fit.overlapping < 1e-3 and fit.covered > 0.99
    half = model.uv * (0.5, 1)
    fit = charts.measure(half, model.uv_triangles)
    assert fit.overlapping < 1e-3 and abs(fit.covered - 0.5) < 2e-3
    both = np.concatenate([half, model.uv * (0.5, 1)])
    rows = np.concatenate([model.uv_triangles, model.uv_triangles + len(half)])
    assert abs(charts.measure(both, rows).overlapping - 0.5) < 2e-3
    folded = np.abs(model.uv - (0.5, 0))
    fit = charts.measure(folded, model.uv_triangles)
    assert abs(fit.folded - 0.5) < 0.04 and abs(fit.overlapping - 0.5) < 0.04
    with pytest.raises(FacemillError, match="with area"):
        charts.measure(model.uv * 0, model.uv_triangles)


def test_a_chart_that_is_not_one_to_one_or_not_in_the_square_is_refused_with_its_shares(model):
    rows = model.uv_triangles
    cases = [
        (model.uv * (1, -1) + (0, 1), "the chart is mirrored, 100.0%"),
        (
            np.where(model.uv[:, :1] < 0.2, model.uv * (-1, 1) + (0.4, 0), model.uv),
            r"found 19\.\d% .* folded over",
        ),
        (model.uv * (6.9, 1), r"expected u and v from 0 to 1, found 0 to 6\.9"),
        (np.where(model.uv > 0.99, np.nan, model.uv), "expected u and v from 0 to 1, found nan"),
        (model.uv[:, :1], "expected chart points"),
    ]
    for uv, message in cases:
        with pytest.raises(FacemillError, match=message):
            charts.with_chart(model, uv, rows)
    with pytest.raises(FacemillError, match=rf"a row for each of {len(rows)} triangles"):
        charts.with_chart(model, model.uv, rows[:-1])
    with pytest.raises(FacemillError, match="rows from 0 to 899"):
        charts.with_chart(model, model.uv, rows + 1)
    seam, turned = squeezed(model)
    seam[len(model.mean) :] = np.clip(seam[len(model.mean) :] - (0.5, 0.5), 0, 1)
    with pytest.raises(FacemillError, match=r"found 0\.0% .* folded over and 4\d\.\d% on top"):
        charts.with_chart(model, seam, turned)


def test_an_obj_of_another_mesh_or_without_a_chart_is_refused(tmp_path, files, model, face):
    uv, rows = model.uv, model.uv_triangles
    path = write_obj(tmp_path / "a.obj", model, uv, rows)
    text = path.read_text()

    def refused(changed, message):
        path.write_text(changed)
        with pytest.raises(FacemillError, match=message) as error:
            load_face_model("bfm2009", files, path)
        assert "a.obj" in str(error.value)

    whole = "the 900 vertices and 1682 triangles of face model bfm2009"
    refused(text.replace("v ", "# ", 1), f"{whole}, found 899 and 1682")
    refused(text + "v 0 0 0\n", f"{whole}, found 901 and 1682")
    refused(text[: text.rindex("f ")], "found 900 and 1681")
    refused(
        "\n".join(x.split("/")[0] if x[:1] == "f" else x for x in text.splitlines()), "1682 triangles|line"
    )
    plain = "\n".join(
        "f " + " ".join(word.split("/")[0] for word in x.split()[1:]) if x.startswith("f ") else x
        for x in text.splitlines()
    )
    refused(plain, r"expected chart points \(vt, and f v/vt\), found none")
    lines = text.splitlines()
    refused("\n".join([*lines[:-2], lines[-1], lines[-2]]), "in their order, found others, first in row 1680")
    refused("\n".join([*lines[:-1], lines[-1].replace("/1", "/", 1)[:20]]), "line")
    refused(text.replace("vt 0", "vt zero", 1), r"line \d+: expected v x y z, vt u v")
    refused("\n".join([*lines[:-1], plain.splitlines()[-1]]), "at every polygon or at none")
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FacemillError, match=r"a\.obj: expected vertices \(lines v x y z\), found none"):
        load_face_model("bfm2009", files, path)


def test_a_chart_file_of_another_kind_or_nowhere_says_what_was_expected(tmp_path, files):
    for name, message in (
        ("chart.png", r"expected a chart as \.mat, \.npz or \.obj, found \.png"),
        ("chart.obj", "no file"),
        ("chart.mat", "no file"),
        ("chart.npz", "no file"),
    ):
        with pytest.raises(FacemillError, match=message):
            load_face_model("bfm2009", files, tmp_path / name)
    np.savez(tmp_path / "chart.npz", points=np.zeros((3, 2)))
    with pytest.raises(FacemillError, match="expected the arrays uv; missing: uv; found points"):
        load_face_model("bfm2009", files, tmp_path / "chart.npz")


def test_a_polygons_chart_is_cut_into_the_same_fan_as_the_polygon(tmp_path):
    (tmp_path / "quad.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt .1 .1\nvt .9 .1\nvt .9 .9\nvt .1 .9\nf -4/1 -3/2 -2/3 -1/4\n"
    )
    mesh = read_mesh(tmp_path / "quad.obj")
    assert mesh.triangles.tolist() == mesh.uv_triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    np.testing.assert_allclose(mesh.uv[2], [0.9, 0.9])


CHART = "${CHARTS}/BFM_UV.mat"


@pytest.mark.parametrize(
    ("stage", "wildcards"),
    [
        ("synthesise", {"dataset": "synth_test", "shard": 0}),
        ("ground_truth", {"frame": "fan192", "target": "posmap96", "dataset": "synth_test", "shard": 0}),
        ("train", {"model": "prn", "seed": 0}),
        ("score", {"model": "prn", "seed": 0, "benchmark": "synth_test"}),
        ("sheet", {"model": "prn", "seed": 0, "benchmark": "synth_test"}),
    ],
)
def test_a_chart_in_the_config_is_an_input_and_a_setting_of_every_job_with_a_face_model(stage, wildcards):
    block = {"id": "bfm2009", "path": "${BFM}/BFM.mat", "chart": CHART}
    assignments = [f"face_model.{key}={value}" for key, value in block.items()]
    job = jobs.job(settings.load((), assignments), stage, **wildcards)
    assert job.inputs["face_model"] == [block["path"], CHART]
    assert job.settings["face_model"] == block
    without = jobs.job(settings.load((), assignments[:2]), stage, **wildcards)
    assert without.inputs["face_model"] == [block["path"]] and without.settings["face_model"]["chart"] is None


def test_a_chart_that_is_not_there_is_named_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("CHARTS", str(tmp_path))
    with pytest.raises(
        FacemillError, match=r"^face_model\.chart: expected a file or folder, found nothing at"
    ):
        jobs.require_data(settings.load((), [f"face_model.chart={CHART}"]))
    own = [f"datasets.synth_test.face_model={{id: procedural, chart: '{CHART}'}}"]
    with pytest.raises(FacemillError, match=r"^datasets\.synth_test\.face_model\.chart: expected"):
        jobs.require_data(settings.load((), own))


def test_a_stage_reads_the_chart_that_its_settings_name(tmp_path, monkeypatch, files, face):
    """What a stage is handed as settings.face_model goes whole to `load_face_model`."""
    monkeypatch.setenv("CHARTS", str(tmp_path))
    write_chart(tmp_path, replace(face, uv=face.uv * 0.5))
    block = settings.as_values(
        settings.load((), [f"face_model={{id: bfm2009, path: {files}, chart: '{CHART}'}}"]).face_model
    )
    np.testing.assert_allclose(load_face_model(**block).uv, face.uv * 0.5, atol=1e-6)


def test_every_stage_and_verb_hands_the_whole_block_on():
    """A call with the id and the path alone would drop the chart."""
    calls = []
    for path in [*ROOT.glob("pipeline/stages/*.py"), ROOT / "pipeline/verbs/picture.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_face_model":
                calls.append(path.name)
                assert not node.args and [k.arg for k in node.keywords] == [None], (
                    f"{path.name}:{node.lineno}"
                )
    assert {"synthesise.py", "ground_truth.py", "train.py", "score.py", "sheet.py"} <= set(calls)
