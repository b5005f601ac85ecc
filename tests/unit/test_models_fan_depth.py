"""The depth network against the published one: names, count, values."""

import face_alignment.models as library
import pytest
import torch

from pipeline.models.fan_depth import DepthNetwork


@pytest.fixture(scope="module")
def pair():
    """The library's network with weights drawn at random, and ours with the same."""
    torch.manual_seed(0)
    theirs = library.ResNetDepth().eval()
    ours = DepthNetwork().eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def test_it_has_the_published_size_and_names(pair):
    theirs, ours = pair
    assert sum(p.numel() for p in ours.parameters()) == 58_496_388
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: tuple(value.shape) for name, value in ours.state_dict().items()} == expected


def test_it_computes_what_the_library_computes(pair):
    x = torch.rand(1, 71, 256, 256, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = (network(x) for network in pair)
    assert found.shape == (1, 68) and expected.std() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_a_narrow_one_keeps_the_input_and_the_output():
    assert DepthNetwork((1, 1, 1, 1), 8, 5)(torch.rand(2, 8, 256, 256)).shape == (2, 5)
