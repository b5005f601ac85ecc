"""What networks of 68 landmarks in 3D train on: packs of crops and landmarks, augmented together."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.losses.base import Losses
from pipeline.losses.landmarks import landmark_losses
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.models.landmark_trunk import normalised
from pipeline.records import FacemillError
from pipeline.registry import TASKS
from pipeline.training import demands
from pipeline.training.batches import Sample
from pipeline.training.task import PackTask, Setup


@TASKS.register("landmarks")
class LandmarkTask(PackTask):
    """Networks from crops, or from a crop's detected landmarks, to landmarks in units of 50 px of a 224 crop.

    plane2d: the weight of a 2D branch's own loss, where the network has one.
    """

    def __init__(self, setup: Setup, *, plane2d: float = 1.0):
        super().__init__(setup)
        demands.weights(plane2d=plane2d)
        self.plane2d = plane2d

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a 2D network that is frozen before it has learnt anything."""
        if getattr(network, "frozen_2d", False) and not self.training.init_from:
            raise FacemillError(
                "settings.frozen_2d: expected weights whose 2D network stays as it is, found none; set "
                "training.init_from to the weights.safetensors of a lift3d with the same settings"
            )

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, C, S, S) in [0, 1], `landmarks` (B, 68, 3) px of the S x S input, and for networks that take
        them `points` (B, 68, 2), the detected ones, px."""
        samples = [self.sample(self.packs.sample(row), random) for row, random in self.picks(update)]
        return {name: torch.from_numpy(np.stack([s[name] for s in samples])) for name in samples[0]}

    def sample(self, sample: Sample, random: np.random.Generator) -> dict[str, np.ndarray]:
        """One augmented sample of a batch; image, landmarks and detected points go through one similarity."""
        crop, similarity = self.augmented(sample, random)
        landmarks = similarity.apply_to_points(self.truth(sample), self.size)
        made = {"image": self.image(crop), "landmarks": landmarks.astype(np.float32)}
        if self.setup.points:
            known = self.points(sample.points, len(sample.image))
            made["points"] = similarity.apply_to_points(known, self.size).astype(np.float32)
        return made

    def truth(self, sample: Sample) -> np.ndarray:
        """The true landmarks (68, 3) float64 in px of the network's input, nearer z larger."""
        scale = self.size / self.setup.target.side
        points = self.setup.target.decode(sample.stored) * np.float64(scale)
        points[:, :2] += (scale - 1) / 2
        return points

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """The mean square over all coordinates ("xyz") and a 2D branch's own ("plane2d")."""
        inputs = [batch[name] for name in ("image", "points") if name in batch]
        return landmark_losses(model(*inputs), normalised(batch["landmarks"], self.size), self.plane2d)

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Mean distance in x and y ("selection"), and in x, y, z after the mean z was aligned ("nme3d"), over the
        held-out faces, in % of sqrt(w h) of each face's true landmarks; nothing without held-out faces."""
        plane, space = [], []
        for samples, answer in self.held_out_answers(model):
            truth = np.stack([self.truth(sample) for sample in samples])
            size, found = box_size(truth), answer.double().cpu().numpy()
            plane.extend(nme(found[..., :2], truth[..., :2], size))
            found[..., 2] += (truth - found)[..., 2].mean(1, keepdims=True)
            space.extend(nme(found, truth, size))
        if not plane:
            return {}
        return {"selection": float(np.mean(plane)), "nme3d": float(np.mean(space))}
