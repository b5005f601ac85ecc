"""What a position-map network trains on: packs of crops and maps, augmented together (spec prn_vrn C.4)."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.io.files import expand
from pipeline.losses.base import Losses
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError
from pipeline.registry import LOSSES, TASKS
from pipeline.targets.posmap import NORMALISER, uv_table
from pipeline.targets.weights import read_weights, weight_mask
from pipeline.training.augment import augment
from pipeline.training.task import PackTask, Setup

ASYMMETRY = 0.05


@TASKS.register("posmap")
class PosmapTask(PackTask):
    """Networks from crops to normalised maps.

    weights: (M, M) of the loss, M the side of the map; None: from the face model's chart, or from the user's mask
    (with 0 where the user's picture of the face is black, if there is one). `FacemillError` when mirrored samples are
    asked for and the chart is not symmetric.
    """

    def __init__(self, setup: Setup, weights: np.ndarray | None = None):
        super().__init__(setup)
        if setup.training.augment.flip > 0:
            require_symmetric(setup.face, setup.target.side)
        if weights is None:
            weights = _weights(setup)
        self.side = weights.shape[0]
        self.weights = torch.from_numpy(np.array(weights, np.float32))
        self.criterion = LOSSES[setup.training.loss](weights)

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` for a network whose map has another side than the target's."""
        name = "size" if getattr(network, "map_size", network.size) == network.size else "map_size"
        found = getattr(network, name)
        if found != self.side:
            raise FacemillError(
                f"expected settings.{name} to be its target's size, found {found} for a target of {self.side}; set "
                f"settings.{name}={self.side}"
            )

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, 3, S, S) in [0, 1] and `target` (B, 3, M, M), px over 1.1 M, held within [0, 1]."""
        images, maps = [], []
        for row, random in self.picks(update):
            image, positions = augment(*self.packs[row], self.training.augment, random, self.setup.padding)
            images.append(self.image(image))
            maps.append(self._normalised(positions))
        return {"image": torch.from_numpy(np.stack(images)), "target": torch.from_numpy(np.stack(maps))}

    def _normalised(self, positions: np.ndarray) -> np.ndarray:
        scaled = np.clip(positions / (NORMALISER * self.side), 0, 1)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """The configured loss of the normalised maps."""
        criterion = self.criterion.to(batch["image"].device)
        return criterion(model(batch["image"]), batch["target"])

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Weighted mean distance in x and y ("selection") and in x, y, z ("xyz") over the held-out faces, in % of
        sqrt(w h) of each true map's box; nothing without held-out faces."""
        plane, space = [], []
        for samples, answer in self.held_out_answers(model):
            found = answer.cpu().permute(0, 2, 3, 1) * (NORMALISER * self.side)
            maps = [self.setup.target.decode(sample.stored) for sample in samples]
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


def _weights(setup: Setup) -> np.ndarray:
    """(M, M) weights of the loss, as the chain sets it up."""
    png, face_png = setup.training.weights_png, setup.training.weights_face_png
    if png:
        return read_weights(expand(png), setup.target.side, expand(face_png) if face_png else None)
    return weight_mask(setup.face, setup.target.side)


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
