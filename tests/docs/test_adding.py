"""docs/adding.md is true: its files and lines, written into a copy of the project, do what it says."""

import json
import re

import pytest

from tests.project import ROOT, fresh

PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
BLOCKS = {
    match["path"]: match["text"]
    for match in re.finditer(r"```(?:python|yaml)\n# (?P<path>\S+)\n(?P<text>.*?)```", PAGE, re.S)
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with everything that the page adds."""
    copy = fresh(tmp_path_factory.mktemp("adding") / "project")
    for name, text in BLOCKS.items():
        (copy.path / name).write_text(text, encoding="utf-8")
    return copy


def test_each_addition_is_one_file_of_a_few_lines_and_one_line_of_config():
    assert len(BLOCKS) == 6
    for name, text in BLOCKS.items():
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) == 1 if "/" not in name else len(lines) <= 12, f"{name}: {len(lines)} lines"


def test_a_model_is_planned_to_its_json(project):
    done = project.snakemake("results/eval/constant_map.json", options=("-n", "model.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "model=constant_map" in done.stdout + done.stderr


def test_a_model_trains(project):
    code = (
        "import torch; from pipeline.registry import MODELS; m = MODELS['constant_map'](size=32); "
        "print(tuple(m(torch.zeros(2, 3, 32, 32)).shape))"
    )
    done = project.run("python", "-c", code)
    assert done.stdout.strip() == "(2, 3, 32, 32)", done.stderr


def test_a_data_set_is_listed_with_its_groups(project, tmp_path):
    import numpy as np

    from pipeline.io.images import encode_jpeg

    for person in ("ada", "bo"):
        (tmp_path / person).mkdir()
        (tmp_path / person / "1.jpg").write_bytes(encode_jpeg(np.zeros((8, 8, 3), np.uint8), 90))
    arguments = (
        "source",
        "--dataset",
        "people",
        "--configfile",
        "small.yaml",
        "--configfile",
        "dataset.yaml",
    )
    done = project.pipeline(*arguments, PEOPLE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = (project.path / "results/source/people.tsv").read_text().splitlines()
    assert [row.split("\t")[3] for row in rows] == ["group", "ada", "bo"]


def test_a_protocol_is_planned_as_scores_only(project):
    done = project.snakemake("results/eval/prn.json", options=("-n", "protocol.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    done = project.run(
        "python",
        "-c",
        "import json; from pipeline import jobs, settings; c = settings.load(['protocol.yaml']); "
        "j = jobs.job(c, 'score', model='prn', seed=0, benchmark='synth_test'); "
        "print(json.dumps(j.settings['protocols']['nme68_2d_wide']))",
    )
    assert json.loads(done.stdout)["measure"]["normaliser"] == "interocular", done.stderr
