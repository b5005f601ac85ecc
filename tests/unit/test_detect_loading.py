"""Weights by name: shipped, library, path; what is missing or foreign is one clear error."""

import argparse
import hashlib
import json

import pytest
import safetensors.torch
import torch

from pipeline.detect import loading
from pipeline.io import published
from pipeline.models.faceboxes import FaceBoxes
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.records import FacemillError

FAN_FILE = published.FILES["3dfan"].name


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty torch cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_a_missing_library_file_names_file_folder_and_command(cache):
    with pytest.raises(FacemillError) as error:
        loading.load_fan("library")
    message = str(error.value)
    assert FAN_FILE in message and str(cache) in message
    assert f"Type: curl -L --create-dirs -o {cache / FAN_FILE} https://" in message
    assert message.endswith("(or: python -m pipeline data fetch 3dfan)")
    elsewhere = published.absent("/nowhere/depth-2a464da4ea.pth.tar")
    assert "Type: curl -L --create-dirs -o /nowhere/depth-" in elsewhere and "data fetch" not in elsewhere


def test_a_library_file_with_another_hash_is_refused(cache):
    (cache / FAN_FILE).write_bytes(b"half a download")
    with pytest.raises(FacemillError, match="begins 7835d9f11d; found"):
        loading.load_fan("library")


def test_a_library_file_with_the_right_hash_is_loaded(cache, monkeypatch):
    torch.manual_seed(0)
    network = FAN(2, 32)
    torch.save(network.state_dict(), cache / "fan")
    digits = hashlib.sha256((cache / "fan").read_bytes()).hexdigest()[:10]
    name = f"FAN-{digits}.pth.tar"
    (cache / "fan").rename(cache / name)
    monkeypatch.setitem(published.FILES, "3dfan", published.Published(name, "https://nowhere"))
    loaded = loading.load_fan("library")
    assert loaded.card["settings"] == {"stacks": 2, "features": 32} and loaded.card["side"] == 256
    torch.testing.assert_close(loaded.module.state_dict()["l1.weight"], network.state_dict()["l1.weight"])


def test_a_path_to_a_state_dictionary(tmp_path):
    torch.save({f"module.{k}": v for k, v in FAN(1, 32).state_dict().items()}, tmp_path / "fan.pth")
    assert loading.load_fan(str(tmp_path / "fan.pth")).module.stacks == 1


def test_half_precision_weights_with_their_card(tmp_path):
    settings = {"width": 0.25, "sizes": [[40, 80], [160], [256]], "density": [[2, 1], [1], [1]]}
    network, _ = loading.faceboxes_from(settings)
    half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    safetensors.torch.save_file(half, tmp_path / "d.safetensors")
    (tmp_path / "d.json").write_text(json.dumps({"settings": settings, "side": 128}))
    loaded = loading.load_faceboxes(str(tmp_path / "d.safetensors"))
    assert loaded.module.conv1.conv.weight.dtype == torch.float32
    torch.testing.assert_close(
        loaded.module.conv1.conv.weight, network.conv1.conv.weight, atol=1e-3, rtol=1e-3
    )


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(FAN(1, 32).state_dict(), tmp_path / "fan.pth")
    with pytest.raises(FacemillError, match=r"fan\.pth: no tensor .* that FaceBoxes needs"):
        loading.load_faceboxes(str(tmp_path / "fan.pth"))
    torch.save(FaceBoxes(0.25).state_dict(), tmp_path / "boxes.pth")
    with pytest.raises(FacemillError, match=r"without 'l0\.weight'"):
        loading.load_fan(str(tmp_path / "boxes.pth"))


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_a_broken_file_is_one_line(tmp_path, content):
    for name in ("a.pth", "a.safetensors"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a.json").write_text(json.dumps({"settings": {"stacks": 1, "features": 32}, "side": 128}))
    for name in ("a.pth", "a.safetensors"):
        with pytest.raises(FacemillError, match=name):
            loading.load_fan(str(tmp_path / name))
    with pytest.raises(FacemillError, match="no weights file"):
        loading.load_fan(str(tmp_path / "none.pth"))


def test_2d_landmarks_are_another_published_file(cache):
    with pytest.raises(FacemillError, match=r"expects 2DFAN4-11f355bf06\.pth\.tar"):
        loading.load_fan("library", "2d")


def test_a_depth_checkpoint_by_its_published_name(cache, monkeypatch):
    torch.manual_seed(0)
    network = DepthNetwork((1, 2, 1, 1), 8)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 40, "arch": "resnet"}, cache / "depth")
    digits = hashlib.sha256((cache / "depth").read_bytes()).hexdigest()[:10]
    name = f"depth-{digits}.pth.tar"
    (cache / "depth").rename(cache / name)
    with pytest.raises(FacemillError, match=r"expects depth-2a464da4ea\.pth\.tar"):
        loading.load_depth()
    monkeypatch.setitem(published.FILES, "depth", published.Published(name, "https://nowhere"))
    loaded = loading.load_depth()
    assert loaded.card["settings"] == {"blocks": [1, 2, 1, 1], "width": 8}
    torch.testing.assert_close(loaded.module.state_dict()["fc.weight"], network.state_dict()["fc.weight"])


def test_a_depth_file_of_something_else_is_refused(tmp_path):
    torch.save(FAN(1, 32).state_dict(), tmp_path / "fan.pth")
    with pytest.raises(FacemillError, match=r"expected the state of a ResNet, found one without 'layer4"):
        loading.load_depth(str(tmp_path / "fan.pth"))


def test_a_checkpoint_that_would_execute_code_is_refused_with_the_way_out(tmp_path):
    """The library unpickles whatever the depth file holds; ours takes tensors and plain values."""
    network = DepthNetwork((1, 1, 1, 1), 8)
    content = {"state_dict": network.state_dict(), "options": argparse.Namespace(epochs=40)}
    torch.save(content, tmp_path / "depth-x.pth.tar")
    with pytest.raises(FacemillError) as error:
        loading.load_depth(str(tmp_path / "depth-x.pth.tar"))
    message = str(error.value)
    assert "found argparse.Namespace, which reading would execute" in message and "\n" not in message
    command = message.split("Type: ")[1]
    assert command.startswith("python -c ")
    exec(command.removeprefix('python -c "').removesuffix('"'), {})
    loaded = loading.load_depth(str(tmp_path / "depth-x-tensors.pth"))
    torch.testing.assert_close(loaded.module.state_dict()["fc.weight"], network.state_dict()["fc.weight"])


def test_the_digits_are_those_of_the_names():
    digits = {key: file.digits for key, file in published.FILES.items() if file.digits}
    assert digits == {
        "2dfan": "11f355bf06",
        "3dfan": "7835d9f11d",
        "depth": "2a464da4ea",
        "sfd": "619a316812",
    }
