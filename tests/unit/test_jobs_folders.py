"""A data set in a folder of the user's is stale when a file in it comes, goes or changes, and the folder is looked at
once for a config."""

import os

import pytest

from pipeline import jobs, settings
from pipeline.records import FacemillError

STAGES = {
    "source": {},
    "detect": {"shard": 0},
    "ground_truth": {"shard": 0, "frame": "fan192", "target": "posmap96"},
}


def job(root, stage="source"):
    config = settings.load((), [f"datasets.people={{reader: face_300w_lp, root: '{root}'}}"])
    return jobs.job(config, stage, dataset="people", **STAGES[stage])


@pytest.fixture
def people(tmp_path):
    for name in ("a/one.jpg", "a/one.mat", "b/two.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("change", ["added", "removed", "rewritten", "renamed"])
def test_what_happens_in_the_folder_changes_the_job(people, stage, change):
    before = job(people, stage)
    assert job(people, stage).as_json() == before.as_json()
    if change == "added":
        (people / "b/three.jpg").write_bytes(b"")
    elif change == "removed":
        (people / "a/one.mat").unlink()
    elif change == "rewritten":
        (people / "a/one.mat").write_bytes(b"54321")
        os.utime(people / "a/one.mat", (1, 1))
    else:
        (people / "b/two.jpg").rename(people / "b/other.jpg")
    assert job(people, stage).as_json() != before.as_json()


def test_the_listing_can_be_read_by_people(people):
    assert job(people).settings["listing"].startswith("3 files, 15 bytes, ")
    assert job(people / "a/one.jpg").settings["listing"].startswith("1 files, 5 bytes, ")
    assert job(people / "nobody").settings["listing"] == "nothing there"


def test_another_folder_behind_the_same_variable_is_another_listing(people, monkeypatch):
    monkeypatch.setenv("PEOPLE", str(people / "a"))
    before = job("${PEOPLE}")
    monkeypatch.setenv("PEOPLE", str(people / "b"))
    after = job("${PEOPLE}")
    assert before.settings["root"] == after.settings["root"] == "${PEOPLE}"
    assert before.settings["listing"] != after.settings["listing"]


def test_what_file_browsers_leave_changes_nothing(people):
    before = job(people)
    for name in (".DS_Store", "a/Thumbs.db", "sources.lock.tsv"):
        (people / name).write_bytes(b"litter")
    assert job(people).as_json() == before.as_json()


def test_results_inside_the_data_are_refused(people):
    values = [f"datasets.people={{reader: face_300w_lp, root: '{people}'}}", f"results={people}/a/results"]
    with pytest.raises(FacemillError, match="lie inside the data folder"):
        jobs.job(settings.load((), values), "source", dataset="people")


@pytest.mark.parametrize("path", ["${SCRATCH}/run", "~/run", "run{1}", "a$b", ""])
def test_a_results_path_that_would_be_read_otherwise_is_refused(path):
    with pytest.raises(FacemillError, match="expected a plain path"):
        settings.load((), [f"results='{path}'"])
    assert settings.load((), ["results=./here//run/"]).results == "here/run"


def test_a_folder_that_holds_itself_ends(people):
    (people / "a/again").symlink_to(people, target_is_directory=True)
    assert job(people).settings["listing"].startswith("3 files, ")


def test_a_folder_is_looked_at_once_for_a_config(people):
    config = settings.load((), [f"datasets.people={{reader: face_300w_lp, root: {people}}}"])
    before = jobs.job(config, "source", dataset="people")
    (people / "later.jpg").write_bytes(b"")
    assert (
        jobs.job(config, "detect", dataset="people", shard=0).settings["listing"]
        == before.settings["listing"]
    )


@pytest.mark.parametrize(
    ("stage", "wildcards", "words"),
    [
        ("train", {"model": "prn", "seed": "banana"}, "seed: expected a whole number from 0, found 'banana'"),
        ("train", {"model": "prn", "seed": -1}, "seed: expected a whole number from 0, found '-1'"),
        ("detect", {"dataset": "synth_test", "shard": "x"}, "shard: expected a whole number"),
        ("detect", {"dataset": "synth_test", "shard": "01"}, "shard: expected a whole number"),
        ("detect", {"dataset": "synth_test", "shard": 2}, r"shard: expected 0 to 1 \(shards: 2\), found 2"),
        ("source", {"dataset": "../synth_test"}, "dataset: expected letters, digits and _"),
    ],
)
def test_wildcards_that_no_path_can_have_are_refused(stage, wildcards, words):
    with pytest.raises(FacemillError, match=words):
        jobs.job(settings.load(), stage, **wildcards)
