"""SynergyNet's five losses against slow twins in double precision, and their gradients."""

import math

import numpy as np
import pytest
import torch

from pipeline.losses.synergy import SynergyLoss, face_distance, parameter_distance, wing

WEIGHTS = {"landmarks": 0.05, "refined": 0.05, "parameters": 0.02, "reverse": 0.02, "consistency": 0.001}


def twin_wing(prediction, truth, omega=10.0, epsilon=2.0):
    offset = omega - omega * math.log(1 + omega / epsilon)
    values = []
    for p, t in zip(prediction.ravel(), truth.ravel(), strict=True):
        d = abs(p - t)
        values.append(omega * math.log(1 + d / epsilon) if d < omega else d - offset)
    return sum(values) / len(values)


def twin_parameters(prediction, truth):
    values = []
    for p, t in zip(prediction, truth, strict=True):
        camera = sum((p[i] - t[i]) ** 2 for i in range(12)) / 12
        face = sum((p[i] - t[i]) ** 2 for i in range(12, 62)) / 50
        values.append(math.sqrt(camera + face))
    return sum(values) / len(values)


def twin_face(prediction, truth, legacy=False):
    values = []
    for p, t in zip(prediction, truth, strict=True):
        shift = 12 if legacy else 0
        values.append(math.sqrt(sum((p[i - shift] - t[i]) ** 2 for i in range(12, 62)) / 50))
    return sum(values) / len(values)


def arguments(batch=3, seed=0):
    """Landmarks (predicted, refined, true) and whitened parameters (predicted, read back, true), float64."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(0, 120, (batch, 68, 3))
    points = true + rng.normal(0, 8, true.shape)
    refined = true + rng.normal(0, 3, true.shape)
    return points, refined, true, *(rng.normal(0, 1, (batch, 62)) for _ in range(3))


def tensors(*arrays, requires_grad=False):
    return [torch.from_numpy(a).requires_grad_(requires_grad) for a in arrays]


@pytest.mark.parametrize("legacy", [False, True])
def test_all_five_are_those_of_the_twin(legacy):
    points, refined, true_points, predicted, read, true = given = arguments()
    expected = {
        "landmarks": twin_wing(points, true_points),
        "refined": twin_wing(refined, true_points),
        "parameters": twin_parameters(predicted, true),
        "reverse": twin_face(read, true, legacy),
        "consistency": twin_face(read, predicted, legacy),
    }
    losses = SynergyLoss(legacy_reverse_slice=legacy)(*tensors(*given))
    assert list(losses.parts) == list(expected)
    for name, value in expected.items():
        assert losses.parts[name].item() == pytest.approx(WEIGHTS[name] * value, rel=1e-9), name
    assert losses.total.item() == pytest.approx(sum(WEIGHTS[n] * v for n, v in expected.items()))


def test_weights_and_wing_constants_are_keywords():
    given = tensors(*arguments())
    losses = SynergyLoss(landmarks=2.0, refined=0.0, omega=4.0, epsilon=0.5)(*given)
    numpy = arguments()
    assert losses.parts["landmarks"].item() == pytest.approx(2 * twin_wing(numpy[0], numpy[2], 4.0, 0.5))
    assert losses.parts["refined"].item() == 0


def test_the_wing_has_both_pieces_and_they_meet():
    d = torch.tensor([0.0, 9.999999, 10.0, 25.0], dtype=torch.float64)
    values = [wing(x, torch.zeros_like(x)).item() for x in d]
    assert values[0] == 0
    assert values[1] == pytest.approx(values[2], abs=1e-5)
    assert values[2] == pytest.approx(10 * math.log(6))
    assert values[3] == pytest.approx(25 + 7.9175947, abs=1e-6)


@pytest.mark.parametrize("legacy", [False, True])
def test_gradients_are_right_with_respect_to_every_argument(legacy):
    loss = SynergyLoss(legacy_reverse_slice=legacy)
    given = [array[:2, :3] if array.ndim == 3 else array[:2] for array in arguments()]
    inputs = tensors(*given, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: tuple(loss(*given).parts.values()), inputs)


def test_consistency_teaches_both_sides():
    given = tensors(*arguments(), requires_grad=True)
    SynergyLoss()(*given).parts["consistency"].backward()
    predicted, read = given[3].grad, given[4].grad
    torch.testing.assert_close(predicted[:, 12:], -read[:, 12:])
    assert (read[:, 12:] != 0).all() and (predicted[:, :12] == 0).all() and (read[:, :12] == 0).all()


def test_where_all_agree_the_losses_are_nothing_and_their_gradients_finite():
    _, _, points, _, _, true = arguments()
    given = tensors(points, points.copy(), points.copy(), true, true.copy(), true.copy(), requires_grad=True)
    total = SynergyLoss()(*given).total
    assert total.item() < 1e-6
    total.backward()
    assert all(torch.isfinite(g.grad).all() for g in given)


def test_the_legacy_slice_gives_the_released_codes_wrong_value():
    """A perfect answer costs nothing, but by the released code as much as its camera differs from its shape."""
    answer = torch.zeros(1, 62, dtype=torch.float64)
    answer[0, :12], answer[0, 12:52], answer[0, 52:] = 3.0, 1.0, 2.0
    assert face_distance(answer, answer).item() == pytest.approx(0, abs=1e-5)
    # 0:50 is 12 x 3 and 38 x 1; 12:62 is 40 x 1 and 10 x 2: they differ by 2 twelve times and by 1 ten times
    wrong = face_distance(answer, answer, legacy_reverse_slice=True).item()
    assert wrong == pytest.approx(math.sqrt((12 * 4 + 10 * 1) / 50))
    other = answer.clone()
    other[0, 50:] += 5  # the last 12 of the prediction are not looked at
    assert face_distance(other, answer, legacy_reverse_slice=True).item() == pytest.approx(wrong)
    assert face_distance(other, answer).item() > 2


def test_parameters_weigh_the_camera_as_much_as_the_face():
    truth = torch.zeros(1, 62, dtype=torch.float64)
    camera, face = truth.clone(), truth.clone()
    camera[0, :12], face[0, 12:] = 1.0, 1.0
    assert parameter_distance(camera, truth).item() == pytest.approx(1)
    assert parameter_distance(face, truth).item() == pytest.approx(1)
    assert parameter_distance(camera + face, truth).item() == pytest.approx(math.sqrt(2))
