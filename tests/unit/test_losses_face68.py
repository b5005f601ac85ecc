"""The differentiable 68 landmarks against the numpy path that the evaluator and the tables use."""

import numpy as np
import pytest
import torch
from params_world import face

from pipeline.geometry.camera import pose_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.losses.face68 import Face68
from pipeline.morphable.params62 import crop_camera, crop_points, join
from pipeline.records import FacemillError

SIDE = 120


def parameters(count=3, shape=40, expression=10):
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(count):
        pose = np.r_[rng.uniform(-0.7, 0.7, 3), 225, 220, rng.normal(0, 50), 1.1e-3]
        camera = crop_camera(pose_matrix(pose), 450, CropTransform(0.55, 224, 221, SIDE))
        rows.append(join(camera, rng.normal(0, 2, shape), rng.normal(0, 1, expression)))
    return np.array(rows)


@pytest.mark.parametrize(("shape", "expression"), [(40, 10), (45, 13), (7, 2)])
def test_the_landmarks_are_those_of_the_numpy_path(shape, expression):
    model, raw = face(shape, expression), parameters(3, min(shape, 40), min(expression, 10))
    expected = np.stack([crop_points(p, model, SIDE, legacy="exact", keypoints=True) for p in raw])
    found = Face68(model, SIDE).double()(torch.from_numpy(raw))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    single = Face68(model, SIDE)(torch.from_numpy(raw).float())
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, expected, atol=1e-4)
    assert np.ptp(expected[..., :2]) > 30


def test_autocast_does_not_coarsen_them():
    layer, raw = Face68(face(), SIDE), torch.from_numpy(parameters()).float()
    with torch.autocast("cpu", torch.bfloat16):
        inside = layer(raw)
    assert torch.equal(inside, layer(raw))


def test_the_gradient_is_right():
    layer, raw = Face68(face(), SIDE).double(), torch.from_numpy(parameters(2))
    scale = raw.std(dim=0).clamp(min=1e-4)
    white = ((raw - raw.mean(dim=0)) / scale).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: layer(w * scale + raw.mean(dim=0)), white)


def test_they_are_no_weights_and_take_62_values():
    layer = Face68(face(), SIDE)
    assert not layer.state_dict() and not list(layer.parameters())
    assert {name: tuple(buffer.shape) for name, buffer in layer.named_buffers()} == {
        "mean": (68, 3),
        "shape": (68, 3, 40),
        "expression": (68, 3, 10),
    }
    with pytest.raises(FacemillError, match=r"\(B, 62\), found shape \(2, 102\)"):
        layer(torch.zeros(2, 102))
