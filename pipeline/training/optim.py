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
        return torch.optim.Adam(parameters, amsgrad=settings.amsgrad, fused=True, **common)
    if settings.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, momentum=settings.momentum, **common)
    return torch.optim.SGD(parameters, momentum=settings.momentum, nesterov=settings.nesterov, **common)


def critic_optimiser(critic: torch.nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The Adam of a task's discriminator, at its own fixed rate (2DASL)."""
    return torch.optim.Adam(critic.parameters(), lr=settings.critic_lr, fused=True)


def learning_rate(update: int, updates: int, per_epoch: float, settings: TrainingSettings) -> float:
    """Learning rate of update ``update`` (0-based) of ``updates``: a function of the update alone.

    With e = update / per_epoch, the epochs that have passed:

    - ``constant``;
    - ``step``: ``step_factor`` once more every ``step_epochs`` epochs;
    - ``milestones``: from each of the ``milestones`` on its own of the ``milestone_factors``, or ``step_factor`` once
      more;
    - ``exponential``: ``step_factor`` to the power of e / ``step_epochs``;
    - ``cosine``: from ``lr`` to zero.

    The first ``warmup_epochs`` epochs have ``warmup_factor`` of that (SynergyNet, 3DDFA). Each begins with ``warmup``
    updates of linear rise, at most a tenth of all.
    """
    epoch = update / per_epoch
    rate = settings.lr * (settings.warmup_factor if epoch < settings.warmup_epochs else 1.0)
    warmup = min(settings.warmup, updates // 10)
    if update < warmup:
        return rate * (update + 1) / warmup
    if settings.schedule == "step":
        return rate * settings.step_factor ** math.floor(update / (settings.step_epochs * per_epoch))
    if settings.schedule == "milestones":
        passed = sum(epoch >= milestone for milestone in settings.milestones)
        left = settings.milestone_factors or [settings.step_factor**k for k in range(1, passed + 1)]
        return rate * [1.0, *left][passed]
    if settings.schedule == "exponential":
        return rate * settings.step_factor ** (epoch / settings.step_epochs)
    if settings.schedule == "cosine":
        return rate * 0.5 * (1 + math.cos(math.pi * (update - warmup) / max(1, updates - warmup)))
    return rate
