"""SynergyNet's released checkpoint: a file in its format, and what the published network says with its tensors."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.io.weights import fill, read_state
from pipeline.models.published import key_table
from pipeline.models.published.synergynet import convert
from pipeline.models.synergynet import SynergyNet
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError

TABLE = key_table("synergynet")
BLOCKS = [(1, 1), (6, 2), (6, 3), (6, 4), (6, 3), (6, 3), (6, 1)]
"""Expansion and number of MobileNet-V2's blocks."""
STRIDES = [1, 2, 2, 2, 1, 2, 1]


def tensors(seed=0):
    """Random tensors of the table's shapes: a network whose features neither vanish nor explode."""
    random = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in TABLE.shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
            state[name] = torch.rand(shape, generator=random) + 0.5
        else:
            inputs = int(np.prod(shape[1:])) or 1
            spread = (2 / inputs) ** 0.5 if len(shape) > 1 else 0.1
            state[name] = torch.randn(shape, generator=random) * spread
    return state


def checkpoint(path, state, prefix="module.", **more):
    buffers = {
        "param_mean": torch.arange(102.0),
        "param_std": torch.arange(102.0) + 1,
        "u": torch.zeros(9, 1),
    }
    whole = {
        prefix + name: value for name, value in {**buffers, **more, **state}.items() if value is not None
    }
    torch.save({"epoch": 80, "state_dict": whole}, path)
    return path


def loaded(path, statistics=None):
    converted = convert(read_state(path), path, statistics)
    network = SynergyNet(**converted.settings)
    fill(network, converted.tensors, path)
    return network.eval()


def released(state, image):
    """The published network's whitened parameters, by its layer table: tensors by name, a normalised BGR image."""

    def norm(x, name):
        values = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *values)

    def layer(x, convolution, name, stride=1, groups=1):
        weight = state[f"{convolution}.weight"]
        return norm(F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2, groups=groups), name)

    start = "I2P.backbone.features"
    x = F.relu6(layer(image, f"{start}.0.0", f"{start}.0.1", stride=2))
    number = 1
    for (expansion, blocks), first in zip(BLOCKS, STRIDES, strict=True):
        for block in range(blocks):
            at, y, place = f"{start}.{number}.conv", x, 0
            if expansion > 1:
                y, place = F.relu6(layer(y, f"{at}.0.0", f"{at}.0.1")), 1
            stride = 1 if block else first
            y = F.relu6(layer(y, f"{at}.{place}.0", f"{at}.{place}.1", stride, groups=y.shape[1]))
            y = layer(y, f"{at}.{place + 1}", f"{at}.{place + 2}")
            x = x + y if block else y
            number += 1
    x = F.relu6(layer(x, f"{start}.{number}.0", f"{start}.{number}.1")).mean(dim=(2, 3))
    heads = [f"I2P.backbone.classifier_{name}.1" for name in ("ori", "shape", "exp")]
    return torch.cat([F.linear(x, state[f"{h}.weight"], state[f"{h}.bias"]) for h in heads], dim=1)


def test_the_table_has_as_many_numbers_as_the_paper_says():
    learnt = [
        int(np.prod(shape))
        for name, shape in TABLE.shapes.items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    ]
    assert sum(learnt) == 4_075_265
    assert TABLE.head["repository"] == "github.com/choyingw/SynergyNet" and len(TABLE.head["commit"]) == 40


def test_a_released_checkpoint_says_the_same_before_and_after(tmp_path):
    state = tensors()
    network = loaded(checkpoint(tmp_path / "best.pth.tar", state))
    image = torch.rand(2, 3, 120, 120, generator=torch.Generator().manual_seed(1))
    bordered = torch.zeros_like(image)
    bordered[:, :, 5:-5, 5:-5] = image[:, [2, 1, 0], 5:-5, 5:-5]
    with torch.no_grad():
        expected = released(state, (bordered * 255 - 127.5) / 128)
        found = network(image)["params"]
        raw = network.predict(image)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    torch.testing.assert_close(raw, found * (torch.arange(62.0) + 1) + torch.arange(62.0))


def test_refiner_and_reverse_module_have_the_checkpoints_tensors(tmp_path):
    state = tensors()
    own = loaded(checkpoint(tmp_path / "best.pth.tar", state)).state_dict()
    for name, value in state.items():
        if name.startswith(("forwardDirection.", "reverseDirection.")):
            ours = name.replace("forwardDirection", "refiner").replace("reverseDirection", "reversal")
            assert torch.equal(own[ours], value), name
    assert len(own) == len(state) + 2


def test_statistics_of_ones_own_go_before_the_checkpoints(tmp_path):
    path = checkpoint(tmp_path / "best.pth.tar", tensors(), prefix="")
    assert torch.equal(loaded(path).param_std, torch.arange(62.0) + 1)
    given = loaded(path, Whitening(np.full(62, 2.0), np.full(62, 3.0)))
    assert (given.param_mean == 2).all() and (given.param_std == 3).all()


@pytest.mark.parametrize("name", ["forwardDirection.conv6.weight", "I2P.backbone.classifier_exp.1.bias"])
def test_what_is_missing_is_named(tmp_path, name):
    state = tensors()
    del state[name]
    path = checkpoint(tmp_path / "best.pth.tar", state)
    with pytest.raises(FacemillError, match=f"missing: {name}"):
        loaded(path)


def test_another_shape_other_names_and_unknown_whitening_are_named(tmp_path):
    state = tensors()
    wider = {**state, "I2P.backbone.features.0.1.bias": torch.zeros(16)}
    with pytest.raises(FacemillError, match=r"features\.0\.1\.bias of shape \(32,\).*found \(16,\)"):
        loaded(checkpoint(tmp_path / "a.pth.tar", wider))
    with pytest.raises(FacemillError, match=r"left over: I2P\.backbone\.fc_tex\.weight"):
        loaded(checkpoint(tmp_path / "b.pth.tar", state, **{"I2P.backbone.fc_tex.weight": torch.zeros(1)}))
    with pytest.raises(FacemillError, match=r"expected param_std.*found none; give --statistics"):
        loaded(checkpoint(tmp_path / "c.pth.tar", state, param_std=None))
