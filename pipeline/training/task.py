"""What every training task that learns from packs begins with: its data, and which faces make an update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.config import TrainingSettings
from pipeline.losses.base import Losses
from pipeline.models.inputs import network_input, network_points
from pipeline.morphable import MorphableModel
from pipeline.seeding import rng, seed_of
from pipeline.targets.base import Target
from pipeline.training.augment import Similarity, draw_similarity, recoloured
from pipeline.training.batches import Packs, Sample, chosen

AUGMENT = "augment"
"""The random numbers that change the labelled faces."""


@dataclass(frozen=True, eq=False)
class Setup:
    """What a task is made from.

    Attributes:
        packs, held_out: of the training split, and of the part of it that selects (may be empty).
        unlabelled: faces whose truth a task does not look at; None: those of `packs`.
        size: the side S of the network's input.
        padding: what augmentation shows beyond a crop's border, as the frame has it.
        channels: of the network's input.
        points: whether the network takes the detected landmarks too.
    """

    packs: Packs
    held_out: Packs
    unlabelled: Packs | None
    face: MorphableModel
    target: Target
    training: TrainingSettings
    seed: int
    size: int
    padding: str = "reflect"
    channels: int = 3
    points: bool = False


class PackTask:
    """A `training.loop.Task` on packs. Subclasses say what a batch holds, what it costs and how it is judged.

    Attributes:
        share: rank and number of the processes that make a batch together; the loop sets it before the first batch.
        critic: a discriminator that learns beside the network, if the task has one.
    """

    share: tuple[int, int] = (0, 1)
    critic: torch.nn.Module | None = None

    def __init__(self, setup: Setup):
        self.setup = setup
        self.packs, self.held_out = setup.packs, setup.held_out
        self.training, self.seed, self.size = setup.training, setup.seed, setup.size
        self.samples = len(self.packs)

    def require(self, network: torch.nn.Module) -> None:
        """`FacemillError` where the network cannot learn this task; most fit."""

    def prepare(self, network: torch.nn.Module) -> None:
        """Give a network that has learnt nothing yet what it must know of its training data; most need nothing."""

    def picks(
        self, update: int, name: str = AUGMENT, samples: int | None = None
    ) -> list[tuple[int, np.random.Generator]]:
        """The samples of one update that fall to this process, each with the generator of its augmentation; those of
        another ``name`` come from as many ``samples`` in an order of their own."""
        rank, processes = self.share
        order = self.seed if name == AUGMENT else seed_of(name, self.seed)
        rows = chosen(update, self.training.batch_size, samples or self.samples, order)
        return [
            (row, rng(name, self.seed, update, place))
            for place, row in enumerate(rows)
            if place % processes == rank
        ]

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """The batch of one update: CPU tensors."""
        raise NotImplementedError

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """The named losses of a batch."""
        raise NotImplementedError

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Figures of the held-out faces."""
        raise NotImplementedError

    def augmented(self, sample: Sample, random: np.random.Generator) -> tuple[np.ndarray, Similarity]:
        """The changed crop of a sample (F, F, C) uint8, and the similarity that its truth has to follow."""
        similarity = draw_similarity(self.training.augment, random)
        image = similarity.apply_to_crop(sample.image, self.setup.padding)
        return recoloured(image, self.training.augment, random), similarity

    def image(self, crop: np.ndarray) -> np.ndarray:
        """A crop (F, F, C) uint8 as the network sees it, (C, S, S) float32 in [0, 1]."""
        return network_input(crop, self.size, self.setup.channels)

    def points(self, points: np.ndarray, side: int) -> np.ndarray:
        """Detected landmarks (68, 2) px of a crop with this side, as the network sees them: px of its S x S input."""
        return network_points(points, side, self.size)

    def held_out_answers(
        self, model: torch.nn.Module
    ) -> Iterator[tuple[list[Sample], torch.Tensor | dict[str, torch.Tensor]]]:
        """The held-out samples, a batch at a time, and what the network answers, float32 on its
        device."""
        device = next(model.parameters()).device
        predict = getattr(model, "predict", model)
        for start in range(0, len(self.held_out), self.training.batch_size):
            rows = range(start, min(start + self.training.batch_size, len(self.held_out)))
            samples = [self.held_out.sample(row) for row in rows]
            inputs = [torch.from_numpy(np.stack([self.image(s.image) for s in samples])).to(device)]
            if self.setup.points:
                known = np.stack([self.points(s.points, len(s.image)) for s in samples])
                inputs.append(torch.from_numpy(known).to(device))
            answer = predict(*inputs)
            if isinstance(answer, dict):
                yield samples, {name: value.float() for name, value in answer.items()}
            else:
                yield samples, answer.float()
