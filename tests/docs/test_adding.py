"""docs/adding.md is true: its files and lines, written into a copy of the small base run, do what it says."""

import json
import re
import shutil

import numpy as np
import pytest

from pipeline.config import TargetSettings
from pipeline.io import hdf5
from pipeline.io.images import encode_jpeg
from pipeline.io.tables import read_tsv
from pipeline.records import KEPT_COLUMNS, PACK, REAPED_COLUMNS
from pipeline.registry import TARGETS
from tests.project import ROOT, TARGET

PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
BLOCKS = {
    match["path"]: match["text"]
    for match in re.finditer(r"```(?:python|yaml)\n# (?P<path>\S+)\n(?P<text>.*?)```", PAGE, re.S)
}


@pytest.fixture(scope="module")
def project(base, tmp_path_factory):
    """A copy of the base run with everything that the page adds."""
    copy = base.copy(tmp_path_factory.mktemp("adding") / "project")
    for name, text in BLOCKS.items():
        (copy.path / name).write_text(text, encoding="utf-8")
    copy.edit("model.yaml", "posmap96", "posmap32")  # the base run's maps
    copy.edit("model.yaml", "size: 96", "size: 32")
    with (copy.path / "model.yaml").open("a", encoding="utf-8") as file:
        file.write("systems: [prn, linear_map]\n")  # the base run names its own
    return copy


def planned(project, target, overlay):
    """The rules that would run for a target with one of the page's lines of config."""
    done = project.snakemake(target, options=("-n", overlay))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    return {line.split()[1].rstrip(":") for line in lines if line.startswith("rule ")}


def judged(project, target, overlay):
    """Make a target with one of the page's lines of config; its JSON."""
    done = project.snakemake(target, options=(overlay,))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((project.path / target).read_text())


def test_each_addition_is_one_file_of_a_few_lines_and_one_line_of_config():
    assert len(BLOCKS) == 5
    for name, text in BLOCKS.items():
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) == 1 if "/" not in name else len(lines) < 15, f"{name}: {len(lines)} lines"


def test_a_model_is_trained_and_judged_from_the_packs_that_are_there(project):
    target = "results/eval/linear_map.json"
    assert planned(project, target, "model.yaml") == {"train", "infer", "score", "evaluate"}
    found = judged(project, target, "model.yaml")
    assert found["model"] == "linear_map"
    assert found["benchmarks"]["synth_test"]["protocols"]["nme68_2d"]["plain"] > 0
    history = (project.path / "results/train/linear_map/seed0/history.jsonl").read_text()
    assert history.strip()


def test_a_model_passes_the_tests_of_every_model(project):
    for folder in ("tests", "benchmarks"):
        shutil.copytree(ROOT / folder, project.path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    files = ("tests/unit/test_models_registry.py", "tests/unit/test_house_imports.py")
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", "-k", "linear_map", *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_data_set_is_listed_with_its_groups(project, tmp_path):
    for person in ("ada", "bo"):
        (tmp_path / person).mkdir()
        (tmp_path / person / "1.jpg").write_bytes(encode_jpeg(np.zeros((8, 8, 3), np.uint8), 90))
    overlays = ("--configfile", "small.yaml", "--configfile", "dataset.yaml")
    done = project.pipeline("source", "--dataset", "people", *overlays, PEOPLE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = (project.path / "results/source/people.tsv").read_text().splitlines()
    assert [row.split("\t")[3] for row in rows] == ["group", "ada", "bo"]


def test_a_data_set_goes_through_the_chain_as_far_as_its_pack(project, tmp_path):
    made = project.path / "results/synthetic/synth_train/images"
    names = [mat.stem for mat in sorted(made.glob("*.mat")) if mat.with_suffix(".jpg").is_file()][:8]
    people = dict(zip(names, ("ada", "bo") * 4, strict=True))
    for name, person in people.items():
        (tmp_path / person).mkdir(exist_ok=True)
        for suffix in (".jpg", ".mat"):
            shutil.copy(made / f"{name}{suffix}", tmp_path / person)
    target = "results/pack/fan192/posmap32/people/test.h5"
    overlays = ("--configfile", "small.yaml", "dataset.yaml")
    anew = (
        "--forcerun",
        "source",
        "-j2",
        "--config",
        "shards=1",
    )  # a verb made the last list: Snakemake has no record
    done = project.run("snakemake", target, *anew, *overlays, PEOPLE=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    ledger = project.path / "results/reap/fan192/posmap32/people"
    kept, reaped = (
        read_tsv(ledger / "kept.tsv", KEPT_COLUMNS),
        read_tsv(ledger / "reaped.tsv", REAPED_COLUMNS),
    )
    assert {row["picture"] for row in kept + reaped} == {
        f"{person}/{name}" for name, person in people.items()
    }
    assert {row["group"] for row in kept} == {"ada", "bo"}
    fields = TARGETS["posmap"](TargetSettings(kind="posmap", size=32)).fields
    with hdf5.open_checked(project.path / target, PACK.extended(**fields)) as pack:
        assert hdf5.texts(pack["face"]) == [row["face"] for row in kept]
        assert hdf5.texts(pack["group"]) == [row["face"].split("/")[0] for row in kept]
        assert pack["posmap"].shape == (len(kept), 32, 32, 3)


def test_a_protocol_is_a_new_column_of_json_tables_and_report_with_no_other_edit(base, tmp_path):
    """A run that scores the default protocols, before the page's file is there and after."""
    project = base.copy(tmp_path / "project")
    name = "pipeline/evaluation/protocols/nme68_2d_wide.yaml"
    (project.path / "default.yaml").write_text("evaluation: {protocols: [default]}\n", encoding="utf-8")
    made = [TARGET, "results/tables/models.csv", "results/report/index.html"]
    assert "nme68_2d_wide" not in "".join(written(project, made))
    (project.path / name).write_text(BLOCKS[name], encoding="utf-8")
    assert {"train", "infer", "pack"}.isdisjoint(planned(project, TARGET, "default.yaml"))
    figures, table, page = written(project, made)
    protocols = json.loads(figures)["benchmarks"]["synth_test"]["protocols"]
    assert list(protocols)[-1] == "nme68_2d_wide", "its default is 11"
    assert protocols["nme68_2d_wide"]["plain"] > protocols["nme68_2d"]["plain"]
    assert any("nme68_2d_wide" in line.split(",") for line in table.splitlines())
    assert "68 landmarks, 2D, by the 3D outer interocular distance" in page


def written(project, targets) -> list[str]:
    """The text of files made with the default protocols."""
    done = project.snakemake(*targets, options=("default.yaml",))
    assert done.returncode == 0, done.stdout + done.stderr
    return [(project.path / target).read_text(encoding="utf-8") for target in targets]
