"""PDC, WPDC and VDC against slow double-precision twins, and their gradients against differences."""

import numpy as np
import pytest
import torch
from params_world import face, parameters

from pipeline.losses.params import DEPTH, Vdc, Wpdc
from pipeline.morphable.params62 import crop_points

SIDE = 120
VERTICES = np.array([5, 69, 31, 0])
RNG = np.random.default_rng(5)
MEAN = parameters(20).mean(0) + RNG.normal(0, 1e-5, 62)
STD = parameters(20).std(0)
TARGET = (parameters(4) - MEAN) / STD
PREDICTION = TARGET + RNG.normal(0, 0.4, TARGET.shape)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array)) for array in arrays]


def found(loss, *args, prediction=PREDICTION, double=True):
    values = tensors(prediction, TARGET, MEAN, STD)
    if not double:
        values = [value.float() for value in values]
    return (loss.double() if double else loss)(*values, *tensors(*args))


def slow_weights(prediction, target, side):
    """(62,) of one face, weight by weight as the published code goes about it."""
    model, rows = face(), [*face().keypoints, *VERTICES]
    raw, true = prediction * STD + MEAN, target * STD + MEAN
    surface = np.array(
        [
            model.mean[v]
            + sum(raw[12 + k] * model.shape_basis[v, :, k].astype(float) for k in range(40))
            + sum(raw[52 + k] * model.expression_basis[v, :, k].astype(float) for k in range(10))
            for v in rows
        ]
    )
    weights = np.zeros(62)
    for i in range(62):
        error = abs(raw[i] - true[i])
        if i == 11:
            continue
        if i in (3, 7):
            weights[i] = error * np.sqrt(len(rows))
        elif i < 12:
            weights[i] = error * np.sqrt((surface[:, i % 4] ** 2).sum())
        else:
            mode = model.shape_basis[..., i - 12] if i < 52 else model.expression_basis[..., i - 52]
            weights[i] = error * 0.00057339936 * side / 120 * np.sqrt((mode[rows].astype(float) ** 2).sum())
        weights[i] += 1e-6
    return weights / weights.max()


@pytest.mark.parametrize("side", [120, 60])
def test_wpdc_is_its_slow_twin(side):
    expected = np.mean(
        [slow_weights(p, t, side) * (p - t) ** 2 for p, t in zip(PREDICTION, TARGET, strict=True)]
    )
    assert found(Wpdc(face(), side), VERTICES).item() == pytest.approx(expected, rel=1e-9)
    assert found(Wpdc(face(), side), VERTICES, double=False).item() == pytest.approx(expected, rel=1e-4)


def test_wpdc_s_gradient_is_that_of_its_weights_held_still(monkeypatch):
    guess = torch.from_numpy(PREDICTION).requires_grad_()
    layer, others = Wpdc(face(), SIDE).double(), tensors(TARGET, MEAN, STD, VERTICES)
    layer(guess, *others).backward()
    weights = np.array([slow_weights(p, t, SIDE) for p, t in zip(PREDICTION, TARGET, strict=True)])
    np.testing.assert_allclose(guess.grad, 2 * weights * (PREDICTION - TARGET) / TARGET.size, rtol=1e-7)
    assert (guess.grad[:, DEPTH] == 0).all() and (guess.grad[:, :DEPTH] != 0).all()

    held = layer.weights(guess.detach(), *others)
    monkeypatch.setattr(layer, "weights", lambda *given: held)
    assert torch.autograd.gradcheck(lambda p: layer(p, *others), guess)


def test_wpdc_of_a_perfect_prediction_is_finite():
    guess = torch.from_numpy(TARGET).float().requires_grad_()
    loss = Wpdc(face(), SIDE)(
        guess, guess.detach(), *(t.float() for t in tensors(MEAN, STD)), *tensors(VERTICES)
    )
    loss.backward()
    assert loss == 0 and (guess.grad == 0).all()


@pytest.mark.parametrize("vertices", [None, VERTICES])
def test_vdc_is_its_slow_twin(vertices):
    model = face()
    rows = slice(None) if vertices is None else [*model.keypoints, *vertices]
    squares = []
    for prediction, target in zip(PREDICTION * STD + MEAN, TARGET * STD + MEAN, strict=True):
        prediction = prediction.copy()
        prediction[11] = target[11]
        squares.append(
            np.square(crop_points(prediction, model, SIDE)[rows] - crop_points(target, model, SIDE)[rows])
        )
    args = () if vertices is None else (vertices,)
    # the twin's shapes are summed in single precision, as MorphableModel.vertices says
    assert found(Vdc(model, SIDE), *args).item() == pytest.approx(np.mean(squares), rel=1e-5)


def test_vdc_s_gradient_is_right_and_leaves_the_depth_alone():
    layer, others = Vdc(face(), SIDE).double(), tensors(TARGET[:2], MEAN, STD, VERTICES)
    guess = torch.from_numpy(PREDICTION[:2]).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: layer(p, *others), guess)
    layer(guess, *others).backward()
    assert (guess.grad[:, DEPTH] == 0).all() and guess.grad.abs().max() > 0.1


def test_the_depth_of_the_prediction_changes_neither():
    moved = PREDICTION.copy()
    moved[:, DEPTH] += 7
    for layer in (Wpdc(face(), SIDE), Vdc(face(), SIDE)):
        assert found(layer, VERTICES, prediction=moved) == found(layer, VERTICES)


def test_bfloat16_predictions_are_compared_in_float32():
    prediction, target, mean, std, vertices = tensors(PREDICTION, TARGET, MEAN, STD, VERTICES)
    coarse = prediction.bfloat16()
    for layer in (Wpdc(face(), SIDE), Vdc(face(), SIDE)):
        expected = layer(coarse.float(), target, mean, std, vertices)
        with torch.autocast("cpu", torch.bfloat16):
            inside = layer(coarse, target, mean, std, vertices)
        assert inside.dtype == torch.float32 and inside == expected


def test_the_face_is_no_weight():
    layer = Wpdc(face(), SIDE)
    assert not layer.state_dict() and not list(layer.parameters())
