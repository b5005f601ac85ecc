"""What a position-map network trains on: packs of crops and maps, augmented together (spec prn_vrn C.4)."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.config import TrainingSettings
from pipeline.io.files import expand
from pipeline.losses.base import Losses
from pipeline.models.inputs import network_input
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError
from pipeline.registry import LOSSES, TASKS
from pipeline.seeding import rng
from pipeline.targets.base import Target
from pipeline.targets.posmap import NORMALISER, uv_table
from pipeline.targets.weights import read_weights, weight_mask
from pipeline.training.augment import augment
from pipeline.training.batches import Packs, chosen

ASYMMETRY = 0.05


@TASKS.register("posmap")
class PosmapTask:
    """A `training.loop.Task` for networks from crops to normalised maps.

    packs: of the training split; held_out: for selection, may be empty. weights: (S, S) of the loss, S the side of
    map and input. padding: what augmentation shows beyond a crop's border, as the frame has it.
    """

    def __init__(
        self,
        packs: Packs,
        held_out: Packs,
        weights: np.ndarray,
        training: TrainingSettings,
        seed: int,
        padding: str = "reflect",
    ):
        self.packs, self.held_out = packs, held_out
        self.training, self.seed, self.padding = training, seed, padding
        self.size = weights.shape[0]
        self.samples = len(packs)
        self.weights = torch.from_numpy(np.array(weights, np.float32))
        self.criterion = LOSSES[training.loss](weights)

    @classmethod
    def from_packs(
        cls,
        packs: Packs,
        held_out: Packs,
        face: MorphableModel,
        target: Target,
        training: TrainingSettings,
        seed: int,
        padding: str,
    ) -> PosmapTask:
        """The task as the chain sets it up: the loss's weights from the face model's chart, or from the user's mask
        (with 0 where the user's picture of the face is black, if there is one).

        `FacemillError` when mirrored samples are asked for and the chart is not symmetric.
        """
        if training.augment.flip > 0:
            require_symmetric(face, target.side)
        weights = weight_mask(face, target.side)
        if training.weights_png:
            face_png = training.weights_face_png
            weights = read_weights(
                expand(training.weights_png), target.side, expand(face_png) if face_png else None
            )
        return cls(packs, held_out, weights, training, seed, padding)

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, 3, S, S) in [0, 1] and `target` (B, 3, S, S), px over 1.1 S, held within [0, 1]."""
        images, maps = [], []
        count = self.training.batch_size
        for place, row in enumerate(chosen(update, count, self.samples, self.seed)):
            random = rng("augment", self.seed, update, place)
            image, positions = augment(*self.packs[row], self.training.augment, random, self.padding)
            images.append(network_input(image, self.size))
            maps.append(self._normalised(positions))
        return {"image": torch.from_numpy(np.stack(images)), "target": torch.from_numpy(np.stack(maps))}

    def _normalised(self, positions: np.ndarray) -> np.ndarray:
        scaled = np.clip(positions / (NORMALISER * self.size), 0, 1)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """The configured loss of the normalised maps."""
        criterion = self.criterion.to(batch["image"].device)
        return criterion(model(batch["image"]), batch["target"])

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Weighted mean distance in x and y ("selection") and in x, y, z ("xyz") over the held-out faces, in % of
        sqrt(w h) of each true map's box; nothing without held-out faces."""
        plane, space = [], []
        device = next(model.parameters()).device
        for start in range(0, len(self.held_out), self.training.batch_size):
            rows = range(start, min(start + self.training.batch_size, len(self.held_out)))
            images, maps = zip(*(self.held_out[row] for row in rows), strict=True)
            inputs = torch.from_numpy(np.stack([network_input(image, self.size) for image in images]))
            found = model(inputs.to(device)).float().cpu().permute(0, 2, 3, 1) * (NORMALISER * self.size)
            truth = torch.from_numpy(np.stack(maps))
            covered = truth[:, self.weights > 0][..., :2]
            size = (covered.amax(1) - covered.amin(1)).prod(-1).sqrt()
            for figures, axes in ((plane, 2), (space, 3)):
                distance = torch.linalg.vector_norm((found - truth)[..., :axes], dim=-1)
                mean = (distance * self.weights).sum((1, 2)) / self.weights.sum()
                figures.extend((100 * mean / size).tolist())
        if not plane:
            return {}
        return {"selection": float(np.mean(plane)), "xyz": float(np.mean(space))}


def require_symmetric(face: MorphableModel, size: int) -> None:
    """`FacemillError` unless the mean face's map of side ``size``, read from the chart's other side with x mirrored,
    lies within ASYMMETRY of the face's width of itself (rms over the texels on the chart)."""
    table = uv_table(face, size)
    positions = table.gather(face.mean)
    other = positions[:, ::-1] * [-1, 1, 1] + [2 * float(face.mean[face.face_mask, 0].mean()), 0, 0]
    inside = table.inside & table.inside[:, ::-1]
    rms = float(np.sqrt(np.square(positions - other)[inside].sum(-1).mean()))
    share = rms / float(np.ptp(face.mean[face.face_mask, 0]))
    if share > ASYMMETRY:
        raise FacemillError(
            f"training.augment.flip: expected a chart symmetric in u, found one that the face model {face.name} "
            f"breaks by {100 * share:.1f} % of the face's width (at most {100 * ASYMMETRY:g} %); set it to 0"
        )
