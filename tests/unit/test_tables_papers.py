"""The papers' tables: numbers with their place and certainty, ours beside them, and what is lacking."""

import pytest
from table_world import YAW, World, row_of, rows_of, spread_out

from pipeline.evaluation import protocols
from pipeline.metrics.summary import YAW_BINS
from pipeline.records import FacemillError
from pipeline.registry import TABLES
from pipeline.tables.paper import DATA_SETS, LOST, Heading, Method, Part, data_set_of
from pipeline.tables.results import Results
from pipeline.tables.table import as_csv, as_latex, as_markdown
from pipeline.training.dasl_task import UNCONFIRMED

PAPERS = sorted(set(TABLES.names()) - {"models", "comparison"})
EMPTY = Results({})


def paper_of(name):
    """The data of a paper's table."""
    TABLES[name]
    return __import__(TABLES.module(name), fromlist=["PAPER"]).PAPER


def test_there_is_a_table_for_each_of_the_papers():
    assert PAPERS == [
        "lift",
        "prn_curves",
        "prn_table1",
        "synergynet_alignment",
        "synergynet_pose",
        "synergynet_reconstruction",
        "two_dasl",
        "vrn_table1",
    ]


@pytest.mark.parametrize("name", PAPERS)
def test_every_printed_number_says_where_it_stands_and_how_sure_it_is(name):
    table = TABLES[name](EMPTY)
    assert table.rows
    for row in rows_of(table):
        assert row["method"] and row["statistic"] and row["certainty"], row
        assert row["paper"] is None or (row["paper"] > 0 and row["stands in"]), row
        assert row["ours"] is row["benchmark"] is row["difference"] is None


@pytest.mark.parametrize("name", PAPERS)
def test_headings_name_protocols_and_statistics_that_exist(name):
    for heading in paper_of(name).headings:
        assert heading.data_set in {None, *DATA_SETS}
        for protocol in heading.protocols:
            known = protocols.load(protocol)
            means = {"plain", "median"} | ({"balanced"} if known.bins else set())
            assert heading.statistic in means | set(known.bins), (protocol, heading.statistic)


@pytest.mark.parametrize("name", PAPERS)
def test_the_forms_of_a_papers_table_have_all_its_rows(name, tmp_path):
    world = World(tmp_path, ["nme68_2d", "nme68_3d"])
    seed = {"nme68_2d": spread_out(4.0), "nme68_3d": spread_out(6.0)}
    table = TABLES[name](world.add("prn", "aflw2000_test", seed).results)
    assert as_csv(table).count("\n") == len(table.rows) + 1
    assert sum(line.endswith(r" \\") for line in as_latex(table).splitlines()) == len(table.rows) + 1
    assert sum(line.startswith("| ") for line in as_markdown(table).splitlines()) == len(table.rows) + 2


def means_of_three(paper):
    """The methods of a paper whose fourth number is the mean of three bins or angles, with these numbers."""
    for part in paper.parts:
        four = part.headings[:4]
        yaws = [heading.statistic for heading in four] == [*YAW_BINS, "balanced"]
        angles = len(four) == 4 and all(h.protocols[0].startswith("head_pose") for h in four if h.protocols)
        for method in part.methods if yaws or angles else ():
            if all(isinstance(value, float) for value in method.values[:4]):
                yield method.name, method.values[:4]


@pytest.mark.parametrize(
    "name, methods",
    [("prn_table1", 5), ("two_dasl", 6), ("synergynet_alignment", 25), ("synergynet_pose", 15)],
)
def test_a_printed_mean_is_that_of_its_three_numbers_or_the_notes_say_that_it_is_not(name, methods):
    paper = paper_of(name)
    found = list(means_of_three(paper))
    assert len(found) == methods
    for method, (*three, mean) in found:
        if abs(sum(three) / 3 - mean) > 0.012:
            assert any(method in note for note in paper.notes), (method, sum(three) / 3, mean)


