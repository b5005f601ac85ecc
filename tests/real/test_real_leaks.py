"""Real photos: planted copies of AFLW2000-3D pictures and its stored crops are found, and nothing else is."""

import zipfile

import cv2
import numpy as np
import pytest

from tests.planted import KINDS, Sets, jpeg, planted

NOBODY = np.full((68, 2), np.nan)
TWINS = {("image00451", "image00731"), ("image03715", "image03800")}
"""Pictures of AFLW2000-3D that are one photograph, processed twice: darker, and before another background."""


@pytest.fixture(scope="module")
def photos(data, annotations):
    """The 400 pictures with their published landmarks, by name."""
    paths = sorted((data / "aflw2000-dev/images").glob("*.jpg"))
    return {
        path.stem: (cv2.imread(str(path))[:, :, ::-1], annotation.landmarks68[:, :2])
        for path, annotation in zip(paths, annotations, strict=True)
    }


@pytest.fixture(scope="module")
def benchmark(photos, tmp_path_factory):
    """The 400 as a benchmark."""
    sets = Sets(tmp_path_factory.mktemp("real"))
    sets.add("all", {name: (jpeg(image, 95), points) for name, (image, points) in photos.items()})
    return sets


def crops(path):
    """The pictures of a zip by name, as files, without landmarks."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        return {name.rsplit("/", 1)[-1][:-4]: (archive.read(name), NOBODY) for name in names}


def test_thirty_planted_pictures_are_all_found_and_no_other(photos, tmp_path):
    rng = np.random.default_rng(0)
    names = sorted(photos)
    originals, others = names[:100], names[100:]
    sets = Sets(tmp_path)
    sets.add("test", {name: (jpeg(photos[name][0], 95), photos[name][1]) for name in originals})
    files = {name: (jpeg(photos[name][0], 95), photos[name][1]) for name in others}
    chosen = originals[::3][:30]
    for k, name in enumerate(chosen):
        files[f"copy_{name}"] = planted(photos[name], KINDS[k % len(KINDS)], rng)
    sets.add("train", files)
    rows = sets.leaks("train", ["test"], groups=False)
    assert {(row["picture"], row["other"]) for row in rows} == {(f"copy_{name}", name) for name in chosen}
    assert {row["rule"] for row in rows} == {"picture"}


def test_the_pictures_among_themselves(benchmark):
    rows = benchmark.leaks("all", [])
    assert {(row["picture"], row["other"]) for row in rows} == TWINS


def test_the_stored_crops_are_found_by_the_face(benchmark, data):
    files = crops(data / "aflw2000-dev/crops120.zip")
    benchmark.add("crops", files)
    found = {(row["picture"], row["other"]) for row in benchmark.leaks("crops", ["all"], groups=False)}
    assert {(name, name) for name in files} <= found
    assert {tuple(sorted(pair)) for pair in found if pair[0] != pair[1]} <= TWINS


def test_no_crop_of_aflw_repeats_a_benchmarks_picture_but_some_one_another(benchmark, data):
    benchmark.add("aflw", crops(data / "aflw-gt-crops/crops120.zip"))
    both = {"aflw": "aflw", "all": "aflw"}
    rows = benchmark.leaks("aflw", ["all"], both)
    assert [row for row in rows if row["dataset"] == "all"] == []
    inside = {(row["picture"], row["other"]) for row in rows}
    assert {("image14080", "image15210"), ("image14652", "image40425")} <= inside
    assert 70 <= len(inside) <= 85
