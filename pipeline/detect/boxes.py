"""FaceBoxes at work: pictures -> scored face boxes, through our non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.detect.loading import LoadedNetwork
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.nms import nms, soft_nms
from pipeline.geometry.resample import sample
from pipeline.models.faceboxes import PriorSettings, decode, priors

MEAN_BGR = np.array([104, 117, 123], np.float32)
PUBLISHED_HEIGHT, PUBLISHED_WIDTH = 720, 1080
CANDIDATE_SCORE = 0.05
CANDIDATES = 5000
KEPT = 750


def input_transform(height: int, width: int, side: int) -> CropTransform:
    """The whole picture in the middle of a square input: its longer side fills `side` pixels."""
    return CropTransform.whole(height, width, side)


def network_input(picture: np.ndarray, side: int) -> np.ndarray:
    """Picture (h, w, 3) uint8 RGB -> (side, side, 3) float32 BGR minus the mean; 0 outside the picture."""
    transform = input_transform(*picture.shape[:2], side)
    rgb = sample(picture, transform, "edge")
    outside = _outside(*picture.shape[:2], side)
    bgr = rgb[:, :, ::-1] - MEAN_BGR
    bgr[outside] = 0
    return bgr


def _outside(height: int, width: int, side: int) -> np.ndarray:
    """(side, side) bool: input pixels whose centre lies beyond the picture's edge."""
    transform = input_transform(height, width, side)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1)
    place = transform.invert(grid)
    return ((place < -0.5) | (place > np.array([width, height]) - 0.5)).any(axis=-1)


def published_scale(height: int, width: int) -> float:
    """How far 3DDFA_V2 shrinks a picture before FaceBoxes: to 720 pixels of height and then 1080 of width."""
    scale = min(1.0, PUBLISHED_HEIGHT / height)
    return scale * min(1.0, PUBLISHED_WIDTH / (width * scale))


class BoxFinder:
    """The network with its settings.

    `network` from `loading.load_faceboxes`; `score` is the least score of a box, `overlap` the intersection over
    union beyond which the worse of two boxes falls; `batch` pictures go through at once. With the published
    weights (no `side` in the card) every picture goes in at its own size, shrunk as 3DDFA_V2 does it, and those of
    one size go through together.

    `method` "hard" drops overlapping boxes; "linear" and "gaussian" lower their scores instead (soft suppression,
    Bodla et al. 2017), and what a box has left is its score from there on. `plus_one` says whether a box covers
    x2 - x1 + 1 pixels: "on", "off", or "auto", which is on for the published weights, as 3DDFA_V2 has it.
    """

    def __init__(
        self,
        network: LoadedNetwork,
        score: float = 0.5,
        overlap: float = 0.3,
        batch: int = 16,
        method: str = "hard",
        plus_one: str = "auto",
    ):
        self.network = network.module.to(memory_format=torch.channels_last).eval()
        self.side = network.card.get("side")
        settings = {k: v for k, v in network.card["settings"].items() if k != "width"}
        self.priors = PriorSettings(**{k: tuple(tuple(row) for row in rows) for k, rows in settings.items()})
        self.score, self.overlap, self.batch, self.method = score, overlap, batch, method
        self.plus_one = plus_one == "on" or (plus_one == "auto" and self.side is None)

    def find(self, pictures: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Pictures (h, w, 3) uint8 RGB -> for each the boxes (n, 4) float32 x1, y1, x2, y2 in its pixels, 0-based
        pixel centres, best first, and their scores (n,)."""
        if self.side is None:
            return self._published(pictures)
        found = []
        for start in range(0, len(pictures), self.batch):
            found += self._pass(pictures[start : start + self.batch])
        return found

    def _pass(self, pictures: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        inputs = np.stack([network_input(picture, self.side) for picture in pictures])
        boxes, scores = self._forward(inputs)
        found = []
        for picture, box, score in zip(pictures, boxes, scores, strict=True):
            transform = input_transform(*picture.shape[:2], self.side)
            # the network counts from the outer edge of the first pixel, pictures from its centre
            corners = transform.invert((box * self.side - 0.5).reshape(-1, 2)).reshape(-1, 4)
            found.append(self._suppress(corners, score))
        return found

    def _published(self, pictures: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        shrunk = [_shrunk(picture) for picture in pictures]
        sizes: dict[tuple[int, ...], list[int]] = {}
        for k, picture in enumerate(shrunk):
            sizes.setdefault(picture.shape, []).append(k)
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for rows in sizes.values():
            for start in range(0, len(rows), self.batch):
                part = rows[start : start + self.batch]
                inputs = np.stack([shrunk[k] for k in part])[..., ::-1].astype(np.float32) - MEAN_BGR
                for k, boxes, scores in zip(part, *self._forward(inputs), strict=True):
                    size = np.array(shrunk[k].shape[1::-1] * 2, np.float64)
                    found[k] = self._suppress(boxes * size / published_scale(*pictures[k].shape[:2]), scores)
        return [found[k] for k in range(len(pictures))]

    @torch.inference_mode()
    def _forward(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (B, H, W, 3) BGR minus mean -> boxes (B, P, 4) as fractions of the input, face scores (B, P)."""
        x = torch.from_numpy(np.ascontiguousarray(inputs)).permute(0, 3, 1, 2)
        offsets, scores = self.network(x)
        prior = priors(*inputs.shape[1:3], self.priors)
        return decode(offsets.float().numpy(), prior), scores.float().softmax(-1)[..., 1].numpy()

    def _suppress(self, boxes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        least = min(CANDIDATE_SCORE, self.score)
        rows = np.flatnonzero(scores > least)
        rows = rows[np.argsort(-scores[rows], kind="stable")][:CANDIDATES]
        boxes, scores = boxes[rows].astype(np.float32), scores[rows]
        if self.method == "hard":
            kept = nms(boxes, scores, self.overlap, plus_one=self.plus_one)
            left = scores[kept]
        else:
            kept, left = soft_nms(
                boxes, scores, self.overlap, method=self.method, least=least, plus_one=self.plus_one
            )
        kept, left = kept[:KEPT], left[:KEPT].astype(np.float32)
        return boxes[kept[left > self.score]], left[left > self.score]


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) as 3DDFA_V2 gives it to the published network."""
    import cv2

    scale = published_scale(*picture.shape[:2])
    if scale == 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
