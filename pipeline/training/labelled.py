"""Pictures with the landmarks of their faces, in memory, for the networks that the package ships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config import TrainingSettings
from pipeline.datasets.base import AnnotationProblem, Reader
from pipeline.datasets.plausible import checked
from pipeline.io.images import UnreadablePicture, read_picture
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError
from pipeline.seeding import rng, seed_of
from pipeline.training.batches import chosen


@dataclass(frozen=True, eq=False)
class Labelled:
    """One picture: `image` (h, w, 3) uint8 RGB and the landmarks of its n faces (n, 68, 2) in its pixels."""

    id: str
    image: np.ndarray
    landmarks: np.ndarray


def labelled_pictures(
    rows: Iterable[Mapping[str, str]], root: Path, reader: Reader, model: MorphableModel
) -> Iterable[Labelled]:
    """The pictures of a source table one by one; a picture that cannot be read, or with an annotation that gives
    no landmarks, is left out."""
    for row in rows:
        try:
            image = read_picture(root / row["path"])
            faces = [
                checked(reader.annotation(root / path, image.shape[0]), model, path).landmarks(model)[:, :2]
                for path in filter(None, row["annotations"].split(";"))
            ]
        except (UnreadablePicture, AnnotationProblem):
            continue
        landmarks = np.asarray(faces, np.float32).reshape(-1, 68, 2)
        yield Labelled(row["id"], image, landmarks)


def split(ids: list[str], share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers for training and for validation, a picture's rows all on one side, by a hash of its id."""
    held_out = np.array([seed_of(seed, "validation", name) % 10_000 < share * 10_000 for name in ids], bool)
    if held_out.all() or not held_out.any():
        raise FacemillError(f"expected pictures on both sides of a {share:g} split; found {len(ids)} in all")
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


class PictureTask:
    """What the tasks that learn from labelled pictures share: a split by picture, and the rows of each update."""

    def __init__(self, training: TrainingSettings, seed: int):
        self.training, self.seed = training, seed

    def divide(self, ids: list[str], share: float) -> None:
        """Set `rows` to train on, `held_out` and `samples` for rows of the pictures `ids`, `share` of them held out."""
        self.rows, self.held_out = split(ids, share, self.seed)
        self.samples = len(self.rows)

    def draw(self, update: int) -> tuple[np.ndarray, np.random.Generator]:
        """The rows of update number `update`, and the generator of its augmentation."""
        positions = chosen(update, self.training.batch_size, self.samples, self.seed)
        return self.rows[positions], rng(self.seed, "batch", update)

    def held_out_rows(self) -> Iterator[np.ndarray]:
        """The held-out rows, 32 at a time."""
        for start in range(0, len(self.held_out), 32):
            yield self.held_out[start : start + 32]
