"""PRNet's published checkpoint: what its public code says that it holds, and what becomes of it."""

import json
from math import prod

import numpy as np
import pytest
import torch

from pipeline.__main__ import main
from pipeline.io.files import sha256_of
from pipeline.models.prn import PRN
from pipeline.models.published import key_table
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED
from pipeline.training.checkpoints import initial_network
from tests.unit.tensorflow_files import write_checkpoint

IDENTITY = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}


def variables():
    """One of every variable of the table, small random numbers, the variances positive."""
    random, found = np.random.default_rng(0), {}
    for name, shape in key_table("prn").shapes.items():
        values = random.standard_normal(shape, np.float32) * np.float32(0.1)
        found[name] = np.abs(values) + np.float32(0.5) if name.endswith("moving_variance") else values
    return found


@pytest.fixture(scope="module")
def written():
    return variables()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, written):
    """A checkpoint with the table's variables and an optimiser's, and what the verb makes of it."""
    root = tmp_path_factory.mktemp("prn")
    optimiser = {f"{name}/Adam": np.zeros(2, "f4") for name in list(written)[:3]} | {
        "beta1_power": np.float32(0.9)
    }
    write_checkpoint(root / "256_256_weight", {**written, **optimiser}, checksums=False)
    prefix, out = str(root / "256_256_weight"), str(root / "weights.safetensors")
    assert main(["convert", "--model", "prn", "--weights", prefix, "--out", out]) == 0
    return root


@pytest.fixture(scope="module")
def network(folder):
    return initial_network("prn", {}, 0, str(folder / "weights.safetensors")).eval()


def test_the_table_holds_the_numbers_of_the_published_index():
    shapes = key_table("prn").shapes
    sums = {
        kind: sum(prod(shape) for name, shape in shapes.items() if name.rsplit("/", 1)[1] in kind)
        for kind in (("weights",), ("gamma", "beta"), ("moving_mean", "moving_variance"))
    }
    assert list(sums.values()) == [13_341_728, 11_890, 11_890]
    assert sum(name.endswith("gamma") for name in shapes) == 48
    assert 3 * (13_341_728 + 11_890) + 11_890 + 2 == 40_072_746  # with Adam's slots and its two powers
    assert len(key_table("prn").head["commit"]) == 40


