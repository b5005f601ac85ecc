"""Losses of networks that answer with coordinates: the mean squared distance of normalised landmarks.

Source: the 3D Facial Alignment project (github.com/antoinedandi/FaceAlignment, 2020), whose loss is the mean over all
204 numbers; the loss of a 2D branch on its own is ours (spec landmarks 1.3, 7).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pipeline.losses.base import Losses


def landmark_mse(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean over all coordinates of squared differences, in float32; both (..., K, 2 or 3) in one unit."""
    return (found.float() - target.float()).square().mean()


def landmark_losses(answer: Mapping[str, torch.Tensor], target: torch.Tensor, plane2d: float = 1.0) -> Losses:
    """Losses with the part "xyz", and the part "plane2d" where a network has a 2D branch.

    answer: "xyz" (B, 68, 3) and perhaps "plane2d" (B, 68, 2), the branch's own landmarks. target: (B, 68, 3) in the
    same unit. plane2d: the weight of the 2D branch's loss.
    """
    parts = {"xyz": landmark_mse(answer["xyz"], target)}
    if "plane2d" in answer:
        parts["plane2d"] = plane2d * landmark_mse(answer["plane2d"], target[..., :2])
    return Losses(parts)
