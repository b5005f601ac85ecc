"""What the shipped FAN learns: heat-maps of 68 landmarks in the crop that a detector's box gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import torch

from pipeline.config import TrainingSettings
from pipeline.detect import heatmaps
from pipeline.detect.fan import REFERENCE, crop_transform
from pipeline.geometry.boxes import box_size, landmark_box
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import crop_image
from pipeline.losses.base import Losses
from pipeline.losses.heatmaps import activate, distributions, heatmap_entropy
from pipeline.models.fan import DOWNSCALE, FAN
from pipeline.models.heatmaps import to_cells
from pipeline.registry import PICTURE_TASKS
from pipeline.seeding import rng
from pipeline.training.labelled import Labelled, PictureTask
from pipeline.training.photometric import cover, disturb

MARGIN = 1.5  # the cached window is this much wider than the square, so that shifts and turns stay inside it
CENTRE_SPREAD, SIZE_SPREAD = 0.05, 0.08  # of a detector's boxes about the landmarks' own, shares of the size
TURN = 20.0  # degrees
FACELESS_BOXES = 2  # of a picture without a face


@PICTURE_TASKS.register("fan")
class FanTask(PictureTask):
    """The training task of the landmark network (paper: Bulat and Tzimiropoulos 2017; their augmentation is wider).

    Every face is cut once, `MARGIN` wider than FAN's square. A sample is one affine resampling of that: the square
    of its box, jittered as a detector's, turned, sometimes mirrored, recoloured and covered. The loss is the cross
    entropy between the softmax over a heat-map's cells and a Gaussian of `sigma` cells about the landmark. Every
    `faceless`-th sample is a square of a picture without a face: there the right answer is that the landmark may be
    anywhere, so that the height of the peaks tells faces from what the detector took for one.
    """

    def __init__(
        self,
        pictures: Iterable[Labelled],
        training: TrainingSettings,
        seed: int,
        *,
        stacks: int = 1,
        features: int = 96,
        side: int = 128,
        sigma: float = 1.0,
        faceless: int = 8,
        validation: float = 0.06,
    ):
        super().__init__(training, seed)
        self.network_settings = {"stacks": stacks, "features": features}
        self.side, self.sigma = side, sigma
        self.window, self.faceless = round(side * MARGIN), faceless
        ids, faces, empty = [], [], []
        for picture in pictures:
            for landmarks in picture.landmarks:
                ids.append(picture.id)
                faces.append(self._cut(picture.image, landmark_box(landmarks), landmarks))
            if not len(picture.landmarks):
                random = rng(seed, "faceless", picture.id)
                boxes = [anywhere(*picture.image.shape[:2], random) for _ in range(FACELESS_BOXES)]
                empty += [self._cut(picture.image, box, np.full((68, 2), np.nan)) for box in boxes]
        self.divide(ids, validation)
        self.empty = len(faces) + np.arange(len(empty))
        self.crops, self.points, self.boxes = (np.stack(part) for part in zip(*faces, *empty, strict=True))

    def _cut(self, image: np.ndarray, box: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """The window of a box, and points and box in its pixels."""
        square = crop_transform(box, self.side)
        wide = CropTransform(square.scale, square.cx, square.cy, self.window)
        return crop_image(image, wide, "zero"), wide.apply(points), wide.apply(box.reshape(2, 2)).ravel()

    def network(self) -> torch.nn.Module:
        """The network with fresh weights."""
        torch.manual_seed(self.seed)
        return FAN(**self.network_settings)

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, 3, S, S) float32 in [0, 1] and `points` (B, 68, 2) in heat-map cells, NaN without a face."""
        rows, random = self.draw(update)
        if len(self.empty) and self.faceless:
            rows[:: self.faceless] = random.choice(self.empty, len(rows[:: self.faceless]))
        images, points = [], []
        for row in rows:
            image, landmarks = self._sample(row, random)
            images.append(image)
            points.append(landmarks)
        return self._tensors(images, points)

    def _tensors(self, images: list[np.ndarray], points: list[np.ndarray]) -> dict[str, torch.Tensor]:
        image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255)
        return {
            "image": image,
            "points": torch.from_numpy(to_cells(np.stack(points), DOWNSCALE).astype(np.float32)),
        }

    def _sample(self, row: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One augmented crop (S, S, 3) uint8 and its landmarks (68, 2) in crop pixels."""
        box = jittered(self.boxes[row], random)
        square = crop_transform(box, self.side)
        angle = np.deg2rad(random.uniform(-TURN, TURN)) if random.random() < 0.5 else 0.0
        turn = square.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = (self.side - 1) / 2
        matrix = np.column_stack([turn, middle - turn @ [square.cx, square.cy]])
        mirror = random.random() < 0.5
        if mirror:
            matrix[0] = -matrix[0]
            matrix[0, 2] += self.side - 1
        image = cv2.warpAffine(self.crops[row], matrix, (self.side, self.side), flags=cv2.INTER_LINEAR)
        points = self.points[row] @ matrix[:, :2].T + matrix[:, 2]
        image = disturb(image, random)
        if random.random() < 0.25:
            image = cover(image, random)
        return image, points[heatmaps.MIRRORED] if mirror else points

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """Mean cross entropy of all landmarks, each stack on its own."""
        target = distributions(batch["points"], self.side // DOWNSCALE, self.sigma)
        stacks = heatmap_entropy(model(batch["image"]), target)
        return Losses({f"stack{k}": loss for k, loss in enumerate(stacks)})

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Mean and median point error of the held-out faces from their exact boxes, in % of sqrt(w h)."""
        errors = []
        for rows in self.held_out_rows():
            trim = (self.window - self.side) // 2
            images = self.crops[rows, trim : trim + self.side, trim : trim + self.side]
            batch = self._tensors(list(images), list(self.points[rows] - trim))
            device = next(model.parameters()).device
            maps = activate(model(batch["image"].to(device))[-1], self.sigma).cpu().numpy()
            found, _ = heatmaps.decode(maps)
            size = np.sqrt(np.prod(box_size(self.boxes[rows]), axis=-1)) / DOWNSCALE
            errors.append(np.linalg.norm(found - batch["points"].numpy(), axis=-1) / size[:, None])
        errors = 100 * np.concatenate(errors)
        return {
            "selection": float(errors.mean()),
            "median_point": float(np.median(errors)),
            "median_face": float(np.median(errors.mean(axis=1))),
        }

    def card(self, mean_shape: np.ndarray) -> dict[str, Any]:
        """What detection needs to use the weights; `mean_shape` (68, 3) are the landmarks of a mean face, in units of
        their spread."""
        return {
            "network": "fan",
            "settings": self.network_settings,
            "side": self.side,
            "reference": REFERENCE,
            "activation": {"kind": "softmax", "sigma": self.sigma},
            "mean_shape": mean_shape.round(4).tolist(),
        }


def anywhere(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """A box (4,) such as a detector might find by mistake in a picture of that size."""
    size = (
        np.exp(random.uniform(np.log(0.12), np.log(0.6))) * min(height, width) * random.uniform(0.8, 1.25, 2)
    )
    centre = np.clip(random.normal(0.5, 0.2, 2), 0.05, 0.95) * [width, height]
    return np.concatenate([centre - size / 2, centre + size / 2])


def jittered(box: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A box (4,) moved and resized as a detector's would be about the true one."""
    size = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 + random.normal(0, CENTRE_SPREAD, 2) * size
    size = size * np.exp(random.normal(0, SIZE_SPREAD, 2) + random.normal(0, SIZE_SPREAD / 2))
    return np.concatenate([centre - size / 2, centre + size / 2])
