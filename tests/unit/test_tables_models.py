"""The table of all models, and the comparison of every two of them."""

import pytest
from table_world import YAW, World, column, row_of, rows_of, spread_out

from pipeline.evaluation import protocols
from pipeline.registry import TABLES
from pipeline.tables.comparison import compare
from pipeline.tables.table import as_csv, as_markdown

MINE = {
    "title": "a protocol of the user's own",
    "unit": "%",
    "worst": 50,
    "source": "a test",
    "bins": {"near": 45, "far": 90},
    "measure": {
        "kind": "points",
        "points": "landmarks68",
        "dimensions": 2,
        "align": "none",
        "normaliser": "interocular_3d",
        "pixels": "exact",
    },
}


def test_the_table_of_models_gives_headline_interval_failures_and_the_share_of_the_mean_face(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    first = spread_out(2.0) | {"f": None}
    world.add("prn", "synth_test", {"nme68_2d": first}, {"nme68_2d": spread_out(4.0)})
    row = row_of(TABLES["models"](world.results), model="prn")
    figures = world.evaluations["prn"]["benchmarks"]["synth_test"]["protocols"]["nme68_2d"]
    assert row["headline"] == row["balanced"] == figures["headline"]
    assert [row["low"], row["high"]] == figures["interval"]
    assert row["with failures"] == figures["balanced_with_failures"] > row["headline"]
    assert row["share of it"] == pytest.approx(row["headline"] / 20.0)
    assert (row["floor"], row["scored"], row["failed"], row["seeds"]) == (0.88, 5, 1, 2)
    assert (row["AUC"], row["failure rate"]) == (figures["auc"], figures["failure_rate"])
    assert row["spread"] == figures["spread"] > 0
    assert row["yaw 0-30"] == pytest.approx(figures["bins"]["0-30"]["mean"])


def test_an_empty_bin_stays_a_dash_in_every_form(tmp_path):
    near = spread_out(1.0, 0.0) | {"c": None, "d": None}
    table = TABLES["models"](World(tmp_path, ["nme68_2d"]).add("prn", "b", {"nme68_2d": near}).results)
    assert "| 1.00 | – | 1.00 | – |" in as_markdown(table)
    assert ",1.0,,1.0,," in as_csv(table)


def test_a_new_protocol_is_a_new_row_and_its_bins_new_columns(tmp_path):
    (tmp_path / "one").mkdir()
    one = TABLES["models"](
        World(tmp_path / "one", ["nme68_2d"]).add("prn", "b", {"nme68_2d": spread_out(2.0)}).results
    )
    world = World(tmp_path, ["nme68_2d"], {"nme_mine": MINE})
    world.add("prn", "b", {"nme68_2d": spread_out(2.0), "nme_mine": spread_out(3.0)})
    both = TABLES["models"](world.results)
    titles = [found.title for found in both.columns]
    assert [t for t in titles if t not in {c.title for c in one.columns}] == ["yaw near", "yaw far"]
    assert titles.index("yaw near") == titles.index("yaw 60-90") + 1
    old, new = (row_of(both, model="prn", protocol=name) for name in ("nme68_2d", "nme_mine"))
    assert old["yaw near"] is old["yaw far"] is new["yaw 0-30"] is None
    assert new["headline"] == pytest.approx((new["yaw near"] + new["yaw far"]) / 2)
    compared = rows_of(TABLES["comparison"](world.results), protocol="nme_mine")
    assert [(row["first"], row["second"]) for row in compared] == [("prn", "mean face")]


def test_a_share_of_which_more_is_better_is_not_set_against_the_mean_face(tmp_path):
    world = World(tmp_path, ["volume_iou"])
    world.add("vrn", "b", {"volume_iou": spread_out(0.6, 0.01)}, mean_face=0.3)
    row = row_of(TABLES["models"](world.results), model="vrn")
    assert row["headline"] == pytest.approx(0.6) and row["mean face"] == 0.3
    assert row["share of it"] is row["floor"] is row["AUC"] is None


def test_what_a_model_lacks_is_a_dash_a_count_and_a_note(tmp_path):
    world = World(tmp_path, ["nme68_2d", "vertices_2d"]).add("fan", "b", {"nme68_2d": spread_out(2.0)})
    table = TABLES["models"](world.results)
    row = row_of(table, model="fan", protocol="vertices_2d")
    assert row["headline"] is None and (row["scored"], row["failed"], row["lacking"]) == (0, 0, 6)
    assert table.notes[-1] == "vertices_2d on b, fan: nothing to compare (6 pictures)."


def test_the_mean_face_has_rows_of_its_own_below_the_models(tmp_path):
    world = World(tmp_path, ["nme68_2d", "vertices_2d"])
    world.add("fan", "b", {"nme68_2d": spread_out(2.0)}, {"nme68_2d": spread_out(3.0)}, mean_face=20.0)
    world.add("prn", "b", {"nme68_2d": spread_out(2.0), "vertices_2d": spread_out(2.0)}, mean_face=30.0)
    figures = world.evaluations["fan"]["benchmarks"]["b"]["protocols"]["vertices_2d"]["mean_face"]
    figures |= {"n": 0, "headline": None}
    table = TABLES["models"](world.results)
    assert [row["model"] for row in rows_of(table)] == ["fan"] * 2 + ["prn"] * 2 + ["mean_face"] * 2
    first, second = rows_of(table, model="mean_face")
    assert (first["protocol"], first["headline"], first["yaw 30-60"]) == ("nme68_2d", 20.0, 20.0)
    assert (first["low"], first["high"]) == (pytest.approx(20.0), pytest.approx(20.0))
    assert (first["scored"], first["failed"], first["seeds"]) == (6, 0, 1)
    assert first["mean face"] is first["share of it"] is first["spread"] is None
    assert (second["protocol"], second["headline"]) == ("vertices_2d", 30.0), "the first that has a score"


def pair_of(world, **wanted):
    """A row of the comparison."""
    return row_of(TABLES["comparison"](world.results), **wanted)


def test_two_models_are_compared_on_the_pictures_that_both_scored(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    first = dict(zip(YAW, (1.0, 3.0, 4.0, 6.0, 8.0, 9.0), strict=True))
    second = {picture: value + 1 for picture, value in first.items()}
    world.add("one", "b", {"nme68_2d": first | {"a": None}})
    world.add("two", "b", {"nme68_2d": second | {"d": None, "f": None}})
    row = pair_of(world, first="one", second="two")
    assert (row["common"], row["only first"], row["only second"]) == (3, 2, 1)
    assert row["of first"] == pytest.approx((3 + 4 + 8) / 3)
    assert [row[key] for key in ("difference", "low", "high")] == [pytest.approx(-1)] * 3
    assert row["better"] == "one"


def test_seeds_are_averaged_picture_by_picture_before_the_comparison(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    world.add("one", "b", {"nme68_2d": spread_out(2.0)}, {"nme68_2d": spread_out(6.0) | {"a": None}})
    world.add("two", "b", {"nme68_2d": spread_out(3.0)})
    row = pair_of(world, first="one", second="two")
    assert (row["common"], row["only second"]) == (5, 1)
    assert [row[key] for key in ("difference", "low", "high")] == [pytest.approx(1.0)] * 3
    assert row["better"] == "two"


def test_the_figure_is_balanced_where_the_protocols_is_and_plain_elsewhere(tmp_path):
    values = dict(zip(YAW, (1.0, 1.0, 1.0, 1.0, 7.0, 7.0), strict=True)) | {"f": None}
    for protocol, figure in (("nme68_2d", (1 + 1 + 7) / 3), ("head_pose", (4 * 1 + 7) / 5)):
        scores = [[column(protocol, values)], [column(protocol, spread_out(2.0, 0.0))]]
        pair = compare(*scores, protocols.load(protocol))
        assert pair.first == pytest.approx(figure) and pair.second == pytest.approx(2.0)


def test_models_that_differ_by_chance_alone_are_not_told_apart(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    world.add("one", "b", {"nme68_2d": dict(zip(YAW, (1, 3, 2, 4, 3, 5), strict=True))})
    world.add("two", "b", {"nme68_2d": dict(zip(YAW, (3, 1, 4, 2, 5, 3), strict=True))})
    row = pair_of(world, first="one", second="two")
    assert row["difference"] == 0.0 and row["low"] < 0 < row["high"] and row["better"] is None


def test_each_model_is_compared_with_its_own_mean_face(tmp_path):
    world = World(tmp_path, ["volume_iou"])
    world.add("vrn", "b", {"volume_iou": spread_out(0.6, 0.01)}, mean_face=0.3)
    row = pair_of(world, first="vrn", second="mean face")
    assert row["difference"] == pytest.approx(0.3) and row["better"] == "vrn", "more overlap is better"


def test_a_bin_without_common_pictures_leaves_dashes_and_a_note(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    world.add("one", "b", {"nme68_2d": spread_out(2.0) | {"e": None}})
    world.add("two", "b", {"nme68_2d": spread_out(2.0) | {"f": None}})
    row = pair_of(world, first="one", second="two")
    assert row["common"] == 4 and row["difference"] is row["low"] is row["better"] is None
    assert "none in a yaw bin" in TABLES["comparison"](world.results).notes[-1]


def test_a_model_without_a_score_is_named_not_compared(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    world.add("one", "b", {"nme68_2d": spread_out(2.0)}).add("two", "b", {})
    table = TABLES["comparison"](world.results)
    assert [(row["first"], row["second"]) for row in rows_of(table)] == [("one", "mean face")]
    assert table.notes[-1] == "Not compared on b under nme68_2d, as no picture has a score: two."
