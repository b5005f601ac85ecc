"""docs/scoring.md: its examples write files that are read, its table says what each can be scored under, and its
commands, options and folders are there."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.ndimage import binary_dilation

from pipeline import settings
from pipeline.__main__ import main, parser
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.given import CONVENTIONS, of_arrays, read_shapes
from pipeline.evaluation.sanity import published, world
from pipeline.evaluation.shapes import Degenerate, Lacking
from pipeline.morphable import load_face_model
from tests.project import ROOT

PAGE = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.S)
COLUMNS = {
    "68 points 2D": "nme68_2d",
    "3D": "nme68_3d",
    "dense": "dense_2d",
    "vertices": "vertices_2d",
    "no neck": "noneck_2d",
    "surface": "reconstruction_known",
    "pose": "head_pose",
    "volume": "volume_iou",
}


@pytest.fixture(scope="module")
def chart():
    """With texels as PRNet's list has them: all landmarks lie on some."""
    model = load_face_model("procedural")
    return Chart(model, np.flatnonzero(binary_dilation(Chart(model).face_mask(256), iterations=2)))


@pytest.fixture(scope="module")
def truth(chart):
    return world.truths(chart, protocols.load("nme68_2d"))[1]


@pytest.fixture(scope="module")
def forms(chart, truth):
    """The shape of each form of the page's table that says the truth."""
    model = chart.model
    vertices = truth.shape.vertices("all")
    whole = {"params62": np.concatenate([truth.shape.annotation.matrix.ravel(), np.zeros(50)])}
    points = {"pts68": truth.landmarks("original")}
    arrays = {
        "`pts68` (n, 68, 2)": {"pts68": points["pts68"][:, :2]},
        "`pts68` (n, 68, 3)": points,
        "`vertices`, all": {"vertices": vertices},
        "`vertices`, no neck": {"vertices": vertices[model.face_mask]},
        "`vertices`, texels": {"vertices": truth.shape.face(256)},
        "`params62`": whole | {"roi_box": np.array([0.0, 0.0, 120.0, 120.0]), "convention": "exact"},
        "`pose_deg`": {"pose_deg": np.degrees(truth.angles)},
    }
    return {
        form: of_arrays(
            {key: value if key == "convention" else value[None] for key, value in given.items()}
            | {"names": np.array([truth.picture])},
            ROOT,
            chart,
        )[truth.picture]
        for form, given in arrays.items()
    }


def test_the_examples_write_files_that_are_read(tmp_path, monkeypatch, chart):
    monkeypatch.chdir(tmp_path)
    writing = [code for code in PYTHON if "savez" in code]
    assert len(writing) == 4
    for code in writing:
        exec(code, {})
    files = sorted(tmp_path.iterdir())
    assert [path.stem for path in files] == ["angles", "meshes", "params", "points"]
    for path in files:
        assert list(read_shapes(path, chart)) == ["image00002", "image00004"], path


def test_the_table_says_what_can_be_scored_with_what(forms, truth):
    rows = dict(re.findall(r"^\| (`(?:pts68|vertices|params62|pose_deg)`.*?) \| (.*) \|$", PAGE, re.M))
    header = re.search(r"^\| \| (68 points 2D.*) \|$", PAGE, re.M)[1].split(" | ")
    assert header == list(COLUMNS) and rows.keys() == forms.keys()
    for form, cells in rows.items():
        said = {column for column, cell in zip(header, cells.split("|"), strict=True) if cell.strip()}
        found = {column for column, name in COLUMNS.items() if can(forms[form], truth, name)}
        assert said == found, form


def can(shape, truth, name):
    """Whether a protocol gives the shape a score."""
    try:
        protocols.load(name).measure.score(shape, truth)
    except Degenerate:
        raise AssertionError(f"{shape.what} lies in one place") from None
    except Lacking:
        return False
    return True


def test_numbers_of_vertices_and_conventions_are_the_codes_own(chart):
    for count in (len(chart.model.mean), int(chart.model.face_mask.sum())):
        assert f"{count:,}" in PAGE
    assert set(re.findall(r"`(3ddfa\w*|exact)`", PAGE)) >= CONVENTIONS.keys()


def test_figures_go_into_a_file_and_from_there_into_a_row(tmp_path, monkeypatch, capsys, chart):
    monkeypatch.chdir(tmp_path)
    truths = world.truths(chart, protocols.load("nme68_2d"))
    points = np.stack([truth.landmarks("original") for truth in truths])
    names = [truth.picture for truth in truths]
    np.savez("truth.npz", names=names, pts68=points, yaw_deg=[truth.yaw("fitted") for truth in truths])
    np.savez("points.npz", names=names[1:], pts68=points[1:] + np.array([3, 4, 0]))
    typed = re.search(r"python -m pipeline (score .*--out.*)", PAGE)[1].replace("synth_test", "truth.npz")
    assert main(typed.split()) == 0
    assert (tmp_path / "mine.tsv").read_text(encoding="utf-8").count("\n") == 1 + len(names)
    said = capsys.readouterr().out
    exec(next(code for code in PYTHON if "json" in code), {})
    row = capsys.readouterr().out.strip()
    assert re.fullmatch(r"\d\.\d\d & \d\.\d\d & \d\.\d\d & \d\.\d\d & \d\d\.\d\d", row)
    assert f"balanced {float(row.split(' & ')[3]):.2f}" in re.sub(r"(\.\d\d)\d", r"\1", said)


def test_options_are_there():
    verbs = parser()._subparsers._group_actions[0].choices
    known = {option for name in ("score", "check-protocols") for option in verbs[name]._option_string_actions}
    pattern = r"(?<![\w-])--[a-z][\w-]*"
    assert set(re.findall(pattern, PAGE)) - {"--configfile"} <= known
    assert {"--only", "--origin", "--out", "--scores", "--data"} <= set(re.findall(pattern, PAGE))


def test_the_folder_of_published_data_is_the_one_that_is_read():
    listed = set(re.findall(r"`([\w-]+/[\w/.-]+\.npz)`", PAGE.split("below the folder")[1]))
    source = Path(published.__file__).read_text(encoding="utf-8")
    assert listed == set(re.findall(r"`([\w-]+/[\w/.-]+\.npz)`", published.__doc__))
    for name in listed:
        assert name.split("/", 1)[1] in source


def test_the_example_of_given_predictions_is_a_config(tmp_path):
    overlay = tmp_path / "theirs.yaml"
    overlay.write_text(re.search(r"```yaml\n(# theirs\.yaml.*?)```", PAGE, re.S)[1], encoding="utf-8")
    assert settings.load([overlay]).evaluation.given == {"theirs": {"synth_test": "predictions.npz"}}
    assert yaml.safe_load(overlay.read_text(encoding="utf-8"))
