"""Batch-norm statistics made anew: a short run's own lag behind its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


def batch_norms(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The batch norms of a model, in its order."""
    return [layer for layer in model.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]


@torch.no_grad()
def recalibrate(model: torch.nn.Module, forward: Callable[[Any], object], batches: Iterable[Any]) -> None:
    """Set the running mean and variance of every batch norm to their plain means over ``batches``; those of a part that
    a network keeps in evaluation mode stay.

    ``forward`` runs the model, in training mode, on one of them. The momenta stay what they were.
    """
    model.train()
    layers = [layer for layer in batch_norms(model) if layer.training]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    for batch in batches:
        forward(batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
