"""What a volume network trains on: crops and volumes, augmented together (VRN; spec prn_vrn E.4)."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.geometry.columns import moved_runs, runs_of
from pipeline.losses.base import Losses
from pipeline.losses.heatmaps import gaussians, heatmap_mse
from pipeline.losses.volume import volume_entropy, volume_overlap
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.models.heatmaps import from_cells, to_cells
from pipeline.records import FacemillError
from pipeline.registry import TASKS
from pipeline.targets.volume import WIDTH
from pipeline.training import demands
from pipeline.training.augment import Similarity
from pipeline.training.batches import Sample
from pipeline.training.task import PackTask, Setup

CELL = 4  # a cell of a heat-map is 4 x 4 pixels of the input
UNMOVED = Similarity(0.0, 1.0, (0.0, 0.0), False)


@TASKS.register("volume")
class VolumeTask(PackTask):
    """VRN: binary cross entropy over voxels, and the squared distance of heat-maps where the network paints them.

    volume_weight, heatmap_weight: of the mean over voxels and of the mean over cells; the paper says none. sigma: cells
    of a landmark's Gaussian; the paper's.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        volume_weight: float = 1.0,
        heatmap_weight: float = 10.0,
        sigma: float = 1.0,
    ):
        super().__init__(setup)
        demands.weights(volume_weight=volume_weight, heatmap_weight=heatmap_weight)
        demands.positive(sigma=sigma)
        self.weights = {"volume": volume_weight, "heatmaps": heatmap_weight}
        self.sigma = sigma

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a side whose volume has no whole number of slices."""
        if self.size % 24:
            raise FacemillError(f"expected settings.size to be a multiple of 24, found {self.size}")

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, 3, S, S) in [0, 1], `runs` (B, R, S, S, 2) in slices of the S x S grid, and `points` (B, 68, 2)
        in heat-map cells."""
        images, runs, points = [], [], []
        for row, random in self.picks(update):
            sample = self.packs.sample(row)
            image, similarity = self.augmented(sample, random)
            images.append(self.image(image))
            runs.append(self.runs(sample, similarity))
            points.append(self._cells(sample, similarity))
        return {
            "image": torch.from_numpy(np.stack(images)),
            "runs": stacked(runs),
            "points": torch.from_numpy(np.stack(points)),
        }

    def runs(self, sample: Sample, similarity: Similarity = UNMOVED) -> np.ndarray:
        """The volume (R, S, S, 2) float32 of a changed sample, in slices of the S x S grid."""
        several = int(sample.stored["volume_several"]) > 0
        runs = runs_of(sample.stored["volume_columns"], sample.stored["volume_bits"] if several else None)
        return moved_runs(runs, similarity.matrix(WIDTH), similarity.scale, self.size)

    def _cells(self, sample: Sample, similarity: Similarity) -> np.ndarray:
        side = len(sample.image)
        points = similarity.apply_to_points(sample.landmarks[:, :2], side)
        return to_cells(points, CELL * side / self.size).astype(np.float32)

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """Losses with the part "volume" and, where the network paints heat-maps, "heatmaps"."""
        answer = model(batch["image"])
        parts = {"volume": self.weights["volume"] * volume_entropy(answer["volume"], batch["runs"])}
        if "heatmaps" in answer:
            target = gaussians(batch["points"], self.size // CELL, self.sigma)
            (distance,) = heatmap_mse([answer["heatmaps"]], target)
            parts["heatmaps"] = self.weights["heatmaps"] * distance
        return Losses(parts)

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Over the held-out faces: mean intersection over union "iou" on the network's grid, "selection", 100 (1 - it),
        and of a network with heat-maps "landmarks", the mean distance in % of sqrt(w h) of the true landmarks' box;
        nothing without held-out faces."""
        overlaps, distances = [], []
        for samples, answer in self.held_out_answers(model):
            true = stacked([self.runs(sample) for sample in samples]).to(answer["volume"].device)
            both, either = volume_overlap(answer["volume"], true)
            overlaps += (both / either.clamp(min=1)).tolist()
            for sample, found in zip(samples, answer.get("landmarks", ()), strict=False):
                truth = sample.landmarks[:, :2]
                placed = from_cells(found.cpu().numpy(), len(sample.image) / self.size)
                distances.append(nme(placed, truth, box_size(truth)))
        if not overlaps:
            return {}
        iou = float(np.mean(overlaps))
        further = {"landmarks": float(np.mean(distances))} if distances else {}
        return {"selection": 100 * (1 - iou), "iou": iou, **further}


def stacked(runs: list[np.ndarray]) -> torch.Tensor:
    """Runs (R, S, S, 2) of several volumes as one tensor (B, R, S, S, 2), R the largest of theirs."""
    most = max(len(part) for part in runs)
    padded = [np.pad(part, ((0, most - len(part)), (0, 0), (0, 0), (0, 0))) for part in runs]
    return torch.from_numpy(np.stack(padded))
