"""What a finished run must keep: each limit can be missed, and says so in the exit code."""

import copy
import shutil

import pytest

from benchmarks import limits
from pipeline.io.files import write_json
from pipeline.io.tables import write_tsv
from pipeline.stages.ledger import COLUMNS


def figures(*means):
    names = ("0-30", "30-60", "60-90")
    bins = {name: None if mean is None else {"mean": mean} for name, mean in zip(names, means, strict=True)}
    return {"bins": bins, "balanced": None if None in means else sum(means) / 3}


REASONS = {
    "no_face": 2,
    "duplicate": 1,
    "unreadable": 1,
    "implausible": 1,
    "outside_frame": 1,
    "another_chosen": 1,
}
EVALUATION = {
    "benchmarks": {
        "test": {"protocols": {"nme68_2d": {**figures(5, 6, 7), "mean_face": figures(10, 20, 30)}}}
    },
    "counts": {
        "test": {"source": 100, "reaped": REASONS},
        "train": {"source": 100, "reaped": {"no_face": 15}},
    },
}
CENSUS = {
    "detector": {"found_unoccluded_yaw_60": 0.95, "false_boxes_per_50_pictures": 1.0},
    "landmarks": {"yaw_to_60": {"found": 0.9, "median_point_error": 4.0, "median_face_nme": 5.0}},
    "false_rejects": {"reaped": 0.03},
    "pictures_without_face": 400,
    "pictures_without_face_accepted": 2,
}


def changed(value, path, new):
    """A copy with one value replaced."""
    value = copy.deepcopy(value)
    *parents, last = path.split("/")
    inner = value
    for key in parents:
        inner = inner[key]
    inner[last] = new
    return value


@pytest.fixture
def judged(tmp_path, capsys, monkeypatch):
    """Exit code and printed lines for a run with these files."""
    monkeypatch.chdir(tmp_path)

    def judge(evaluation=EVALUATION, census=None, *options):
        write_json(tmp_path / "results/eval/prn.json", evaluation)
        if census:
            write_json(tmp_path / "census.json", census)
            options = ("--census", "census.json", *options)
        return limits.main(options), capsys.readouterr().out

    return judge


def test_a_run_that_keeps_every_limit_just_so_passes(judged):
    code, printed = judged(EVALUATION, CENSUS)
    assert code == 0 and "15 limits, 0 missed" in printed and "MISSED" not in printed


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("benchmarks/test/protocols/nme68_2d/balanced", 12.1, "balanced"),
        ("benchmarks/test/protocols/nme68_2d/balanced", None, "balanced"),
        ("benchmarks/test/protocols/nme68_2d/bins/30-60", {"mean": 20.1}, "30-60 degrees"),
        ("benchmarks/test/protocols/nme68_2d/bins/60-90", None, "60-90 degrees"),
        ("counts/train/reaped", {"no_face": 1}, "train, share"),
        ("counts/train/reaped", {"no_face": 16}, "train, share"),
        ("counts/test/reaped", {"no_face": 5}, "different reasons"),
    ],
)
def test_each_limit_of_the_run_can_be_missed(judged, path, value, line):
    code, printed = judged(changed(EVALUATION, path, value))
    missed = [row for row in printed.splitlines() if row.startswith("MISSED")]
    assert code == 1 and len(missed) == 1 and line in missed[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("landmarks/yaw_to_60/found", 0.89),
        ("landmarks/yaw_to_60/median_point_error", 4.1),
        ("landmarks/yaw_to_60/median_face_nme", None),
        ("detector/found_unoccluded_yaw_60", 0.94),
        ("detector/false_boxes_per_50_pictures", 1.1),
        ("false_rejects/reaped", 0.031),
        ("pictures_without_face_accepted", 3),
    ],
)
def test_each_limit_of_the_census_can_be_missed(judged, path, value):
    code, printed = judged(EVALUATION, changed(CENSUS, path, value))
    assert code == 1 and printed.count("MISSED") == 1


def test_the_share_of_the_mean_face_is_a_choice_and_a_census_is_asked_for(judged):
    code, printed = judged(EVALUATION, None, "--share", "0.2")
    assert code == 1 and printed.count("MISSED") == 1 and "no census at results/census" in printed


def test_a_data_set_of_the_ledger_alone_counts_too(judged, tmp_path):
    row = dict.fromkeys(COLUMNS, 0) | {"dataset": "more", "source": 10, "kept": 5, "reaped": 5, "no_face": 5}
    judged()
    write_tsv(tmp_path / "results/ledger.tsv", COLUMNS, [[row[name] for name in COLUMNS]])
    code, printed = judged()
    assert code == 1 and "more, share of ledger rows reaped" in printed


def test_no_run_is_one_line_and_exit_code_1(judged, tmp_path, capsys):
    judged()
    shutil.rmtree(tmp_path / "results")
    assert limits.main([]) == 1
    assert capsys.readouterr().err == "limits: no file results/eval/prn.json; type: make run\n"
