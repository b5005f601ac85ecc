"""SynergyNet as its authors built it, and where it differs from theirs."""

import pytest
import torch

from pipeline.models.backbones import BACKBONES
from pipeline.models.synergynet import SynergyNet
from pipeline.records import FacemillError

SIZE = 48
TOTALS = {
    "mobilenet_v1": 4_231_976 - 1025 * 1000,
    "mobilenet_v2": 3_504_872 - 1281 * 1000,
    "resnet50": 25_557_032 - 2049 * 1000,
    "resnet101": 44_549_160 - 2049 * 1000,
    "ghostnet": 5_182_508 - 1281 * 1000,
    "resnest50": 27_483_240 - 2049 * 1000,
}
"""Published networks (test_models_backbones.py says where) less their classifiers."""
FEATURES = {"mobilenet_v1": 1024, "mobilenet_v2": 1280, "ghostnet": 1280}
REFINER, REVERSAL = 1_556_617, 215_354
"""With 1280 features; spec landmarks 3.2."""


def size(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def small(seed=0, **changed):
    settings = {"size": SIZE, "width": 0.125, "point_width": 0.125, "border": 2} | changed
    return SynergyNet(torch.Generator().manual_seed(seed), **settings)


def images(count=2, seed=1):
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def points(count=2, seed=2):
    return torch.rand(count, 68, 3, generator=torch.Generator().manual_seed(seed)) * SIZE


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_parameters_of_all_six_backbones(backbone):
    features = FEATURES.get(backbone, 2048)
    with torch.device("meta"):
        network = SynergyNet(backbone=backbone)
    heads = (features + 1) * 62
    assert size(*(network.get_submodule(name) for name in network.inference)) == TOTALS[backbone] + heads
    assert size(network.refiner) == REFINER + 512 * (features - 1280)
    assert size(network.reversal) == REVERSAL
    assert size(network) == TOTALS[backbone] + heads + size(network.refiner, network.reversal)


def test_without_arguments_it_is_the_papers_network():
    with torch.device("meta"):
        network = SynergyNet()
    assert size(network) == 4_075_265
    assert size(network.backbone, network.heads) == 2_303_294
    assert (network.size, network.border, network.dropout) == (120, 5, 0.2)


def test_shapes_and_that_predict_gives_raw_parameters():
    network = small().eval()
    network.param_mean.normal_(generator=torch.Generator().manual_seed(3))
    network.param_std.uniform_(0.5, 2, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        out = network(images())
        assert out["params"].shape == (2, 62) and out["features"].shape == (2, 1280)
        assert network.refine(points(), out["features"], out["params"]).shape == (2, 68, 3)
        read = network.reverse(points())
        raw = network.predict(images())
    assert read.shape == (2, 62)
    torch.testing.assert_close(raw, out["params"] * network.param_std + network.param_mean)
    torch.testing.assert_close(network.whiten(raw), out["params"])


def test_the_backbone_sees_bgr_about_zero_within_a_black_border():
    network, seen = small(), []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = images()
    with torch.no_grad():
        network(image)
    (found,) = seen
    expected = (255 * image[:, [2, 1, 0]] - 127.5) / 128
    torch.testing.assert_close(found[:, :, 2:-2, 2:-2], expected[:, :, 2:-2, 2:-2])
    frame = torch.ones(SIZE, SIZE, dtype=torch.bool)
    frame[2:-2, 2:-2] = False
    assert (found[:, :, frame] == -127.5 / 128).all()
    bare = small(border=0)
    bare.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        bare(image)
    torch.testing.assert_close(seen[1], expected)


def test_the_sixth_layer_of_the_refiner_is_one_convolution_over_all_it_is_told():
    network = small().eval()
    refiner = network.refiner
    features, parameters = torch.rand(2, 1280), torch.randn(2, 62)
    seen = []
    refiner.bn6.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network.refine(points(), features, parameters)
        local, pooled = refiner.describe(points())
        repeated = [x[:, :, None].expand(-1, -1, 68) for x in (pooled, features, parameters[:, 12:])]
        expected = refiner.conv6(torch.cat([local, *repeated], dim=1))
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=1e-5)


def test_residuals_and_read_back_parameters_have_both_signs_unless_the_published_tails_are_asked_for():
    ours, published = small(), small(legacy_relu_tails=True)
    published.load_state_dict(ours.state_dict())
    features, parameters = torch.rand(4, 1280), torch.randn(4, 62)
    where = points(4)
    moved, moved_up = (n.refine(where, features, parameters) - where for n in (ours, published))
    read, read_up = (n.reverse(where) for n in (ours, published))
    assert moved.min() < -1e-3 < 1e-3 < moved.max() and read.min() < -0.1 < 0.1 < read.max()
    torch.testing.assert_close(moved_up, moved.relu(), atol=1e-5, rtol=0)
    assert torch.equal(read_up, read.relu())


def test_every_weight_learns_and_one_batch_can_be_learned_by_heart():
    network = small(dropout=0.0)
    truth = torch.randn(4, 62, generator=torch.Generator().manual_seed(5))
    target, optimiser = points(4), torch.optim.Adam(network.parameters(), 0.02)
    losses = []
    for step in range(50):
        out = network(images(4))
        refined = network.refine(target + 0.05, out["features"], out["params"])
        read = network.reverse(refined)
        loss = ((out["params"] - truth).square() + (read - truth).square()).mean()
        loss = loss + ((refined - target) / 0.05).square().mean()
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0], losses


def test_the_generator_alone_decides_the_weights():
    torch.manual_seed(1)
    first = small(7).state_dict()
    before = torch.get_rng_state()
    second = small(7).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = small(8).state_dict()
    assert not torch.equal(first["refiner.conv1.weight"], other["refiner.conv1.weight"])
    assert not torch.equal(first["backbone.features.0.0.weight"], other["backbone.features.0.0.weight"])


def test_a_face_does_not_depend_on_its_company_and_heads_are_not_rounded_to_bf16():
    network = small()
    with torch.no_grad():
        for _ in range(3):
            network(images(8))
        network.eval()
        alone = torch.cat([network.predict(one[None]) for one in images(8)])
        together = network.predict(images(8))
        torch.testing.assert_close(together, alone, atol=1e-5 * float(together.abs().max()), rtol=0)
        with torch.autocast("cpu", torch.bfloat16):
            out = network(images())
            refined = network.refine(points(), out["features"], out["params"])
    assert {out["params"].dtype, out["features"].dtype, refined.dtype} == {torch.float32}
    assert not torch.equal(out["params"], out["params"].bfloat16().float())


@pytest.mark.parametrize("keywords", [{"size": 16}, {"border": 24}, {"border": -1}, {"point_width": 0.0}])
def test_what_cannot_be_built_is_refused_with_the_setting_to_change(keywords):
    with pytest.raises(FacemillError, match=f"set settings.{next(iter(keywords))}"):
        small(**keywords)
