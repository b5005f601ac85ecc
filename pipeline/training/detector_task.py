"""What the shipped FaceBoxes learns: the tight boxes of 68 landmarks in whole pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from pipeline.config import TrainingSettings
from pipeline.detect.boxes import MEAN_BGR
from pipeline.detect.loading import faceboxes_from
from pipeline.geometry.boxes import box_area, iou, landmark_box
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.nms import nms
from pipeline.geometry.resample import crop_image
from pipeline.losses.base import Losses
from pipeline.models.faceboxes import decode, encode, priors
from pipeline.registry import PICTURE_TASKS
from pipeline.training.labelled import Labelled, PictureTask
from pipeline.training.photometric import cover, cut_out, disturb

MATCH = 0.4  # least overlap of a prior that answers for a face
NEGATIVES = 7  # background priors in the loss for each that answers for a face
LEAST_SIDE = 0.04  # a box smaller than this share of the input is neither face nor background
SIZES = ((44, 66, 96, 140), (200,), (256,))
DENSITY = ((3, 2, 2, 2), (2,), (1,))
FILL = tuple(int(value) for value in MEAN_BGR[::-1])
TURN = 20.0  # degrees


@PICTURE_TASKS.register("detector")
class DetectorTask(PictureTask):
    """The training task of the box detector (paper: Zhang et al., FaceBoxes, 2017; SSD's matching and mining).

    Pictures are kept at `cache` pixels. A sample is one affine resampling to the input: zoomed, shifted, turned,
    mirrored, recoloured, partly covered, sometimes cut out onto a plain ground as photos in collections are. Loss:
    cross entropy over the priors that answer for a face and the hardest others, smooth L1 over the former's offsets.
    """

    def __init__(
        self,
        pictures: Iterable[Labelled],
        training: TrainingSettings,
        seed: int,
        *,
        width: float = 1.0,
        side: int = 256,
        sizes: tuple[tuple[int, ...], ...] = SIZES,
        density: tuple[tuple[int, ...], ...] = DENSITY,
        cache: int = 320,
        validation: float = 0.08,
    ):
        super().__init__(training, seed)
        self.side, self.cache = side, cache
        self.network_settings = {"width": width, "sizes": sizes, "density": density}
        self.prior = priors(side, side, faceboxes_from(self.network_settings)[1])
        ids, images, self.landmarks = [], [], []
        for picture in pictures:
            transform = CropTransform.whole(*picture.image.shape[:2], cache)
            ids.append(picture.id)
            images.append(crop_image(picture.image, transform, "edge"))
            self.landmarks.append(transform.apply(picture.landmarks).reshape(-1, 68, 2))
        self.images = images
        self.divide(ids, validation)

    def network(self) -> torch.nn.Module:
        """The network with fresh weights; the scores begin at one face in a hundred priors."""
        torch.manual_seed(self.seed)
        network = faceboxes_from(self.network_settings)[0]
        for head in network.conf:
            torch.nn.init.constant_(head.bias.view(-1, 2)[:, 1], -2.3)
            torch.nn.init.constant_(head.bias.view(-1, 2)[:, 0], 2.3)
        return network

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """`image` (B, 3, S, S), `offsets` (B, P, 4) and `label` (B, P): 1 face, 0 background, -1 neither."""
        rows, random = self.draw(update)
        return self._tensors([self._sample(row, random) for row in rows])

    def _tensors(self, samples: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, torch.Tensor]:
        images = np.stack([image for image, _ in samples])[..., ::-1].astype(np.float32) - MEAN_BGR
        matched = [match(boxes / self.side, self.prior) for _, boxes in samples]
        return {
            "image": torch.from_numpy(images).permute(0, 3, 1, 2),
            "offsets": torch.from_numpy(np.stack([offsets for offsets, _ in matched])),
            "label": torch.from_numpy(np.stack([label for _, label in matched])),
        }

    def _sample(self, row: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One augmented input (S, S, 3) uint8 RGB and its boxes (n, 4), in pixels counted from the outer edge."""
        zoom = self.side / self.cache * np.exp(random.uniform(np.log(0.65), np.log(1.5)))
        stretch = np.exp(random.normal(0, 0.06))
        scale = np.array([zoom * stretch, zoom / stretch])
        slack = self.side - scale * self.cache
        shift = random.uniform(0, 1, 2) * slack
        if random.random() < 0.3:
            shift = slack / 2
        matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
        if random.random() < 0.5:
            matrix = turned(matrix, np.deg2rad(random.uniform(-TURN, TURN)), self.side / 2)
        edges = boxes_of((self.landmarks[row] + 0.5) @ matrix[:, :2].T + matrix[:, 2])
        matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # from pixels' outer edges to their centres
        source = self.images[row]
        if zoom < 0.75:
            source = cv2.GaussianBlur(source, (0, 0), 0.35 / zoom)
        image = cv2.warpAffine(source, matrix, (self.side, self.side), borderValue=FILL)
        if random.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            edges[:, [2, 0]] = self.side - edges[:, [0, 2]]
        image = disturb(image, random)
        if random.random() < 0.15:
            image = cover(image, random)
        if random.random() < 0.25:
            image = cut_out(image, edges, random)
        return image, edges

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """Both parts divided by the number of priors that answer for a face."""
        offsets, scores = model(batch["image"])
        label = batch["label"]
        face = label == 1
        count = face.sum().clamp(min=1)
        entropy = F.cross_entropy(
            scores.float().flatten(0, 1), label.flatten().clamp(min=0), reduction="none"
        )
        entropy = entropy.view(label.shape)
        background = torch.where(label == 0, entropy.detach(), -torch.ones_like(entropy)).flatten()
        hardest = background.topk(int(min(NEGATIVES * count, (label == 0).sum()))).indices
        chosen = face.flatten()
        chosen = chosen.index_fill(0, hardest, True)
        place = F.smooth_l1_loss(offsets.float()[face], batch["offsets"][face], reduction="sum")
        return Losses({"score": (entropy.flatten() * chosen).sum() / count, "box": 2 * place / count})

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Average precision at half overlap over the held-out pictures; `selection` is what it lacks of 1."""
        ratio = self.side / self.cache
        scores, hits, faces, overlaps = [], [], 0, []
        for rows in self.held_out_rows():
            sized = [
                cv2.resize(self.images[r], (self.side, self.side), interpolation=cv2.INTER_AREA) for r in rows
            ]
            truth = [boxes_of((self.landmarks[r] + 0.5) * ratio) for r in rows]
            image = self._tensors(list(zip(sized, truth, strict=True)))["image"]
            offsets, confidence = model(image.to(next(model.parameters()).device))
            boxes = decode(offsets.float().cpu().numpy(), self.prior) * self.side
            confidence = confidence.float().softmax(-1)[..., 1].cpu().numpy()
            for box, score, true in zip(boxes, confidence, truth, strict=True):
                hit, overlap = judged(box, score, true)
                scores.append(score[hit[0]])
                hits.append(hit[1])
                overlaps.append(overlap)
                faces += len(true)
        precision = average_precision(np.concatenate(scores), np.concatenate(hits), faces)
        overlap = np.concatenate(overlaps)
        mean = float(overlap.mean()) if len(overlap) else 0.0
        return {"selection": 1 - precision, "average_precision": precision, "mean_overlap": mean}

    def card(self, mean_shape: np.ndarray) -> dict[str, Any]:
        """What detection needs to use the weights; nothing of it depends on the shape of faces."""
        return {"network": "faceboxes", "settings": self.network_settings, "side": self.side}


def boxes_of(landmarks: np.ndarray) -> np.ndarray:
    """The tight boxes (n, 4) of the landmarks (n, 68, 2) of any number of faces."""
    return landmark_box(landmarks).reshape(-1, 4)


def turned(matrix: np.ndarray, angle: float, centre: float) -> np.ndarray:
    """The affine map (2, 3) followed by a turn by `angle`, in radians, about the point (centre, centre)."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    out = turn @ matrix
    out[:, 2] += centre - turn.sum(axis=1) * centre
    return out


def match(boxes: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) and priors (P, 4: centre, size), both as shares of the input -> offsets (P, 4) float32 and
    labels (P,) int64: 1 where the prior answers for a face, -1 where it touches one that nobody is asked about
    (mostly outside the input, or tiny), else 0. Every other face has its best prior at least."""
    offsets, label = np.zeros((len(prior), 4), np.float32), np.zeros(len(prior), np.int64)
    if not len(boxes):
        return offsets, label
    corners = np.concatenate([prior[:, :2] - prior[:, 2:] / 2, prior[:, :2] + prior[:, 2:] / 2], axis=1)
    overlap = iou(corners, boxes)
    visible = box_area(np.clip(boxes, 0, 1)) / np.maximum(box_area(boxes), 1e-12)
    asked = (visible > 0.6) & (np.sqrt(box_area(boxes)) > LEAST_SIDE)
    label[(overlap[:, ~asked] > 0.15).any(axis=1)] = -1
    if not asked.any():
        return offsets, label
    overlap = np.where(asked, overlap, -1)
    owner, best = overlap.argmax(axis=1), overlap.max(axis=1)
    label[(best > MATCH - 0.1) & (best <= MATCH)] = -1
    label[best > MATCH] = 1
    for k in np.flatnonzero(asked):
        nearest = overlap[:, k].argmax()
        owner[nearest], label[nearest] = k, 1
    offsets[:] = encode(boxes[owner], prior)
    return offsets, label


def judged(
    boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Rows of the boxes that stand after suppression with whether each is a hit (half overlap with a face that no
    better box has), and the overlaps of the hits."""
    rows = np.flatnonzero(scores > 0.05)
    rows = rows[nms(boxes[rows], scores[rows], 0.3)]
    hit, overlaps, free = np.zeros(len(rows), bool), [], np.ones(len(truth), bool)
    for k, row in enumerate(rows):
        overlap = np.where(free, iou(boxes[row : row + 1], truth)[0], 0) if len(truth) else np.zeros(1)
        if overlap.max() >= 0.5:
            hit[k] = True
            free[overlap.argmax()] = False
            overlaps.append(overlap.max())
    return (rows, hit), np.array(overlaps)


def average_precision(scores: np.ndarray, hits: np.ndarray, faces: int) -> float:
    """Area under precision over recall, precision taken as the best at that recall or beyond."""
    hits = hits[np.argsort(-scores, kind="stable")]
    recall = np.cumsum(hits) / max(faces, 1)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * precision).sum())
