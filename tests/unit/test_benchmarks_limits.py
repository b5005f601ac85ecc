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
    return {"n": 100, "bins": bins, "balanced": None if None in means else sum(means) / 3}


REASONS = {
    "no_face": 2,
    "duplicate": 1,
    "unreadable": 1,
    "implausible": 1,
    "outside_frame": 1,
    "another_chosen": 1,
}
EVALUATION = {
    "model": "prn",
    "weights": [{"seed": 0, "path": "train/prn/seed0/weights.safetensors"}],
    "frame": "fan192",
    "target": "posmap96",
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


def another(name, share, iou=None, mean=0.3):
    """The JSON of another model whose balanced error is this share of the mean face's, with volumes if an IoU is."""
    value = {**copy.deepcopy(EVALUATION), "model": name, "target": "points"}
    value["weights"][0]["path"] = f"train/{name}/seed0/weights.safetensors"
    protocols = value["benchmarks"]["test"]["protocols"]
    protocols["nme68_2d"]["balanced"] = share * protocols["nme68_2d"]["mean_face"]["balanced"]
    protocols["volume_iou"] = {"headline": iou, "mean_face": {"headline": mean}}
    return value


def write_run(evaluation, kind):
    """The JSON of a model below the current folder, and the card of its training."""
    name = evaluation["model"]
    write_json(f"results/eval/{name}.json", evaluation)
    write_json(f"results/train/{name}/seed0/card.json", {"target": {"kind": kind, "variant": "solid"}})


@pytest.fixture
def judged(tmp_path, capsys, monkeypatch):
    """Exit code and printed lines for a run with these files."""
    monkeypatch.chdir(tmp_path)

    def judge(evaluation=EVALUATION, census=None, *options):
        write_run(evaluation, "posmap")
        if census:
            write_json(tmp_path / "census.json", census)
            options = ("--census", "census.json", *options)
        return limits.main(options), capsys.readouterr().out

    return judge


def test_a_run_that_keeps_every_limit_just_so_passes(judged):
    code, printed = judged(EVALUATION, CENSUS)
    assert code == 0 and "1 models, 16 limits, 0 missed" in printed and "MISSED" not in printed


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("benchmarks/test/protocols/nme68_2d/balanced", 12.1, "balanced"),
        ("benchmarks/test/protocols/nme68_2d/balanced", None, "balanced"),
        ("benchmarks/test/protocols/nme68_2d/bins/30-60", {"mean": 20.1}, "30-60 degrees"),
        ("benchmarks/test/protocols/nme68_2d/bins/60-90", None, "60-90 degrees"),
        ("counts/train/reaped", {"no_face": 1}, "train (fan192, posmap96), share"),
        ("counts/train/reaped", {"no_face": 16}, "train (fan192, posmap96), share"),
        ("counts/test/reaped", {"no_face": 5}, "different reasons"),
    ],
)
def test_each_limit_of_the_run_can_be_missed(judged, path, value, line):
    code, printed = judged(changed(EVALUATION, path, value))
    missed = [row for row in printed.splitlines() if row.startswith("MISSED")]
    assert code == 1 and len(missed) == 1 and line in missed[0]


@pytest.mark.parametrize(("answered", "code"), [(98, 0), (97, 1)])
def test_a_system_that_leaves_out_pictures_of_the_others_is_seen(judged, answered, code):
    other = another("vrn", 0.5)
    other["benchmarks"]["test"]["protocols"]["nme68_2d"]["n"] = answered
    other["benchmarks"]["test"]["protocols"]["nme68_2d"]["mean_face"]["n"] = answered
    write_run(other, "posmap")
    found, printed = judged(EVALUATION)
    missed = [row for row in printed.splitlines() if row.startswith("MISSED")]
    assert found == code and len(missed) == code and all("vrn on test" in row for row in missed)


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


