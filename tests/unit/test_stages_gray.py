"""A gray frame's crops have one channel, from the crop to what a network sees."""

import numpy as np
import pytest
import torch
from stage_world import build
from target_cases import model as dome

from pipeline.config import AugmentSettings, TargetSettings
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.infer import infer
from pipeline.evaluation.predictions import Answers
from pipeline.geometry.resample import to_gray, to_rgb
from pipeline.io import hdf5
from pipeline.models.inputs import network_input, require_channels
from pipeline.records import CROPS, PACK, FacemillError
from pipeline.registry import FRAMES, TARGETS
from pipeline.seeding import rng
from pipeline.stages import ground_truth, pack
from pipeline.training.augment import augment


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The tiny data set, to be cut in the gray frame."""
    world = build(tmp_path, monkeypatch)
    world.at["frame"] = "gray224"
    for stage in (ground_truth, pack):
        monkeypatch.setattr(stage, "TARGETS", {"posmap": TARGETS["landmarks"]})
    return world


def test_the_crop_is_the_luma_of_the_frames_square_and_the_pack_keeps_it(world, monkeypatch):
    kept, _ = world.all()
    with hdf5.open_checked(world.path("crops.h5"), CROPS) as file:
        gray = file["image"][:]
        assert file.attrs["colour"] == "gray" and gray.shape[1:] == (224, 224, 1)
    with hdf5.open_checked(world.pack("test", benchmark=True), PACK) as file:
        assert file["image"].chunks == (1, 224, 224, 1) and len(file["image"]) == len(kept)
        assert file.attrs["colour"] == "gray"
        np.testing.assert_array_equal(file["image"][0], gray[0])
    frame = type("Colour", (FRAMES["gray224"],), {"colour": "rgb"})
    monkeypatch.setattr("pipeline.stages.crop.FRAMES", {"gray224": frame})
    world.crop()
    with hdf5.open_checked(world.path("crops.h5"), CROPS) as file:
        red, green, blue = np.moveaxis(file["image"][:].astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert np.abs(gray[..., 0] - luma).max() <= 0.501
    assert np.abs(gray[..., 0] - (red + green + blue) / 3).max() > 5


def test_augmentation_and_the_networks_input_take_one_channel():
    random = np.random.default_rng(0)
    colour = random.integers(0, 256, (40, 40, 3), np.uint8)
    plane = np.zeros((8, 8, 3), np.float32)
    settings = AugmentSettings(occlusion=1.0, flip=0.5)
    image, _ = augment(to_gray(colour), plane, settings, rng("gray", 1))
    assert image.shape == (40, 40, 1) and image.std() > 1
    assert network_input(image, 32).shape == (1, 32, 32)
    assert (np.ptp(to_rgb(image), axis=2) == 0).all() and to_rgb(colour) is colour


def test_a_network_for_colour_is_refused_in_one_line(world, tmp_path):
    world.all()
    path = world.pack("test", benchmark=True)
    answers = Answers(TargetSettings(kind="posmap", size=32), Chart(dome()))
    with pytest.raises(
        FacemillError, match=r"test\.h5: expected crops of 3 channels for Conv2d, found 1 \(gray\)"
    ):
        infer(sized(torch.nn.Conv2d(3, 3, 1)), path, tmp_path / "out.h5", answers, {})
    network = sized(torch.nn.Conv2d(1, 3, 1))
    network.channels = 1
    infer(network, path, tmp_path / "out.h5", answers, {})
    require_channels(network, 3, "models.mine")


def sized(network):
    network.size = 32
    return network


def test_a_gray_network_sees_the_luma_of_a_crop_in_colour():
    colour = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    seen = network_input(colour, 32, 1)
    assert seen.shape == (1, 32, 32)
    luma = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(255 * seen[0] - luma).max() <= 0.5 + 1e-3
