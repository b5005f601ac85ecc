"""VRN: its graphs, what they answer, and the names of the published port's weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pipeline.losses.heatmaps import gaussians
from pipeline.models.heatmaps import to_cells
from pipeline.models.hourglass import Enlarge, Hourglass
from pipeline.models.vrn import VRN
from pipeline.records import FacemillError
from pipeline.registry import MODELS

SMALL = {"features": 16, "stacks": 1, "depth": 1, "blocks": 1, "size": 24}
VARIANTS = ("unguided", "multitask", "guided")
PORT = {
    "0.weight": (64, 3, 7, 7),
    "3.0.0.2.weight": (64, 64, 1, 1),
    "3.0.1.0.weight": (128, 64, 1, 1),
    "5.0.0.8.bias": (128,),
    "6.0.0.5.weight": (128, 128, 3, 3),
    "6.0.1.0.bias": (256,),
    "7.1.0.0.2.0.0.0.running_var": (256,),
    "7.1.0.0.3.0.0.3.0.0.3.0.0.2.0.0.8.weight": (256, 128, 1, 1),
    "7.1.0.0.3.0.0.3.0.0.3.0.1.9.0.0.5.weight": (128, 128, 3, 3),
    "7.1.0.0.3.0.1.6.0.0.3.weight": (128,),
    "7.1.0.0.3.2.0.0.2.weight": (128, 256, 1, 1),
    "7.1.2.0.0.5.bias": (128,),
    "7.1.3.0.weight": (256, 256, 1, 1),
    "9.1.4.1.num_batches_tracked": (),
    "11.0.0.0.weight": (256, 256, 1, 1),
    "11.0.1.weight": (200, 256, 1, 1),
}
"""Entries of the port's state dictionary, one of each kind of place, read off github.com/Pani122/3DFaceReconstruction,
vrn_unguided.py at e52e6944e2760a631bf4f4573081156932de7ce9."""


def small(**settings):
    return VRN(torch.Generator().manual_seed(1), **of(settings))


def of(settings):
    """Small settings of a variant."""
    return SMALL | ({"stacks": 2} if settings.get("variant") == "multitask" else {}) | settings


def test_the_port_has_the_published_layers_and_names():
    with torch.device("meta"):
        network = MODELS["vrn"](graph="port")
    assert sum(p.numel() for p in network.parameters()) == 19_184_968
    counts = [sum(isinstance(m, kind) for m in network.modules()) for kind in (nn.Conv2d, nn.BatchNorm2d)]
    assert counts == [276, 273]
    state = network.state_dict()
    assert len(state) == 2 * 276 + 5 * 273
    assert {name: tuple(state[name].shape) for name in PORT} == PORT


def counted(shared, forks=0, guides=0, features=256, depth=4, blocks=3, slices=200):
    """Parameters of a VRN by its description: convolutions with bias, batch norms with two numbers a channel."""

    def conv(inputs, outputs, side=1):
        return inputs * outputs * side**2 + outputs

    def block(inputs, outputs):
        half = outputs // 2
        norms = 2 * (inputs + half + half)
        skip = conv(inputs, outputs) if inputs != outputs else 0
        return norms + conv(inputs, half) + conv(half, half, 3) + conv(half, outputs) + skip

    def stem(channels):
        quarter, half = features // 4, features // 2
        first = conv(channels, quarter, 7) + 2 * quarter
        return first + block(quarter, half) + block(half, half) + block(half, features)

    lin = conv(features, features) + 2 * features
    places = 3 * depth + 1
    stack = places * blocks * block(features, features) + block(features, features) + 2 * lin
    volume, maps = lin + conv(features, slices), lin + conv(features, 68)
    total = stem(3 + (68 if guides else 0)) + shared * stack + volume
    if forks:
        total += 2 * stack + maps
    if guides:
        total += stem(3) + guides * stack + maps
    return total


def test_the_paper_s_networks_stand():
    with torch.device("meta"):
        counts = [sum(p.numel() for p in VRN(variant=v).parameters()) for v in VARIANTS]
        network = VRN()
    assert (network.size, network.slices) == (192, 200)
    assert counts == [counted(shared=2), counted(shared=1, forks=1), counted(shared=2, guides=2)]


def test_the_textbook_hourglass_pools_to_the_bottom_and_the_port_does_not():
    torch.manual_seed(0)
    textbook = Hourglass(8, 3, 1).eval()
    sides = []
    for module in textbook.modules():
        if type(module).__name__ == "Bottleneck":
            module.register_forward_hook(lambda m, i, o: sides.append(o.shape[-1]))
    textbook(torch.rand(1, 8, 24, 24))
    assert sorted(set(sides)) == [3, 6, 12, 24]
    port = small(graph="port", stacks=2, depth=4, blocks=3).eval()
    sides.clear()
    for module in port.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.register_forward_hook(lambda m, i, o: sides.append(o.shape[-1]))
    port(torch.rand(1, 3, 24, 24))
    assert sorted(set(sides)) == [3, 6, 12]


@pytest.mark.parametrize("settings", [{"variant": v} for v in VARIANTS] + [{"graph": "port"}])
def test_shapes_gradients_state_and_batches(settings):
    if settings.get("graph") == "port":
        settings = settings | {"stacks": 2, "depth": 4, "blocks": 3}
    network = small(**settings)
    image = torch.rand(8, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    answer = network(image)
    assert answer["volume"].shape == (8, 25, 24, 24) and answer["volume"].dtype == torch.float32
    painted = settings.get("variant") in ("multitask", "guided")
    assert ("heatmaps" in answer) == painted
    if painted:
        assert answer["heatmaps"].shape == (8, 68, 6, 6)
    sum(value.square().sum() for value in answer.values()).backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.parameters())
    other = VRN(torch.Generator().manual_seed(9), **of(settings))
    other.load_state_dict(network.state_dict())
    network.eval(), other.eval()
    with torch.no_grad():
        whole, single, again = network.predict(image), network.predict(image[:1]), other.predict(image)
    assert ("landmarks" in whole) == painted
    for name, value in whole.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=0)
        spread = float(value.max() - value.min())
        torch.testing.assert_close(single[name][0], value[0], rtol=0, atol=1e-5 * spread)


def test_weights_are_a_function_of_the_generator_alone():
    first, second = small(), small()
    torch.rand(3)
    third, default = small(), VRN(**SMALL)
    states = [network.state_dict() for network in (first, second, third, default)]
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[2].values(), strict=True))
    assert not torch.equal(states[0]["shared.0.0.weight"], states[3]["shared.0.0.weight"])


def test_the_guided_network_looks_at_its_heatmaps():
    network = small(variant="guided").eval()
    image = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        before = network(image)["volume"]
        network.guide[-1][-1].bias += 1.0
        after = network(image)["volume"]
    assert network.shared[0][0].in_channels == 71
    assert (before - after).abs().max() > 1e-4


@pytest.mark.parametrize("align_corners", [False, True])
def test_enlarging_is_bilinear_interpolation(align_corners):
    x = torch.randn(2, 3, 6, 6)
    expected = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=align_corners)
    torch.testing.assert_close(Enlarge(6, align_corners)(x), expected, rtol=1e-5, atol=1e-5)


def test_the_port_without_and_with_aligned_corners_differ():
    settings = {"graph": "port", "stacks": 2, "depth": 4, "blocks": 3}
    image = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        plain, aligned = (small(align_corners=a, **settings).eval()(image)["volume"] for a in (False, True))
    assert (plain - aligned).abs().max() > 1e-3
    torch.testing.assert_close(plain[..., 0, 0], aligned[..., 0, 0])


def test_landmarks_stand_where_the_heatmaps_peak():
    network = small(variant="multitask", size=48).eval()
    points = torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(6)) * 24 + 12
    maps = gaussians(to_cells(points, 4), 12, 1.0)
    network.heatmaps.forward = lambda features: maps
    with torch.no_grad():
        found = network.predict(torch.rand(2, 3, 48, 48))["landmarks"]
    assert (found - points).abs().max() < 1.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"variant": "unguded"}, "unguided, multitask, guided; found 'unguded'"),
        ({"graph": "torch7"}, "hourglass, port; found 'torch7'"),
        ({"graph": "port", "variant": "guided"}, "graph port is unguided"),
        ({"graph": "port", "depth": 3}, "graph port is unguided"),
        ({"features": 20}, "features=20"),
        ({"stacks": 0}, "stacks=0"),
        ({"variant": "multitask", "stacks": 1}, "two stacks or more"),
        ({"size": 96}, "multiple of 24, for whole slices, and of 64, for its poolings; found 96"),
        ({"size": 100, "depth": 1}, "found 100"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(settings, words):
    with pytest.raises(FacemillError, match=words):
        VRN(**settings)
