"""Optimisers and learning-rate schedules from settings."""

from __future__ import annotations

import math

import torch

from pipeline.config import TrainingSettings
from pipeline.records import FacemillError


def total_updates(settings: TrainingSettings, samples: int) -> int:
    """The budget in updates: ``updates``, or as many as ``epochs`` passes over ``samples`` need."""
    if settings.epochs is None:
        return settings.updates
    return max(1, math.ceil(settings.epochs * samples / settings.batch_size))


def make_optimiser(parameters: list[torch.nn.Parameter], settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimiser that ``settings.optimiser`` names, over the parameters that learn.

    Raises FacemillError where nothing learns.
    """
    if not parameters:
        raise FacemillError("expected a model with parameters to train, found none")
    common = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    if settings.optimiser == "adam":
        return torch.optim.Adam(parameters, fused=True, **common)
    if settings.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, momentum=settings.momentum, **common)
    return torch.optim.SGD(parameters, momentum=settings.momentum, **common)


def learning_rate(update: int, updates: int, per_epoch: float, settings: TrainingSettings) -> float:
    """Learning rate of update ``update`` (0-based) of ``updates``: a function of the update alone.

    ``constant``; ``step`` multiplies by ``step_factor`` every ``step_epochs`` epochs of ``per_epoch`` updates;
    ``cosine`` falls from ``lr`` to zero. Each begins with ``warmup`` updates of linear rise, at most a tenth of all.
    """
    warmup = min(settings.warmup, updates // 10)
    if update < warmup:
        return settings.lr * (update + 1) / warmup
    if settings.schedule == "step":
        return settings.lr * settings.step_factor ** math.floor(update / (settings.step_epochs * per_epoch))
    if settings.schedule == "cosine":
        return settings.lr * 0.5 * (1 + math.cos(math.pi * (update - warmup) / max(1, updates - warmup)))
    return settings.lr
