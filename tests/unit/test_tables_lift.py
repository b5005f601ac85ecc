"""Direct against lifted landmarks over seeds: what the sentence says of which scores, and the job behind it."""

import pytest
from table_world import YAW, World, row_of, rows_of, spread_out

from pipeline import jobs, settings
from pipeline.records import FacemillError
from pipeline.stages import table_lift
from pipeline.tables.lift_seeds import lift_over_seeds

ZMEAN, PLANE = "nme68_3d_zmean", "nme68_2d"
PAIRS = [["direct3d", "lift3d"]]


def world(tmp_path, direct, lifted):
    """Both models on one benchmark; a list of values, one a seed, for each."""
    made = World(tmp_path, [ZMEAN, PLANE])
    for name, seeds in (("direct3d", direct), ("lift3d", lifted)):
        made.add(name, "synth_test", *({ZMEAN: values, PLANE: values} for values in seeds))
    return made


def test_a_difference_that_pictures_and_seeds_agree_on_has_a_winner(tmp_path):
    direct = [spread_out(6.0), spread_out(6.4), spread_out(6.2)]
    lifted = [spread_out(5.0), spread_out(5.2), spread_out(5.1)]
    table = lift_over_seeds(world(tmp_path, direct, lifted).results, PAIRS)
    row = row_of(table, benchmark="synth_test", protocol=ZMEAN)
    assert row["difference"] == pytest.approx(1.1) and row["better"] == "lift3d"
    assert row["spread of direct"] == pytest.approx(0.4) and row["spread of lifted"] == pytest.approx(0.2)
    assert row["least by seed"] == pytest.approx(0.8) and row["largest by seed"] == pytest.approx(1.4)
    assert row["seeds"] == 3 and row["pictures"] == 6 and row["mean face"] == pytest.approx(20.0)
    assert "lift3d (lifted) does better than direct3d (direct) with every pair of seeds" in table.notes[0]
    assert "+1.100" in table.notes[0]


def test_the_released_network_stands_beside_the_pair_where_the_run_has_it(tmp_path):
    found = world(tmp_path, [spread_out(6.0)], [spread_out(5.0)])
    assert row_of(lift_over_seeds(found.results, PAIRS), protocol=ZMEAN)["tddfa"] is None
    found.add("tddfa", "synth_test", {ZMEAN: spread_out(3.5), PLANE: spread_out(3.5)})
    table = lift_over_seeds(found.results, PAIRS)
    assert len(table.rows) == 2 and row_of(table, protocol=ZMEAN)["tddfa"] == pytest.approx(3.5)


def test_the_other_way_round_it_says_so(tmp_path):
    found = world(tmp_path, [spread_out(4.0), spread_out(4.1)], [spread_out(5.0), spread_out(5.2)])
    table = lift_over_seeds(found.results, PAIRS)
    assert row_of(table, protocol=ZMEAN)["better"] == "direct3d"
    assert "direct3d (direct) does better than lift3d (lifted)" in table.notes[0]


def test_an_interval_that_holds_zero_decides_nothing(tmp_path):
    lifted = {picture: value + (-1) ** k for k, (picture, value) in enumerate(spread_out(5.0).items())}
    found = world(tmp_path, [spread_out(5.0)], [lifted])
    table = lift_over_seeds(found.results, PAIRS)
    row = row_of(table, protocol=ZMEAN)
    assert row["low"] < 0 < row["high"] and row["better"] is None
    assert "cannot be told apart" in table.notes[0]


def test_seeds_that_disagree_decide_nothing_however_sure_the_pictures_are(tmp_path):
    direct = [spread_out(5.0), spread_out(8.0)]
    lifted = [spread_out(5.5), spread_out(4.0)]
    table = lift_over_seeds(world(tmp_path, direct, lifted).results, PAIRS)
    row = row_of(table, protocol=ZMEAN)
    assert row["low"] > 0 and row["least by seed"] < 0 and row["better"] is None
    assert "other seeds may turn that round" in table.notes[0]


