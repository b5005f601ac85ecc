"""Copies of benchmark pictures in a training set: all found, none made up, reaped with the reason; and near copies
inside a training set stay together."""

import numpy as np
import pytest
from portraits import portrait
from stage_world import build

from pipeline.io import leaks
from pipeline.io.ledger import read_balance
from pipeline.io.tables import write_tsv
from pipeline.records import LEAK_COLUMNS
from tests.planted import KINDS, Sets, jpeg, planted

NOBODY = np.full((68, 2), np.nan)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The table of a training set with 30 copies of 100 benchmark pictures among 300 others, and the benchmark."""
    rng = np.random.default_rng(5)
    samples = [portrait(rng) for _ in range(400)]
    sets = Sets(tmp_path_factory.mktemp("planted"))
    sets.add("test", {f"t{k:03d}": (jpeg(image), points) for k, (image, points) in enumerate(samples[:100])})
    files = {f"o{k:03d}": (jpeg(image), points) for k, (image, points) in enumerate(samples[100:])}
    for k in range(30):
        files[f"copy_{3 * k:03d}"] = planted(samples[3 * k], KINDS[k % 4], rng)
    sets.add("train", files)
    return sets.leaks("train", ["test"]), sets, samples


def test_planted_copies_are_all_found_and_no_other(found):
    rows, _, _ = found
    assert {(row["picture"], row["other"]) for row in rows} == {
        (f"copy_{3 * k:03d}", f"t{3 * k:03d}") for k in range(30)
    }
    assert all(row["dataset"] == "test" and row["rule"] == "picture" for row in rows)
    flipped = {f"copy_{3 * k:03d}" for k in range(30) if KINDS[k % 4] in ("flipped", "all")}
    assert {row["picture"] for row in rows if row["mirrored"]} == flipped
    assert max(int(row["bits"]) for row in rows) < 48 and min(float(row["correlation"]) for row in rows) > 0.8


def test_a_tight_crop_of_a_benchmarks_face_is_found_by_the_face(found):
    _, sets, samples = found
    rng = np.random.default_rng(6)
    files = {}
    for k in range(12):
        image, points = samples[k]
        middle = points.mean(axis=0) + rng.uniform(-2, 2, 2)
        half = round(np.ptp(points, axis=0).max() / np.sqrt(2) * rng.uniform(0.95, 1.05))
        x, y = np.maximum(np.rint(middle - half).astype(int), 0)
        crop = image[y : y + 2 * half, x : x + 2 * half]
        files[f"c{k:03d}"] = (jpeg(crop[:, ::-1] if k % 2 else crop, 80), NOBODY)
    sets.add("crops", files)
    rows = sets.leaks("crops", ["test"])
    assert {(row["picture"], row["other"]) for row in rows} == {(f"c{k:03d}", f"t{k:03d}") for k in range(12)}
    assert {row["rule"] for row in rows} == {"face"}


def test_names_say_it_where_both_sets_are_of_one_collection(tmp_path):
    sets = Sets(tmp_path)
    rng = np.random.default_rng(7)

    def add(dataset, *names):
        sets.add(dataset, {name: (jpeg(portrait(rng)[0]), NOBODY) for name in names})

    add("ours", "0/image00002", "3/image00013_b", "image000026", "other")
    add("theirs", "image00002", "image00013", "image00002b")
    both = {"ours": "aflw", "theirs": "aflw"}
    rows = sets.leaks("ours", ["theirs"], both)
    assert [(row["picture"], row["other"], row["rule"], row["bits"]) for row in rows] == [
        ("0/image00002", "image00002", "name", ""),
        ("0/image00002", "image00002b", "name", ""),
        ("3/image00013_b", "image00013", "name", ""),
    ]
    assert sets.leaks("ours", ["theirs"]) == []
    assert sets.leaks("ours", ["theirs"], {"theirs": "aflw"}) == []
    assert sets.leaks("ours", ["theirs"], both, names=False) == []


def test_near_copies_inside_a_training_set_are_listed_once_and_not_across_one_group(tmp_path):
    rng = np.random.default_rng(8)
    samples = [portrait(rng) for _ in range(3)]
    files = {f"p{k}": (jpeg(image), points) for k, (image, points) in enumerate(samples)}
    for k in range(2):
        files[f"q{k}"] = planted(samples[k], "all", rng)
    sets = Sets(tmp_path)
    sets.add("train", files, {"q1": "p1"})
    assert [(row["picture"], row["dataset"], row["other"]) for row in sets.leaks("train", [])] == [
        ("p0", "train", "q0")
    ]
    assert sets.leaks("train", [], groups=False) == []


def test_what_cannot_be_read_or_shows_nothing_is_like_no_other(tmp_path):
    sets = Sets(tmp_path)
    plain = {"plain": (jpeg(np.full((90, 90, 3), 128, np.uint8)), NOBODY), "broken": (b"\xff\xd8 no", NOBODY)}
    sets.add("ours", plain)
    sets.add("theirs", plain)
    assert sets.leaks("ours", ["theirs"]) == []


def test_reap_names_the_benchmarks_picture_and_keeps_copies_together(tmp_path, monkeypatch):
    world = build(tmp_path, monkeypatch)
    kept, reaped = world.all()
    before = len(kept) + len(reaped)
    rows = [
        ("P_001_0", "bench", "image00007", "picture", "mirrored", "12", "0.970"),
        ("P_001_0", "bench", "image00009", "face", "", "60", "0.810"),
        ("P_002_0", "bench", "image00008", "name", "", "", ""),
        ("P_005_0", "tiny", "P_011_1", "picture", "", "3", "0.990"),
    ]
    write_tsv(world.path("leaks.tsv"), LEAK_COLUMNS, rows)
    kept, reaped = world.reap(["leaks.tsv"])
    copies = {row["face"]: row for row in reaped if row["code"] == "benchmark_copy"}
    assert set(copies) == {"P_001_0#0", "P_002_0"}
    one = copies["P_001_0#0"]
    assert (one["stage"], one["reason"], one["value"]) == (
        "leaks",
        "near copy of a benchmark's picture",
        "12",
    )
    assert one["detail"] == "bench image00007, by picture, mirrored, correlation 0.970"
    assert (copies["P_002_0"]["value"], copies["P_002_0"]["detail"]) == ("", "bench image00008, by name")
    assert {row["face"]: row["code"] for row in reaped}["P_004_0#0"] == "duplicate"
    assert {row["face"]: row["group"] for row in kept} == {
        "P_005_0#0": "P_005",
        "P_011_0#0": "P_005",
        "P_011_1#0": "P_005",
    }
    counts = read_balance(*(world.path(f"{name}.tsv") for name in ("source", "kept", "reaped")))
    assert counts.source == before == counts.kept + sum(counts.reaped.values())


def test_groups_join_through_a_third():
    source = [{"id": name, "group": name.upper()} for name in "abcde"]
    rows = [
        {"dataset": "set", "picture": "d", "other": "b"},
        {"dataset": "set", "picture": "c", "other": "d"},
        {"dataset": "bench", "picture": "a", "other": "e"},
    ]
    assert leaks.groups(source, rows, "set") == {"a": "A", "b": "B", "c": "B", "d": "B", "e": "E"}
