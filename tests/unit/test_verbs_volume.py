"""The verb volume: a mesh or voxels from a file of probabilities, or from a trained network and its pack."""

import numpy as np
import pytest
import torch
from test_evaluation_isosurface import ball
from test_training_volume import save_pack

from pipeline.__main__ import main
from pipeline.apps.volume_mesh import predicted
from pipeline.config import TargetSettings
from pipeline.geometry.surface import enclosed
from pipeline.io.images import write_png
from pipeline.io.meshes import read_mesh
from pipeline.models.vrn import VRN
from pipeline.records import FacemillError
from pipeline.registry import TARGETS
from pipeline.training.checkpoints import save_weights


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "ball.npy", ball().astype(np.float32))
    return tmp_path / "ball.npy"


@pytest.mark.parametrize("ending", ["obj", "ply", "glb"])
def test_a_mesh_of_a_file_stands_upright_and_turns_outward(file, ending, capsys):
    crop = np.zeros((192, 192, 3), np.uint8)
    crop[:, 96:] = [200, 100, 50]
    write_png(file.parent / "crop.png", crop)
    out = file.parent / f"face.{ending}"
    command = ["volume", "--file", str(file), "--depth-scale", "2", "--out", str(out)]
    assert main([*command, "--crop", str(file.parent / "crop.png")]) == 0
    assert "vertices" in capsys.readouterr().out
    mesh = read_mesh(out)
    x, y, _ = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
    assert x == pytest.approx(11.8 * 8 - 0.5, abs=1) and y == pytest.approx(191 - (12.3 * 8 - 0.5), abs=1)
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [112, 112, 56], rtol=0.02)
    assert enclosed(mesh.vertices, mesh.triangles) > 0
    assert (mesh.colours[mesh.vertices[:, 0] > 100] == [200, 100, 50]).all()
    assert not mesh.colours[mesh.vertices[:, 0] < 90].any()


def test_voxels_have_the_seed_s_order(file):
    out = file.parent / "voxels.npy"
    assert main(["volume", "--file", str(file), "--out", str(out)]) == 0
    voxels = np.load(out)
    assert voxels.shape == (192, 192, 200) and voxels.dtype == np.uint8 and set(np.unique(voxels)) == {0, 1}
    middle = np.argwhere(voxels).mean(axis=0)
    np.testing.assert_allclose(middle, [11.8 * 8 - 0.5, 12.3 * 8 - 0.5, 12.9 * 8 - 0.5], atol=0.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--file", "{file}", "--out", "x.stl"],
            "expected a file ending in .obj, .ply, .glb, .npy, found '.stl'",
        ),
        (["--out", "x.obj"], "expected --model with --benchmark, or --file"),
        (["--model", "vrn", "--out", "x.obj"], "expected --model with --benchmark"),
        (["--file", "{bad}", "--out", "x.obj"], "expected probabilities from 0 to 1"),
        (["--file", "{turned}", "--out", "x.obj"], "is turned by transpose(2, 1, 0)"),
    ],
)
def test_what_cannot_be_done_is_said(file, arguments, words, capsys):
    np.save(file.parent / "bad.npy", ball() * 255)
    np.save(file.parent / "turned.npy", ball().transpose(2, 1, 0))
    names = {"file": file, "bad": file.parent / "bad.npy", "turned": file.parent / "turned.npy"}
    assert main(["volume", *(a.format(**names) for a in arguments)]) == 1
    assert words in capsys.readouterr().err


def test_a_trained_network_is_asked_for_one_picture(tmp_path):
    target = TARGETS["volume"](TargetSettings(kind="volume"))
    save_pack(tmp_path / "pack.h5", target, 2)
    keywords = {"features": 8, "stacks": 1, "depth": 1, "blocks": 1, "size": 24}
    network = VRN(torch.Generator().manual_seed(4), **keywords)
    save_weights(tmp_path / "w.safetensors", network.state_dict(), {})
    inputs = {"weights": str(tmp_path / "w.safetensors"), "pack": str(tmp_path / "pack.h5")}
    settings = {"model": "vrn", "network": keywords}
    name, volume, image = predicted(inputs, settings, "p1")
    assert name == "p1" and volume.shape == (25, 24, 24) and image.shape == (96, 96, 3)
    assert volume.min() > 0 and volume.max() < 1
    assert predicted(inputs, settings, None)[0] == "p0"
    with pytest.raises(FacemillError, match="the picture p9"):
        predicted(inputs, settings, "p9")
    with pytest.raises(FacemillError, match="found prn"):
        predicted(inputs, {"model": "prn", "network": {"width": 1, "size": 32}}, None)
