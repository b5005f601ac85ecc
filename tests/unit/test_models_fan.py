"""FAN and FaceBoxes against the published networks: names, counts, values."""

import face_alignment.models as library
import numpy as np
import pytest
import torch

from pipeline.models.faceboxes import FaceBoxes, PriorSettings, decode, encode, priors
from pipeline.models.fan import FAN
from pipeline.records import FacemillError


def test_published_fan_has_the_papers_size_and_the_librarys_names():
    ours, theirs = FAN(stacks=4, features=256), library.FAN(4)
    assert sum(p.numel() for p in ours.parameters()) == 23_820_176
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: tuple(value.shape) for name, value in ours.state_dict().items()} == expected


@pytest.mark.parametrize("stacks", [1, 2])
def test_fan_computes_what_the_library_computes(stacks):
    torch.manual_seed(0)
    theirs = library.FAN(stacks).eval()
    ours = FAN(stacks=stacks, features=256).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected, found = theirs(x), ours(x)
    assert len(found) == stacks
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)


def test_fan_refuses_settings_outside_its_range():
    with pytest.raises(FacemillError, match="1 to 4 stacks"):
        FAN(stacks=5)
    with pytest.raises(FacemillError, match="multiple of 8"):
        FAN(stacks=1, features=20)


@pytest.mark.parametrize(("stacks", "features"), [(1, 8), (3, 24), (4, 40)])
def test_fan_comes_in_any_number_of_stacks_and_width(stacks, features):
    found = FAN(stacks, features, landmarks=5)(torch.rand(2, 3, 64, 64))
    assert [maps.shape for maps in found] == [(2, 5, 16, 16)] * stacks


def test_narrow_fan_gives_quarter_size_heatmaps():
    assert FAN(1, 32)(torch.rand(2, 3, 128, 128))[0].shape == (2, 68, 32, 32)


def test_published_priors():
    boxes = priors(720, 1080)
    assert boxes.shape == (16_680, 4)
    # the first cell: sixteen of side 32 with centre x running fastest, four of 64, one of 128 in the middle
    np.testing.assert_allclose(boxes[1] * [1080, 720, 1080, 720], [8, 0, 32, 32], atol=1e-4)
    np.testing.assert_allclose(boxes[4] * [1080, 720, 1080, 720], [0, 8, 32, 32], atol=1e-4)
    np.testing.assert_allclose(boxes[17] * [1080, 720, 1080, 720], [16, 0, 64, 64], atol=1e-4)
    np.testing.assert_allclose(boxes[20] * [1080, 720, 1080, 720], [16, 16, 128, 128], atol=1e-4)
    np.testing.assert_allclose(boxes[-1] * [1080, 720, 1080, 720], [1088, 704, 512, 512], atol=1e-3)


def test_network_output_has_a_row_for_each_prior():
    settings = PriorSettings(sizes=((40, 80), (160,), (256,)), density=((2, 1), (1,), (1,)))
    offsets, scores = FaceBoxes(0.5, settings).eval()(torch.zeros(1, 3, 200, 256))
    assert offsets.shape[1:] == (len(priors(200, 256, settings)), 4)
    assert scores.shape[1:] == (len(priors(200, 256, settings)), 2)


def test_faceboxes_refuses_a_width_without_whole_channels():
    with pytest.raises(FacemillError, match="multiple of 1/8"):
        FaceBoxes(0.3)


def test_decode_inverts_encode():
    prior = priors(256, 256)[:50]
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 0.6, (50, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.1, 0.4, (50, 2))], axis=1)
    np.testing.assert_allclose(decode(encode(boxes, prior), prior), boxes, atol=1e-6)


def test_decode_by_hand():
    prior = np.array([[0.5, 0.5, 0.2, 0.4]])
    box = decode(np.array([[1.0, -1.0, 0.0, 5 * np.log(2.0)]]), prior)
    # centre moved by a tenth of the prior's size, height doubled
    np.testing.assert_allclose(box, [[0.42, 0.06, 0.62, 0.86]], atol=1e-12)
