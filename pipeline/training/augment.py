"""Augmentation of a crop and its truth together (spec prn_vrn C.4).

The crop turns, shifts and grows about its centre by a similarity; x and y of its truth go through the same one, z only
grows. Colour gains and a pasted patch of noise change the crop alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.config import AugmentSettings
from pipeline.detect.heatmaps import MIRRORED
from pipeline.geometry.camera import flip_matrix, unflip_matrix
from pipeline.records import FacemillError

BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "zero": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE}
PATCH_SIZE = (0.15, 0.5)  # of the side, each axis
PATCH_GRAIN = (2, 24)  # cells of noise along the side of a patch


@dataclass(frozen=True)
class Similarity:
    """A mirror (before all else), a rotation by ``angle`` (radians, clockwise on the screen), a ``scale`` and a
    ``shift`` (x, y as shares of the side), about the centre of a square crop."""

    angle: float
    scale: float
    shift: tuple[float, float]
    mirror: bool

    def matrix(self, side: int) -> np.ndarray:
        """(2, 3) that takes px of a crop with this side to px of the changed one."""
        cos, sin = self.scale * np.cos(self.angle), self.scale * np.sin(self.angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        if self.mirror:
            turn[:, 0] *= -1
        middle = (side - 1) / 2
        offset = middle + np.array(self.shift) * side - turn @ [middle, middle]
        return np.column_stack([turn, offset])

    def apply_to_crop(self, image: np.ndarray, padding: str) -> np.ndarray:
        """A new crop (F, F, C) uint8; ``padding`` as the frame's: reflect, zero or edge."""
        size = (image.shape[1], image.shape[0])
        return cv2.warpAffine(
            image, self.matrix(image.shape[0]), size, flags=cv2.INTER_LINEAR, borderMode=BORDERS[padding]
        ).reshape(image.shape)

    def apply_to_map(self, positions: np.ndarray) -> np.ndarray:
        """A new map (S, S, 3) in px of an S x S crop; a mirrored map is read from the chart's other side."""
        matrix = self.matrix(positions.shape[0]).astype(np.float32)
        if self.mirror:
            positions = positions[:, ::-1]
        plane = positions[..., :2] @ matrix[:, :2].T + matrix[:, 2]
        return np.concatenate([plane, positions[..., 2:] * np.float32(self.scale)], axis=-1)

    def apply_to_points(self, points: np.ndarray, side: int) -> np.ndarray:
        """The 68 landmarks (68, 2|3) px of a crop with this side, float64; mirrored, they change sides by number."""
        matrix = self.matrix(side)
        points = np.asarray(points, np.float64)[MIRRORED if self.mirror else slice(None)]
        plane = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return np.concatenate([plane, points[:, 2:] * self.scale], axis=1)

    def apply_to_camera(self, camera: np.ndarray, side: int) -> np.ndarray:
        """A crop's camera (3, 4), model frame -> its y-up 1-based frame, as one of the changed crop.

        `FacemillError` for a mirrored crop: the parameters of the mirrored face are not known.
        """
        if self.mirror:
            raise FacemillError(
                "expected no mirrored samples of a face's parameters; set training.augment.flip=0"
            )
        matrix, image = self.matrix(side), flip_matrix(camera, side)
        image[:2] = matrix[:, :2] @ image[:2]
        image[:2, 3] += matrix[:, 2]
        image[2] *= self.scale
        return unflip_matrix(image, side)


def draw_similarity(settings: AugmentSettings, random: np.random.Generator) -> Similarity:
    """A similarity with the settings' spreads."""
    angle = np.deg2rad(random.uniform(-settings.rotation, settings.rotation))
    shift = random.uniform(-settings.translation, settings.translation, 2)
    scale = random.uniform(*settings.scale)
    return Similarity(angle, scale, (shift[0], shift[1]), bool(random.random() < settings.flip))


def augment(
    image: np.ndarray,
    positions: np.ndarray,
    settings: AugmentSettings,
    random: np.random.Generator,
    padding: str = "reflect",
) -> tuple[np.ndarray, np.ndarray]:
    """A changed crop (F, F, C) uint8 and its map (S, S, 3) float32 in px of the S x S input; the inputs stay."""
    similarity = draw_similarity(settings, random)
    image = recoloured(similarity.apply_to_crop(image, padding), settings, random)
    return image, similarity.apply_to_map(positions)


def recoloured(image: np.ndarray, settings: AugmentSettings, random: np.random.Generator) -> np.ndarray:
    """A crop (F, F, C) uint8 with a gain for each channel and, at times, a patch of noise on it; a new array."""
    gains = random.uniform(*settings.colour, image.shape[2])
    table = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)[None]
    image = cv2.LUT(image, table).reshape(image.shape)
    if random.random() < settings.occlusion:
        paste_noise(image, random)
    return image


def paste_noise(image: np.ndarray, random: np.random.Generator) -> None:
    """Cover part of a crop (F, F, C) uint8, in place, by an ellipse or a box at any angle, filled with noise.

    The grain of the noise, its mean colour and its contrast are drawn too, so a patch may look like cloth or a hand.
    """
    side, _, channels = image.shape
    axes = np.rint(random.uniform(*PATCH_SIZE, 2) * side / 2).astype(int)
    centre = np.rint(random.uniform(0.1, 0.9, 2) * side).astype(int)
    angle = random.uniform(0, 180)
    mask = np.zeros(image.shape[:2], np.uint8)
    if random.random() < 0.5:
        cv2.ellipse(mask, centre.tolist(), axes.tolist(), angle, 0, 360, 1, -1)
    else:
        corners = cv2.boxPoints((centre.tolist(), (2 * axes).tolist(), angle))
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    grain = int(random.integers(*PATCH_GRAIN, endpoint=True))
    colour, contrast = random.uniform(0, 255, channels), random.uniform(0, 90)
    coarse = (colour + contrast * random.standard_normal((grain, grain, channels))).astype(np.float32)
    texture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR).reshape(image.shape)
    np.copyto(image, np.clip(texture, 0, 255).astype(np.uint8), where=mask[..., None].astype(bool))