def conv(x, kernel, stride):
    """TensorFlow's conv2d, SAME: x (H, W, in), kernel (k, k, in, out), in double precision, a pixel at a time."""
    size, reach = x.shape[0], kernel.shape[0]
    count = -(-size // stride)
    before = max((count - 1) * stride + reach - size, 0) // 2
    out = np.zeros((count, count, kernel.shape[3]))
    for row, column, i, j in np.ndindex(count, count, reach, reach):
        y, z = row * stride + i - before, column * stride + j - before
        if 0 <= y < size and 0 <= z < size:
            out[row, column] += x[y, z].astype(float) @ kernel[i, j].astype(float)
    return out


def deconv(x, kernel, stride):
    """TensorFlow's conv2d_transpose, SAME: the gradient of the convolution whose input is the output; kernel
    (k, k, out, in)."""
    size, reach = x.shape[0] * stride, kernel.shape[0]
    before = max((x.shape[0] - 1) * stride + reach - size, 0) // 2
    out = np.zeros((size, size, kernel.shape[2]))
    for row, column, i, j in np.ndindex(*x.shape[:2], reach, reach):
        y, z = row * stride + i - before, column * stride + j - before
        if 0 <= y < size and 0 <= z < size:
            out[y, z] += kernel[i, j].astype(float) @ x[row, column].astype(float)
    return out


def test_the_slow_convolutions_are_tensorflows():
    """Integers that tf.nn.conv2d_transpose and tf.nn.conv2d of TensorFlow 2.15.1 gave."""
    kernel = np.arange(1.0, 17).reshape(4, 4, 1, 1)
    small, image = np.arange(1.0, 10).reshape(3, 3, 1), np.arange(1.0, 17).reshape(4, 4, 1)
    known = {
        1: (
            [[29, 62, 83], [99, 192, 237], [207, 372, 417]],
            [[696, 962, 732, 493], [1112, 1496, 1112, 732], [732, 962, 696, 445], [388, 492, 340, 206]],
        ),
        2: (
            [
                [6, 17, 20, 29, 34, 21],
                [18, 46, 58, 70, 86, 51],
                [38, 94, 106, 134, 150, 87],
                [54, 118, 142, 142, 170, 93],
                [98, 214, 238, 254, 282, 153],
                [70, 149, 164, 169, 186, 99],
            ],
            [[696, 732], [732, 696]],
        ),
    }
    for stride, (up, down) in known.items():
        np.testing.assert_array_equal(deconv(small, kernel, stride)[..., 0], up)
        np.testing.assert_array_equal(conv(image, kernel, stride)[..., 0], down)


LAYERS = {
    "conv, stride 1": ("stem.0", "Conv", conv, 1),
    "conv, stride 2": ("encoder.0.conv2", "resBlock/Conv_1", conv, 2),
    "1x1, stride 2": ("encoder.2.shortcut", "resBlock_2/shortcut", conv, 2),
    "transposed, stride 2": ("decoder.36", "Conv2d_transpose_12", deconv, 2),
    "transposed, stride 1": ("decoder.39", "Conv2d_transpose_13", deconv, 1),
    "the last": ("last", "Conv2d_transpose_16", deconv, 1),
}


@pytest.mark.parametrize(("ours", "theirs", "slow", "stride"), LAYERS.values(), ids=LAYERS)
def test_a_loaded_layer_computes_what_tensorflow_defines(network, written, ours, theirs, slow, stride):
    kernel = written[f"resfcn256/{theirs}/weights"]
    channels = kernel.shape[3 if slow is deconv else 2]
    x = np.random.default_rng(1).standard_normal((8, 8, channels)).astype("f4")
    with torch.no_grad():
        out = network.get_submodule(ours)(torch.from_numpy(x.transpose(2, 0, 1)[None]))
    np.testing.assert_allclose(out[0].permute(1, 2, 0), slow(x, kernel, stride), atol=2e-5)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("stem.1", "Conv"),
        ("encoder.0.bn1", "resBlock/Conv"),
        ("encoder.9.bn2", "resBlock_9/Conv_1"),
        ("encoder.9.bn3", "resBlock_9"),
        ("decoder.1", "Conv2d_transpose"),
        ("last_bn", "Conv2d_transpose_16"),
    ],
)
def test_batch_norms_bring_their_moving_statistics(network, written, ours, theirs):
    own = {kind: written[f"resfcn256/{theirs}/BatchNorm/{kind}"].astype(float) for kind in IDENTITY}
    x = np.random.default_rng(2).standard_normal((2, len(own["beta"]), 3, 3)).astype("f4")
    with torch.no_grad():
        out = network.get_submodule(ours)(torch.from_numpy(x))
    gamma, beta, mean, variance = (own[kind][:, None, None] for kind in IDENTITY)
    np.testing.assert_allclose(out, (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, atol=1e-5)


def test_every_number_has_a_place_and_none_has_two(written):
    converted = PUBLISHED["prn"](written, "checkpoint", None)
    with torch.device("meta"):
        own = PRN().state_dict()
    counts = {name for name in own if name.endswith("num_batches_tracked")}
    assert set(converted.tensors) == set(own) - counts
    assert {n: t.shape for n, t in converted.tensors.items()} == {n: own[n].shape for n in converted.tensors}
    sums = [
        sum(float(np.abs(np.asarray(v)).sum(dtype=float)) for v in some)
        for some in (written.values(), converted.tensors.values())
    ]
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_the_card_says_where_it_comes_from_and_what_it_may_be_used_for(folder):
    card = json.loads((folder / "card.json").read_text())
    assert card["parameters"] == 13_353_618 and card["model"] == "prn"
    assert list(card["licences"]) == [
        "PRNet: code MIT; weights made with 300W-LP and the Basel Face Model, non-commercial research only"
    ]
    assert card["sha256"] == sha256_of(folder / "weights.safetensors")
    files = ["256_256_weight.index", "256_256_weight.data-00000-of-00001"]
    assert card["files"] == {name: sha256_of(folder / name) for name in files}


def test_missing_strange_and_misshapen_variables_are_named(written):
    def refused(found, message):
        with pytest.raises(FacemillError, match=message):
            PUBLISHED["prn"](found, "some/file", None)

    lost = "resfcn256/resBlock_3/Conv_1/weights"
    refused(
        {k: v for k, v in written.items() if k != lost},
        f"some/file: expected the 245 tensors.*missing: {lost}$",
    )
    refused({**written, "resfcn256/extra": np.zeros(1)}, "left over: resfcn256/extra$")
    refused(
        {**written, lost: np.zeros((4, 4, 1, 1))}, rf"{lost} of shape \(4, 4, 32, 32\).*found \(4, 4, 1, 1\)"
    )
    refused({}, "missing: resfcn256/Conv/weights, .* and 240 more")
    with pytest.raises(FacemillError, match="leave --statistics out"):
        PUBLISHED["prn"](written, "some/file", object())


def test_what_cannot_be_converted_is_one_line(folder, tmp_path, capsys):
    def said(*more):
        assert main(["convert", *more]) == 1
        return capsys.readouterr().err

    out = str(tmp_path / "prn.safetensors")
    assert "Did you mean 'prn'" in said("--model", "prm", "--weights", "x", "--out", out)
    assert "no file nowhere" in said("--model", "prn", "--weights", "nowhere", "--out", out)
    assert "expected the name of a .safetensors file" in said(
        "--model", "prn", "--weights", "x", "--out", "x.pth"
    )
    other = tmp_path / "other.pth"
    torch.save({"module.fc.weight": torch.zeros(1)}, other)
    assert "left over: fc.weight" in said("--model", "prn", "--weights", str(other), "--out", out)