def test_every_protocol_has_a_row_and_the_first_answers(tmp_path):
    made = World(tmp_path, [ZMEAN, PLANE])
    made.add("direct3d", "synth_test", {ZMEAN: spread_out(6.0), PLANE: spread_out(3.0)})
    made.add("lift3d", "synth_test", {ZMEAN: spread_out(5.0), PLANE: spread_out(4.0)})
    table = lift_over_seeds(made.results, PAIRS)
    assert [row["better"] for row in rows_of(table)] == ["lift3d", "direct3d"]
    assert ZMEAN in table.notes[0] and PLANE not in table.notes[0]


def test_scores_of_no_common_picture_are_said(tmp_path):
    direct = {picture: 5.0 if picture < "d" else None for picture in YAW}
    lifted = {picture: None if picture < "d" else 5.0 for picture in YAW}
    table = lift_over_seeds(world(tmp_path, [direct], [lifted]).results, PAIRS)
    assert row_of(table, protocol=ZMEAN)["difference"] is None
    assert "nothing can be said" in table.notes[0]


def config(*models, **evaluation):
    values = settings.read_yaml(settings.DEFAULT)
    values["systems"] = None
    values["targets"]["landmarks96"] = {"kind": "landmarks", "size": 96}
    block = {"frame": "fan192", "target": "landmarks96", "train": ["synth_train"]}
    values["models"] = {name: {"model": name, **block} for name in models}
    values["evaluation"] |= evaluation
    return settings.parse(values)


def test_the_job_asks_for_its_own_seeds_whatever_the_trainings_have():
    made = jobs.job(config("direct3d", "lift3d", lift_seeds=[0, 4]), "table_lift")
    assert made.inputs["scores"] == [
        f"results/score/{model}/seed{seed}/synth_test.tsv"
        for model in ("direct3d", "lift3d")
        for seed in (0, 4)
    ]
    assert made.settings["absent"] == [["fan_depth", "fan_lift", "fan_depth, fan_lift"]]
    assert set(made.outputs.values()) == {f"results/lift/lift.{kind}" for kind in ("md", "csv", "tex")}


def test_the_job_has_the_released_network_where_its_weights_are_given():
    tddfa = {"weights": "mb05.pth"}
    made = jobs.job(config("direct3d", "lift3d", lift_seeds=[0], tddfa=tddfa), "table_lift")
    assert made.settings["runs"][-1] == ["tddfa", "0", "synth_test"]
    assert made.inputs["scores"][-1] == "results/score/tddfa/seed0/synth_test.tsv"


def test_a_pair_that_is_not_whole_is_left_out_and_said(tmp_path):
    made = jobs.job(config("direct3d", "lift3d", "fan_lift"), "table_lift")
    assert made.settings["pairs"] == PAIRS
    found = world(tmp_path, [spread_out(6.0)], [spread_out(5.0)]).results
    notes = lift_over_seeds(found, PAIRS, made.settings["absent"]).notes
    assert "Not compared: fan_depth and fan_lift, as the run has no fan_depth." in notes


def test_without_a_pair_it_names_what_is_missing():
    with pytest.raises(FacemillError, match="found none of lift3d, fan_depth, fan_lift; add them to models"):
        jobs.job(config("direct3d"), "table_lift")
    with pytest.raises(FacemillError, match=r"evaluation\.protocols, found head_pose; add nme68_3d_zmean"):
        jobs.job(config("direct3d", "lift3d", protocols=["head_pose"]), "table_lift")


def test_the_stage_writes_what_the_job_describes(tmp_path):
    made = jobs.job(config("direct3d", "lift3d", lift_seeds=[0, 1]), "table_lift")
    found = world(tmp_path, [spread_out(6.0), spread_out(6.1)], [spread_out(5.0), spread_out(5.1)])
    for (model, seed, _), run in zip(made.settings["runs"], found.runs, strict=True):
        assert (model, seed) == (run.model, run.seed)
    outputs = {name: str(tmp_path / path) for name, path in made.outputs.items()}
    contents = {**made.settings, "protocols": found.contents}
    scores = [run.scores for run in found.runs]
    table_lift.run(inputs={"scores": scores}, outputs=outputs, settings=contents, wildcards={}, attributes={})
    assert "lift3d (lifted) does better than" in (tmp_path / "results/lift/lift.md").read_text()
    assert (tmp_path / "results/lift/lift.csv").read_text().startswith("benchmark,protocol,direct,lifted,")
    assert r"\begin{tabular}" in (tmp_path / "results/lift/lift.tex").read_text()
