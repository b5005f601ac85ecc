"""The feature extractors: sizes as published, any width, names as in the public code."""

import pytest
import torch

from pipeline.models.backbones import BACKBONES, build_backbone
from pipeline.models.backbones.resnet import ResNet
from pipeline.models.backbones.widths import scaled
from pipeline.records import FacemillError

PUBLISHED = {
    "mobilenet_v1": (4_231_976, 1024),
    "mobilenet_v2": (3_504_872, 1280),
    "resnet50": (25_557_032, 2048),
    "resnet101": (44_549_160, 2048),
    "ghostnet": (5_182_508, 1280),
    "resnest50": (27_483_240, 2048),
}
"""Parameters with the classifier of ImageNet's 1000 classes, and what it is fed: torchvision 0.28 (mobilenet_v2,
resnet50, resnet101), timm 1.0.31 (ghostnet_100, resnest50d), github.com/osmr/imgclsmob (mobilenet_w1)."""
CLASSES = 1000


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


def images(count=2, side=64):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_backbone_is_the_published_network_without_its_classifier(name):
    total, inputs = PUBLISHED[name]
    with torch.device("meta"):
        network = build_backbone(name)
    assert network.outputs == inputs
    assert size(network) == total - (inputs + 1) * CLASSES


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("mobilenet_v1", {"conv1.weight": (32, 3, 3, 3), "dw5_6.conv_sep.weight": (1024, 512, 1, 1)}),
        (
            "mobilenet_v2",
            {
                "features.0.0.weight": (32, 3, 3, 3),
                "features.1.conv.0.0.weight": (32, 1, 3, 3),
                "features.1.conv.1.weight": (16, 32, 1, 1),
                "features.2.conv.2.weight": (24, 96, 1, 1),
                "features.17.conv.3.running_var": (320,),
                "features.18.1.bias": (1280,),
            },
        ),
        ("resnet50", {"layer1.0.downsample.0.weight": (256, 64, 1, 1), "layer4.2.bn3.weight": (2048,)}),
        ("resnet101", {"layer3.22.conv2.weight": (256, 256, 3, 3)}),
        (
            "ghostnet",
            {
                "blocks.0.0.ghost1.primary_conv.0.weight": (8, 16, 1, 1),
                "blocks.3.0.se.conv_reduce.weight": (20, 72, 1, 1),
                "blocks.3.0.shortcut.3.bias": (40,),
                "blocks.9.0.conv.weight": (960, 160, 1, 1),
                "conv_head.bias": (1280,),
            },
        ),
        (
            "resnest50",
            {
                "conv1.6.weight": (64, 32, 3, 3),
                "layer1.0.conv2.fc1.weight": (32, 64, 1, 1),
                "layer2.0.conv2.conv.weight": (256, 64, 3, 3),
                "layer4.0.downsample.1.weight": (2048, 1024, 1, 1),
            },
        ),
    ],
)
def test_names_and_shapes_are_those_of_the_public_code(name, keys):
    with torch.device("meta"):
        state = build_backbone(name).state_dict()
    assert {key: tuple(state[key].shape) for key in keys} == keys


@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_narrow_one_is_smaller_and_every_weight_learns(name):
    torch.manual_seed(0)
    network = build_backbone(name, 0.125)
    features = network(images())
    assert features.shape == (2, network.outputs) and torch.isfinite(features).all()
    features.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    with torch.device("meta"):
        assert size(network) < 0.2 * size(build_backbone(name))
    network.eval()
    with torch.no_grad():
        alone = torch.cat([network(one[None]) for one in images(3)])
        together = network(images(3))
    torch.testing.assert_close(together, alone, atol=1e-5 * float(together.abs().max()), rtol=0)


def test_a_residual_network_takes_more_channels_and_may_keep_its_last_map_large():
    network = ResNet((1, 1, 1, 1), 4, inputs=4, last_stride=1).eval()
    with torch.no_grad():
        assert network.maps(torch.zeros(1, 4, 120, 120)).shape == (1, 128, 8, 8)
        assert ResNet((1, 1, 1, 1), 4).eval().maps(torch.zeros(1, 3, 120, 120)).shape == (1, 128, 4, 4)


def test_channels_are_rounded_as_the_papers_say():
    assert [scaled(32, w, 8) for w in (1.0, 0.75, 0.35, 0.1)] == [32, 24, 16, 8]
    assert scaled(72, 0.25, 4) == 20  # 18 would round down to 16, more than 10 % too few


def test_what_cannot_be_built_is_refused():
    with pytest.raises(FacemillError, match=r"unknown backbone 'resnet5'.*Did you mean 'resnet50'.*settings"):
        build_backbone("resnet5")
    for name in BACKBONES:
        with pytest.raises(FacemillError, match=r"width of at least 1/.*found 0\.01"):
            build_backbone(name, 0.01)
