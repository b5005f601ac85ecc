"""Checkpoints of 3DDFA and 3DDFA_V2 as weights of a system of its own."""

import json

import numpy as np
import pytest
import torch

from pipeline.__main__ import main
from pipeline.models.published.tddfa import network_of
from pipeline.models.tddfa import TDDFA, MobileNetV1
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED
from pipeline.training.checkpoints import initial_network


def statistics():
    random = np.random.default_rng(0)
    return {"mean": random.normal(size=62).astype("f4"), "std": random.uniform(0.5, 2, 62).astype("f4")}


@pytest.fixture(scope="module", params=["fc", "fc_param"], ids=["3DDFA", "3DDFA_V2"])
def folder(tmp_path_factory, request):
    """A checkpoint as published, its statistics, and what the verb makes of them."""
    root = tmp_path_factory.mktemp("tddfa")
    state = MobileNetV1(torch.Generator().manual_seed(4), width=0.125).state_dict()
    named = {f"module.{name.replace('fc.', request.param + '.')}": value for name, value in state.items()}
    torch.save({"state_dict": {**named, "module.fc_lm.weight": torch.zeros(136, 2)}}, root / "mb.pth.tar")
    np.savez(root / "statistics.npz", **statistics())
    files = ["--weights", str(root / "mb.pth.tar"), "--statistics", str(root / "statistics.npz")]
    assert main(["convert", "--model", "tddfa", *files, "--out", str(root / "weights.safetensors")]) == 0
    return root


def test_the_converted_network_answers_raw_parameters_of_rgb_crops(folder):
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"] == {"width": 0.125}
    assert sorted(card["files"]) == ["mb.pth.tar", "statistics.npz"]
    assert "non-commercial research only" in next(iter(card["licences"]))
    network = initial_network("tddfa", card["settings"], 0, str(folder / "weights.safetensors")).eval()
    image = torch.rand(2, 3, 120, 120, generator=torch.Generator().manual_seed(5))
    theirs = MobileNetV1(torch.Generator().manual_seed(4), width=0.125).eval()
    with torch.no_grad():
        bgr = torch.stack([image[:, 2], image[:, 1], image[:, 0]], dim=1) * 255
        whitened = theirs((bgr - 127.5) / 128).numpy()
        found = network.predict(image).numpy()
    known = statistics()
    np.testing.assert_allclose(found, whitened * known["std"] + known["mean"], atol=1e-5)


def test_without_statistics_nothing_is_made():
    state = MobileNetV1(width=0.125).state_dict()
    with pytest.raises(FacemillError, match=r"mb\.pth: expected the statistics.*--statistics"):
        PUBLISHED["tddfa"](state, "mb.pth", None)


def test_what_is_no_checkpoint_of_3ddfa_is_named():
    with pytest.raises(FacemillError, match="found neither; the first entry is a"):
        network_of({"a": torch.zeros(1)}, "x.pth")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "vgg"}, "expected mobilenet_v1 or resnet22, found 'vgg'"),
        ({"backbone": "resnet22", "width": 0.5}, "the only width of resnet22, found 0.5"),
    ],
)
def test_backbones_that_there_are_not_are_refused(settings, message):
    with pytest.raises(FacemillError, match=message):
        TDDFA(**settings)
