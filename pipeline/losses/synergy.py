"""The five losses of SynergyNet (Wu et al., 3DV 2021; spec landmarks 3.3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pipeline.losses.base import Losses
from pipeline.morphable.params62 import EXPRESSION, SHAPE

FACE = slice(SHAPE.start, EXPRESSION.stop)
"""The 50 coefficients of shape and expression."""
LEGACY_FACE = slice(0, FACE.stop - FACE.start)
"""What the released code takes for them in a prediction: the camera and 38 coefficients of shape."""
TINY = 1e-12
"""Below the roots, whose gradient at 0 is infinite."""


def wing(prediction: Tensor, truth: Tensor, omega: float = 10.0, epsilon: float = 2.0) -> Tensor:
    """The mean wing loss over all elements of two tensors of one shape: omega ln(1 + d / epsilon) where the distance d
    is below omega, beyond it d plus what makes the two pieces meet (Feng et al., CVPR 2018)."""
    distance = (prediction - truth).abs()
    offset = omega - omega * math.log1p(omega / epsilon)
    near = omega * torch.log1p(distance / epsilon)
    return torch.where(distance < omega, near, distance - offset).mean()


def parameter_distance(prediction: Tensor, truth: Tensor) -> Tensor:
    """The mean over a batch of the root of two mean squares added: that of the 12 camera parameters and that of the 50
    others. Both (B, 62), whitened."""
    squared = (prediction - truth).square()
    camera, face = squared[:, : FACE.start].mean(1), squared[:, FACE].mean(1)
    return (camera + face + TINY).sqrt().mean()


def face_distance(prediction: Tensor, truth: Tensor, *, legacy_reverse_slice: bool = False) -> Tensor:
    """The mean over a batch of the root mean square over the 50 coefficients of shape and expression.

    Both (B, 62), whitened. legacy_reverse_slice: as the released code, which sets entries 0 to 49 of the prediction
    against 12 to 61 of the truth.
    """
    taken = LEGACY_FACE if legacy_reverse_slice else FACE
    return ((prediction[:, taken] - truth[:, FACE]).square().mean(1) + TINY).sqrt().mean()


class SynergyLoss(torch.nn.Module):
    """The weighted sum of five parts, with the published weights as defaults.

    landmarks: wing loss of the landmarks of the predicted parameters. refined: the same of the refined landmarks.
    parameters: distance of the predicted parameters to the true ones. reverse: distance of what the reverse module
    reads from the refined landmarks to the true coefficients of shape and expression. consistency: its distance to the
    predicted ones; both learn from it. omega, epsilon: of the wing loss. legacy_reverse_slice: `face_distance`.
    """

    def __init__(
        self,
        *,
        landmarks: float = 0.05,
        refined: float = 0.05,
        parameters: float = 0.02,
        reverse: float = 0.02,
        consistency: float = 0.001,
        omega: float = 10.0,
        epsilon: float = 2.0,
        legacy_reverse_slice: bool = False,
    ):
        super().__init__()
        self.weights = {
            "landmarks": landmarks,
            "refined": refined,
            "parameters": parameters,
            "reverse": reverse,
            "consistency": consistency,
        }
        self.omega, self.epsilon = omega, epsilon
        self.legacy_reverse_slice = legacy_reverse_slice

    def forward(
        self,
        points: Tensor,
        refined: Tensor,
        true_points: Tensor,
        predicted: Tensor,
        read_back: Tensor,
        true: Tensor,
    ) -> Losses:
        """Losses of landmarks (B, 68, 3) px of a 120 px crop (of the predicted parameters, refined, and true) and
        whitened parameters (B, 62) (predicted, read back from the refined landmarks, and true), in the precision of
        their own."""
        distances = {
            "landmarks": wing(points, true_points, self.omega, self.epsilon),
            "refined": wing(refined, true_points, self.omega, self.epsilon),
            "parameters": parameter_distance(predicted, true),
            "reverse": face_distance(read_back, true, legacy_reverse_slice=self.legacy_reverse_slice),
            "consistency": face_distance(
                read_back, predicted, legacy_reverse_slice=self.legacy_reverse_slice
            ),
        }
        return Losses({name: self.weights[name] * value for name, value in distances.items()})
