"""What fan_depth trains on: heat-maps of the landmarks' x and y, and depths beside them."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.losses.base import Losses
from pipeline.losses.heatmaps import distributions, gaussians, heatmap_entropy, heatmap_mse
from pipeline.losses.landmarks import landmark_mse
from pipeline.models.fan import DOWNSCALE
from pipeline.models.heatmaps import to_cells
from pipeline.models.landmark_trunk import normalised
from pipeline.registry import TASKS
from pipeline.training import demands
from pipeline.training.batches import Sample
from pipeline.training.landmark_task import LandmarkTask
from pipeline.training.task import Setup


@TASKS.register("fan_depth")
class FanDepthTask(LandmarkTask):
    """FAN with a depth network (paper: Bulat and Tzimiropoulos, ICCV 2017).

    heatmaps, z: weights of the losses. sigma: standard deviation of the heat-maps' Gaussians, cells. jitter: the depth
    network learns from the true x and y, moved by normal noise of this share of the side, as FAN will miss them.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        heatmaps: float = 1.0,
        z: float = 1.0,
        sigma: float = 1.75,
        jitter: float = 0.01,
    ):
        super().__init__(setup)
        demands.weights(heatmaps=heatmaps, z=z)
        demands.positive(sigma=sigma)
        demands.shares(jitter=jitter)
        self.heatmaps, self.z, self.sigma, self.jitter = heatmaps, z, sigma, jitter

    def sample(self, sample: Sample, random: np.random.Generator) -> dict[str, np.ndarray]:
        """One augmented sample, with `seen` (68, 2), px: where the depth network is shown the landmarks."""
        made = super().sample(sample, random)
        noise = random.normal(0, self.jitter * self.size, (68, 2))
        return made | {"seen": (made["landmarks"][:, :2] + noise).astype(np.float32)}

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """The parts "heatmaps_1", "heatmaps_2" and so on, one a stack: the mean square of its maps, or the cross
        entropy of its logits; and "z", the mean square of depths in units of 50 px of a 224 crop."""
        answer = model(batch["image"], batch["seen"])
        cells = to_cells(batch["landmarks"][..., :2], DOWNSCALE)
        side = self.size // DOWNSCALE
        maps = [value for name, value in answer.items() if name != "z"]
        if "logits_1" in answer:
            stacks = heatmap_entropy(maps, distributions(cells, side, self.sigma))
        else:
            stacks = heatmap_mse(maps, gaussians(cells, side, self.sigma))
        parts = {f"heatmaps_{k}": self.heatmaps * part for k, part in enumerate(stacks, start=1)}
        depth = normalised(batch["landmarks"], self.size)[..., 2]
        return Losses({**parts, "z": self.z * landmark_mse(answer["z"], depth)})