def test_ours_stand_beside_the_paper_with_seeds_spread_interval_and_failures(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    first, second = spread_out(4.0), spread_out(5.0)
    first["f"] = second["f"] = None
    world.add("prn", "aflw2000_test", {"nme68_2d": first}, {"nme68_2d": second})
    table = TABLES["prn_table1"](world.results)
    row = row_of(table, method="PRN", statistic="balanced")
    bins = [(first["a"] + first["b"]) / 2, (first["c"] + first["d"]) / 2, first["e"]]
    assert row["paper"] == 3.62 and row["ours"] == pytest.approx(sum(bins) / 3 + 0.5)
    assert row["difference"] == pytest.approx(row["ours"] - 3.62)
    assert (row["protocol"], row["benchmark"], row["model"]) == ("nme68_2d", "aflw2000_test", "prn")
    assert (row["scored"], row["failed"], row["seeds"]) == (5, 1, 2)
    assert row["spread"] == pytest.approx(1.0)
    assert row["low"] < row["ours"] < row["high"]
    assert row["with failures"] == pytest.approx(row["ours"] + (100 - bins[2] - 0.5) / 6)
    assert (row["mean face"], row["floor"]) == (20.0, 0.88)
    yaw = row_of(table, method="PRN", statistic="0-30")
    assert yaw["ours"] == pytest.approx(bins[0] + 0.5) and yaw["low"] <= yaw["ours"] <= yaw["high"]
    assert yaw["low"] == pytest.approx(first["a"] + 0.5) and yaw["with failures"] is None


def test_a_single_seed_has_no_spread(tmp_path):
    world = World(tmp_path, ["nme68_2d"]).add("prn", "aflw2000_test", {"nme68_2d": spread_out(4.0)})
    row = row_of(TABLES["prn_table1"](world.results), method="PRN", statistic="balanced")
    assert row["seeds"] == 1 and row["spread"] is None


def test_the_papers_numbers_are_compared_only_on_the_papers_pictures(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    for benchmark in ("synth_test", "aflw2000_test", "aflw_test"):
        world.add("prn", benchmark, {"nme68_2d": spread_out(4.0)})
    rows = rows_of(TABLES["prn_table1"](world.results), method="PRN", statistic="balanced")
    assert {row["benchmark"]: row["difference"] for row in rows} == {
        "synth_test": None,
        "aflw2000_test": pytest.approx(4.0 - 3.62),
    }
    assert all(row["ours"] == pytest.approx(4.0) for row in rows)


@pytest.mark.parametrize(
    "benchmark, data_set",
    [
        ("aflw2000_3d", "aflw2000"),
        ("aflw2000_test", "aflw2000"),
        ("aflw", "aflw"),
        ("aflw_test", "aflw"),
        ("aflw_lfpa", "aflw_lfpa"),
        ("florence", "florence"),
        ("synth_test", None),
    ],
)
def test_a_benchmark_is_of_the_longest_name_that_it_begins_with(benchmark, data_set):
    assert data_set_of(benchmark) == data_set


def test_every_other_model_of_the_run_gets_a_row_without_a_number(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    for model in ("mine", "prn", "synergynet"):
        world.add(model, "aflw2000_test", {"nme68_2d": spread_out(4.0)})
    rows = rows_of(TABLES["prn_table1"](world.results), statistic="balanced")
    assert [row["model"] for row in rows[-4:]] == ["prn", "mine", "synergynet", "mean_face"]
    assert [row["method"] for row in rows[-4:]] == ["PRN", None, None, None]
    assert all(row["paper"] is row["difference"] is None and row["ours"] for row in rows[-3:])
    sdm = row_of(TABLES["prn_table1"](world.results), method="SDM", statistic="balanced")
    assert sdm["paper"] == 6.12 and sdm["model"] is sdm["ours"] is None


def test_the_mean_face_is_the_last_row_of_every_heading_with_the_figures_of_the_first_model_that_has_some(
    tmp_path,
):
    world = World(tmp_path, ["nme68_2d"])
    world.add("tddfa", "synth_test", {"nme68_2d": spread_out(4.0) | {"f": None}}, mean_face=30.0)
    world.add("prn", "synth_test", {"nme68_2d": spread_out(5.0)}, mean_face=40.0)
    table = TABLES["prn_table1"](world.results)
    rows = rows_of(table, model="mean_face")
    assert [row["statistic"] for row in rows] == [*YAW_BINS, "balanced"]
    for row in rows:
        assert row["ours"] == row["low"] == row["high"] == pytest.approx(30.0)
        assert (row["scored"], row["failed"], row["seeds"], row["floor"]) == (
            6, 0, 1, 0.88 if row["statistic"] == "balanced" else None,
        )  # fmt: skip
        assert row["method"] is row["paper"] is row["mean face"] is row["spread"] is None
    (tddfa,) = rows_of(table, model="tddfa", statistic="balanced")
    assert tddfa["mean face"] == 30.0 and tddfa["failed"] == 1


def test_every_protocol_of_a_heading_has_its_row(tmp_path):
    world = World(tmp_path, ["nme68_3d", "nme68_3d_zmean"])
    seed = {"nme68_3d": spread_out(6.0), "nme68_3d_zmean": spread_out(5.0)}
    table = TABLES["prn_curves"](world.add("prn", "aflw2000_test", seed).results)
    rows = rows_of(table, method="PRN", paper=4.70)
    assert {row["protocol"]: row["ours"] for row in rows} == {
        "nme68_3d": pytest.approx(6.0),
        "nme68_3d_zmean": pytest.approx(5.0),
    }
    assert all(row["low"] < row["ours"] < row["high"] for row in rows), "the interval of the plain mean"
    assert any("Not scored in this run: nme68_2d" in note for note in table.notes)


def test_a_lacking_figure_is_a_dash_with_its_reason_in_the_notes(tmp_path):
    world = World(tmp_path, ["nme68_2d", "vertices_2d"])
    lacking = dict.fromkeys(YAW, "landmarks have no vertices")
    world.add("2dasl", "aflw2000_test", {"nme68_2d": spread_out(4.0), "vertices_2d": lacking})
    table = TABLES["two_dasl"](world.results)
    row = row_of(table, protocol="vertices_2d", model="2dasl")
    assert row["ours"] is row["difference"] is None and row["scored"] == 0 and row["failed"] == 0
    assert row["certainty"] == LOST
    assert any("2dasl (6 pictures): landmarks have no vertices" in note for note in table.notes)


def test_what_nobody_confirms_of_2dasl_is_named_in_its_table(tmp_path):
    world = World(tmp_path, ["nme68_2d"]).add("2dasl", "aflw2000_test", {"nme68_2d": spread_out(4.0)})
    (note,) = (note for note in TABLES["two_dasl"](world.results).notes if "nobody can confirm" in note)
    assert all(name in note for name in UNCONFIRMED)


def test_an_empty_bin_is_a_dash_with_its_reason_in_the_notes(tmp_path):
    world = World(tmp_path, ["nme68_2d"])
    near = spread_out(4.0) | {"e": None, "f": None}
    table = TABLES["prn_table1"](world.add("prn", "aflw2000_test", {"nme68_2d": near}).results)
    for statistic in ("60-90", "balanced"):
        row = row_of(table, method="PRN", statistic=statistic)
        assert row["ours"] is row["difference"] is row["low"] is None
    assert any("prn: no scored picture in the bin 60-90" in note for note in table.notes)
    assert any("prn: a yaw bin without a scored picture" in note for note in table.notes)


def test_a_set_that_the_run_does_not_have_is_named(tmp_path):
    world = World(tmp_path, ["nme68_2d"]).add("prn", "synth_test", {"nme68_2d": spread_out(4.0)})
    (note,) = [n for n in TABLES["prn_table1"](world.results).notes if n.startswith("No benchmark")]
    assert "aflw2000 or aflw_lfpa" in note


def test_lost_numbers_are_said_to_be_lost():
    rows = rows_of(TABLES["synergynet_reconstruction"](EMPTY), method="SynergyNet")
    assert len(rows) == 3 and all(row["paper"] is None and row["certainty"] == LOST for row in rows)


def test_direct_and_lifted_are_compared_on_the_same_pictures(tmp_path):
    world = World(tmp_path, ["nme68_3d_similarity"])
    lifted, direct = spread_out(3.0), spread_out(5.0)
    world.add("direct3d", "synth_test", {"nme68_3d_similarity": direct | {"a": None}})
    world.add("lift3d", "synth_test", {"nme68_3d_similarity": lifted})
    table = TABLES["lift"](world.results)
    losses = rows_of(table, statistic="least loss")
    assert [(row["method"], row["paper"]) for row in losses] == [
        ("direct 3D", 0.0888),
        ("2D, then lifted", 0.0869),
    ]
    assert row_of(table, method="2D, then lifted", protocol="nme68_3d_similarity")["ours"] == pytest.approx(
        3.0
    )
    (verdict,) = [note for note in table.notes if note.startswith("direct3d less lift3d")]
    assert "+2.00 (95 %: +2.00 to +2.00) over 5 pictures" in verdict


def test_numbers_and_headings_must_be_as_many():
    with pytest.raises(FacemillError, match="SDM: expected 2 values"):
        Part(
            (Heading("aflw2000", (), "plain", "x"), Heading("aflw2000", (), "plain", "y")),
            (Method("SDM", "x", (1.0,)),),
        )
