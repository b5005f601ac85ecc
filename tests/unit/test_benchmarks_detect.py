"""What the benchmark of detection measures: every detector is there or says why not, and stand-ins find no face."""

import argparse
import importlib.util
import os
import sys

import numpy as np
import pytest

from benchmarks import detect, detect_memory, detect_parts
from pipeline.io.published import BOXED, FILES, LIBRARY_DETECTORS
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.records import FacemillError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """No published file is in torch's cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


def options(**given):
    empty = dict.fromkeys(("boxes", "labeller", "statistics", "face"))
    return argparse.Namespace(**{"weights": "shipped", **empty, **given})


def noise(*sides):
    return np.random.default_rng(0).integers(0, 256, (*sides, 3), np.uint8)


def test_every_detector_that_finds_boxes_has_a_line(tmp_path):
    found = detect_parts.parts(options(), tmp_path)
    assert {part.name for part in found} >= set(BOXED)
    absent = {part.name: part.why for part in found if isinstance(part, detect_parts.Absent)}
    assert (
        "yunet_2023mar.onnx in torch's cache" in absent["yunet"]
        and "--boxes" in absent["faceboxes, published"]
    )
    assert "faceboxes, published" not in {
        p.name for p in detect_parts.parts(options(boxes="f.pth"), tmp_path)
    }


@pytest.mark.parametrize("name", ["scrfd", "retinaface", "dlib"])
def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch, name):
    package = detect_parts.PACKAGES[name]
    monkeypatch.setitem(sys.modules, package, None)
    assert detect_parts.library_part(name, tmp_path).why == f"not installed: {package}"


@pytest.mark.parametrize("name", sorted(detect_parts.STAND_INS))
def test_a_stand_in_is_taken_by_the_library_and_finds_no_face(tmp_path, name):
    package = detect_parts.PACKAGES.get(name)
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    part = detect_parts.library_part(name, tmp_path)
    assert part.weights == "random weights, no faces" and part.batches == (1,)
    ((boxes, scores),) = part.build(1)([noise(96, 128)])
    assert boxes.shape == (0, 4) and scores.shape == (0,)


def test_a_library_that_cannot_be_imported_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "face_alignment.detection.blazeface.net_blazeface", None)
    with pytest.raises(
        FacemillError, match=r"net_blazeface cannot be imported \(ModuleNotFoundError: "
    ) as error:
        detect_parts.library_part("blazeface", tmp_path).build(1)
    assert "\n" not in str(error.value)


def test_a_file_in_the_cache_is_used(tmp_path):
    folder = tmp_path / "home" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    for name in LIBRARY_DETECTORS["blazeface"]:
        assert detect_parts.library_part("blazeface", tmp_path).weights == "random weights, no faces"
        (folder / FILES[name].name).write_bytes(b"weights")
    assert detect_parts.library_part("blazeface", tmp_path).weights == "published"


def test_a_picture_that_a_detector_cannot_work_on_has_no_time(tmp_path):
    call = detect_parts.library_part("sfd", tmp_path).build(1)
    with pytest.raises(FacemillError, match="sfd fails on a picture of 3 x 3"):
        call([noise(3, 3)])


def test_each_other_part_works_on_pictures(tmp_path, monkeypatch):
    """With small networks under the published names."""
    monkeypatch.setattr(detect_parts, "FAN", lambda: FAN(1, 16))
    monkeypatch.setattr(detect_parts, "DepthNetwork", lambda: DepthNetwork((1, 1, 1, 1), width=8))
    found = {part.name: part for part in detect_parts.parts(options(), tmp_path)}
    pictures = [noise(60, 80), noise(70, 50)]
    (shape, *_) = (array.shape for array in found["2DFAN-4 and 3DFAN-4, one layout"].build(1)(pictures))
    assert shape == (2, 68, 2)
    assert found["depth network"].build(16)(pictures).shape == (2, 68)
    assert found["  of it the crop"].build(16)(pictures).shape[0] == 2
    assert found["  of it the decode"].build(16)(pictures)[0].shape == (2, 68, 2)
    assert [len(boxes) for boxes, _ in found["boxes"].build(1)(pictures)] == [1, 1]


def test_the_time_is_the_least_of_several_calls(monkeypatch):
    clock, cost = [0.0], iter([9.0, 3.0])
    monkeypatch.setattr(detect.time, "process_time", lambda: clock[0])

    def call():
        clock[0] += next(cost)

    assert detect.milliseconds(call, 2) == 1500


def test_the_memory_of_a_part_is_that_of_a_process_of_its_own(tmp_path):
    """The photo's own 72 MB are there before the part begins."""
    number = [part.name for part in detect_parts.parts(options(), tmp_path)].index("boxes")
    before, most = detect_memory.alone(detect_memory.large_photo, options(), number)
    assert 72 < before <= most < before + 72


def test_a_process_that_dies_is_words():
    with pytest.raises(FacemillError, match="ended without an answer"):
        detect_memory.alone(os._exit, 1)


def test_a_smaller_photo_says_what_its_pixels_would_make_of_the_large_one():
    large = detect_memory.line("part", detect_parts.LARGE, 100.0, 100.0 + 6000 * 4000 * 3 / 2**20)
    assert large.endswith("1.0 x at 6000 x 4000")
    small = detect_memory.line("part", (1200, 800), 100.0, 100.0 + 1200 * 800 * 3 * 10 / 2**20)
    assert "10.0 x at 1200 x 800; by its pixels 787 MB at 6000 x 4000" in small
