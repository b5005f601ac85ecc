"""2DASL's network: size, names, what it sees, how the pooling follows the side; released checkpoints."""

import numpy as np
import pytest
import torch

from pipeline.io.sources import sources
from pipeline.io.weights import read_state
from pipeline.models.published import key_table
from pipeline.models.two_dasl import TwoDASL
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED

SMALL = {"size": 32, "width": 2, "blocks": (1, 1, 1, 1)}


def small(seed=0, **settings):
    return TwoDASL(torch.Generator().manual_seed(seed), **{**SMALL, **settings}).eval()


def inputs(count=2, side=32, seed=1):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, side, side, generator=random), torch.rand(
        count, 68, 2, generator=random
    ) * side


def test_without_arguments_it_is_the_released_network():
    with torch.device("meta"):
        network = TwoDASL()
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_638_206
    assert network.size == 120 and network.points is True and network.task == "2dasl"
    assert network.conv1.weight.shape == (64, 4, 7, 7) and network.fc.weight.shape == (62, 2048)
    assert network.layer4[0].conv2.stride == (1, 1) and network.layer3[0].conv2.stride == (2, 2)
    assert [len(getattr(network, f"layer{k}")) for k in range(1, 5)] == [3, 4, 6, 3]


def test_it_sees_bgr_as_the_authors_scale_it_and_the_map():
    network, (image, points) = small(), inputs()
    seen = []
    network.conv1.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    network(image, points)
    (x,) = seen
    torch.testing.assert_close(x[:, 0], (image[:, 2] * 255 - 127.5) / 128)
    torch.testing.assert_close(x[:, 2], (image[:, 0] * 255 - 127.5) / 128)
    assert set(x[:, 3].unique().tolist()) == {-1.0, 1.0} and (x[:, 3] == 1).sum() > 20


@pytest.mark.parametrize(
    ("side", "cells", "seen"), [(120, 8, 7), (128, 8, 7), (96, 6, 6), (64, 4, 4), (20, 2, 2)]
)
def test_the_pooling_is_the_released_one_on_8_cells_and_a_mean_on_others(side, cells, seen):
    network, (image, points) = small(size=side), inputs(1, side)
    maps = []
    network.layer4.register_forward_hook(lambda _, __, out: maps.append(out))
    found = network(image, points)
    assert maps[0].shape[-2:] == (cells, cells)
    torch.testing.assert_close(found, network.fc(maps[0][..., :seen, :seen].mean((2, 3))))
    if cells == 8:
        released = torch.nn.AvgPool2d(7, stride=2)(maps[0]).flatten(1)
        torch.testing.assert_close(found, network.fc(released))


def test_landmarks_change_the_answer_and_the_legacy_switch_those_beyond_the_border():
    image, points = inputs()
    network, legacy = small(), small(legacy_wrap=True)
    assert not torch.equal(network(image, points), network(image, points.flip(0)))
    torch.testing.assert_close(network(image, points), legacy(image, points))
    points[:, 30, 0] = -4
    assert not torch.allclose(network(image, points), legacy(image, points))


def test_predict_undoes_the_whitening_of_its_buffers():
    network, (image, points) = small(), inputs()
    white = network(image, points)
    assert torch.equal(network.predict(image, points), white)
    network.param_mean += 3
    network.param_std *= 2
    torch.testing.assert_close(network.predict(image, points), 2 * white + 3)
    assert {"param_mean", "param_std"} <= set(network.state_dict())


def test_autocast_leaves_the_answer_in_float32():
    network, (image, points) = small(), inputs()
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image, points)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, network(image, points), atol=0.05, rtol=0.05)


def test_the_weights_are_he_normal_and_the_generator_s_alone():
    one = small(3, width=16).state_dict()
    torch.rand(5)
    other = small(3, width=16).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["fc.weight"], small(4, width=16).fc.weight)
    weight = one["layer3.0.conv2.weight"]
    assert weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    "settings", [{"size": 8}, {"width": 0}, {"blocks": (3, 4, 6)}, {"blocks": (0, 1, 1, 1)}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(FacemillError, match="set the model's settings"):
        TwoDASL(**settings)


def test_inputs_of_another_size_are_refused():
    image, points = inputs()
    for wrong in ((image[:, :, 1:], points), (image, points[:, :18]), (image[:1], points)):
        with pytest.raises(FacemillError, match=r"takes crops \(B, 3, 32, 32\) and landmarks \(B, 68, 2\)"):
            small()(*wrong)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A checkpoint with the names and shapes of the public code, as 2DASL's trainer saves it, and what it holds."""
    random = torch.Generator().manual_seed(0)
    state = {
        f"module.{name}": torch.rand(shape, generator=random) * 0.05 + 0.01
        for name, shape in key_table("two_dasl").shapes.items()
    }
    state["module.bn1.num_batches_tracked"] = torch.tensor(7)
    path = tmp_path_factory.mktemp("2dasl") / "2DASL_checkpoint_epoch_allParams_stage2.pth.tar"
    torch.save({"epoch": 3, "res_state_dict": state}, path)
    return path, state


STATISTICS = Whitening(np.arange(62.0), np.arange(62.0) + 1)


def test_the_public_code_s_tensors_are_ours():
    with torch.device("meta"):
        own = TwoDASL().state_dict()
    shapes = {
        name: tuple(value.shape)
        for name, value in own.items()
        if not name.startswith("param_") and not name.endswith("num_batches_tracked")
    }
    table = key_table("two_dasl")
    assert shapes == table.shapes and list(shapes) == list(table.shapes)
    assert table.head["repository"] == "github.com/XgTu/2DASL" and len(table.head["commit"]) == 40


def test_a_released_checkpoint_becomes_the_network(released):
    path, state = released
    made = PUBLISHED["2dasl"](read_state(path), path, STATISTICS)
    assert made.source == "2dasl" and made.source in sources() and made.settings == {}
    network = TwoDASL(**made.settings)
    missing, extra = network.load_state_dict(made.tensors, strict=False)
    assert not extra and all(name.endswith("num_batches_tracked") for name in missing)
    for name in ("conv1.weight", "layer4.0.downsample.1.running_var", "fc.bias"):
        assert torch.equal(network.state_dict()[name], state[f"module.{name}"])
    assert network.param_std.tolist() == STATISTICS.std.tolist() and network.param_mean[3] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"module.layer3.5.conv2.weight": None}, "missing: layer3.5.conv2.weight"),
        ({"module.layer5.weight": torch.ones(1)}, "left over: layer5.weight"),
        ({"module.conv1.weight": torch.ones(64, 3, 7, 7)}, r"conv1.weight of shape \(64, 4, 7, 7\)"),
    ],
)
def test_a_wrong_checkpoint_is_refused_by_name(released, change, message):
    path, state = released
    found = {name: value for name, value in {**state, **change}.items() if value is not None}
    with pytest.raises(FacemillError, match=message):
        PUBLISHED["2dasl"](found, path, STATISTICS)


def test_a_checkpoint_without_statistics_is_refused(released):
    path, state = released
    with pytest.raises(
        FacemillError, match=r"expected the statistics .* param_whitening.pkl with --statistics"
    ):
        PUBLISHED["2dasl"](state, path, None)