def test_a_balance_of_the_ledger_alone_counts_too_and_each_target_has_its_own(judged, tmp_path):
    more = {"dataset": "train", "frame": "fan192", "source": 10, "kept": 5, "reaped": 5, "no_face": 5}
    rows = [dict.fromkeys(COLUMNS, 0) | more | {"target": target} for target in ("posmap96", "volume")]
    judged()
    write_tsv(tmp_path / "results/ledger.tsv", COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
    code, printed = judged()
    missed = [line for line in printed.splitlines() if line.startswith("MISSED")]
    assert code == 1 and len(missed) == 1 and "train (fan192, volume), share of ledger rows" in missed[0]


def lines_of(printed, *words):
    return [line for line in printed.splitlines() if all(word in line for word in words)]


def test_every_trained_model_of_the_run_is_judged_by_its_own_share(judged):
    judged()
    write_run(another("2dasl", 0.7), "params")
    write_run(another("fan_lift", 0.71), "landmarks")
    write_json("results/eval/theirs.json", {**another("theirs", 2.0), "weights": [], "counts": {}})
    write_json("results/eval/prn.json.run.json", {"seconds": 3})
    code, printed = judged(changed(EVALUATION, "benchmarks/test/protocols/nme68_2d/balanced", 12.0))
    assert code == 1 and "3 models, " in printed and " 1 missed" in printed
    assert lines_of(printed, "MISSED", "fan_lift on test", "balanced", "0.71", "at most 0.7")
    assert lines_of(printed, "ok", "2dasl on test", "balanced", "at most 0.7")
    assert lines_of(printed, "ok", "prn on test", "balanced", "at most 0.6")
    assert not lines_of(printed, "theirs") and not lines_of(printed, "volume_iou")
    code, printed = judged(EVALUATION, None, "--model", "theirs", "--model", "prn", "--model", "prn")
    assert code == 1 and "2 models, " in printed and lines_of(printed, "MISSED", "theirs on test, nme68_2d")
    assert not lines_of(printed, "fan_lift")


def test_a_share_that_is_given_holds_for_every_model(judged):
    write_run(another("2dasl", 0.36), "params")
    code, printed = judged(EVALUATION, None, "--share", "0.35")
    assert code == 1 and [line.split()[1] for line in lines_of(printed, "MISSED")] == ["2dasl"]


@pytest.mark.parametrize(
    ("iou", "options", "code"),
    [(0.75, (), 0), (0.74, (), 1), (None, (), 1), (0.89, ("--iou", "0.9"), 1), (0.9, ("--iou", "0.9"), 0)],
)
def test_volumes_overlap_with_the_mean_volumes_figure_beside(judged, iou, options, code):
    write_run(another("vrn", 0.5, iou, 0.456), "volume")
    found, printed = judged(EVALUATION, None, *options)
    (line,) = lines_of(printed, "volume_iou")
    assert found == code and "vrn on test, volume_iou (the mean volume's: 0.456)" in line
    assert line.startswith("MISSED" if code else "ok")


def test_models_that_are_expected_and_not_there_are_named(judged):
    code, printed = judged(EVALUATION, None, "--expect", "prn", "vrn", "2dasl")
    assert code == 1 and " 2 missed" in printed
    assert [line.split()[1] for line in lines_of(printed, "MISSED", "is expected")] == ["vrn", "2dasl"]
    assert "type: snakemake -j8 results/eval/vrn.json" in printed
    assert judged(EVALUATION, None, "--expect", "prn")[0] == 0


def test_a_protocol_that_was_not_scored_is_one_line(judged, capsys):
    value = another("vrn", 0.5, 0.9)
    del value["benchmarks"]["test"]["protocols"]["volume_iou"]
    write_run(value, "volume")
    limits.main([])
    assert capsys.readouterr().err.startswith(
        "limits: expected volume_iou among the protocols of vrn on test, found none; add it to evaluation.protocols"
    )


def test_no_run_is_one_line_and_exit_code_1(judged, tmp_path, capsys):
    judged()
    shutil.rmtree(tmp_path / "results")
    assert limits.main([]) == 1
    assert capsys.readouterr().err == (
        "limits: expected JSONs of trained models in results/eval, found none; type: make run\n"
    )
    assert limits.main(["--model", "prn"]) == 1
    assert capsys.readouterr().err == "limits: no file results/eval/prn.json; type: make run\n"
