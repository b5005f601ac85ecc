"""The labeller's networks: sizes as published, any width, the same for every company."""

import pytest
import torch

from pipeline.models.tddfa import MobileNetV1, ResNet22
from pipeline.records import FacemillError


def weights(network):
    return sum(parameter.numel() for parameter in network.parameters())


def crops(count, seed=0):
    return torch.rand(count, 3, 120, 120, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_published_sizes():
    """Spec prn_vrn H.4: 0.85 M at half width, 3.27 M at full width."""
    assert weights(MobileNetV1(width=0.5)) == 850_398
    assert weights(MobileNetV1()) == 3_270_526


@pytest.mark.parametrize("width", [1 / 32, 0.3, 0.75])
def test_any_width_gives_62_finite_numbers_a_face(width):
    network = MobileNetV1(torch.Generator().manual_seed(0), width).eval()
    with torch.no_grad():
        out = network(crops(2))
    assert out.shape == (2, 62) and torch.isfinite(out).all()
    assert not torch.equal(out[0], out[1])


def test_a_width_without_channels_is_refused():
    with pytest.raises(FacemillError, match=r"at least 1/32; found 0\.01"):
        MobileNetV1(width=0.01)


def test_the_residual_network_has_22_layers_of_convolution_on_its_way():
    network = ResNet22(torch.Generator().manual_seed(0)).eval()
    shortcuts = {id(m) for name, m in network.named_modules() if "downsample" in name}
    on_the_way = [
        m
        for m in network.modules()
        if isinstance(m, torch.nn.Conv2d) and id(m) not in shortcuts and m is not network.conv_param
    ]
    assert len(on_the_way) == 22
    with torch.no_grad():
        assert network(crops(1)).shape == (1, 62)
        assert network.layer3(network.layer2(network.layer1(torch.zeros(1, 64, 60, 60)))).shape == (
            1,
            512,
            8,
            8,
        )


@pytest.mark.parametrize("build", [lambda g: MobileNetV1(g, 0.125), ResNet22], ids=["mobilenet", "resnet"])
def test_the_generator_decides_the_weights_and_every_one_learns(build):
    first, second, other = (build(torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    state = first.state_dict()
    assert all(torch.equal(state[name], value) for name, value in second.state_dict().items())
    assert not torch.equal(state["conv1.weight"], other.state_dict()["conv1.weight"])
    first(crops(2)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in first.parameters())


def test_a_face_does_not_depend_on_its_company():
    network = MobileNetV1(torch.Generator().manual_seed(0), 0.25).eval()
    inputs = crops(5)
    with torch.no_grad():
        alone = torch.cat([network(one[None]) for one in inputs])
        torch.testing.assert_close(network(inputs), alone, atol=1e-5, rtol=0)
