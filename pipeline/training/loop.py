"""The training loop of every network: read it from top to bottom.

A run is a function of (settings, task, seed): batches, learning rate and order depend on the number of the update
alone. So a run that was killed at any moment goes on from its last state and ends with the same bytes as one that was
left alone (on one machine and thread count).
"""

from __future__ import annotations

import copy
import json
import math
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from pipeline.config import TrainingSettings
from pipeline.io.files import write_text
from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.training.checkpoints import discard_state, load_state, save_state, save_weights
from pipeline.training.interruption import Termination
from pipeline.training.optim import learning_rate, make_optimiser, total_updates
from pipeline.training.precision import Precision, choose, prepare_process
from pipeline.training.progress import Board, Progress
from pipeline.training.statistics import recalibrate

WEIGHTS_NAME = "weights.safetensors"
HISTORY_NAME = "history.jsonl"


class Task(Protocol):
    """What is trained on what. ``samples`` is the size of the training split, which gives an epoch its length."""

    samples: int

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """The batch of one update: CPU tensors, a pure function of (seed, update). Called from another thread."""

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """Forward pass (under autocast, model in training mode) and named losses of a batch on the device."""

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Figures on a held-out part of the training split, model in evaluation mode, without gradients, under
        autocast; the lowest "selection" decides which weights are kept, without one the last are."""


@dataclass(frozen=True)
class Trained:
    """What a run leaves behind, beside its files: ``model`` holds the selected weights, on the CPU."""

    history: list[dict[str, Any]]
    selected: dict[str, Any]
    sha256: str
    run: dict[str, Any]


def train(
    model: torch.nn.Module,
    task: Task,
    settings: TrainingSettings,
    *,
    state_dir: Path,
    out_dir: Path,
    key: str,
    metadata: dict[str, Any] | None = None,
) -> Trained:
    """Train ``model`` (initialised, on the CPU) and write weights.safetensors and history.jsonl to ``out_dir``.

    Args:
        state_dir: where the resumable state lives; no declared output, removed when the run has ended.
        key: digest of configuration, data and code; a state with another key is not resumed.
        metadata: goes into the weights file.

    Raises FacemillError for a loss that is not finite; SystemExit(143) after SIGTERM, when the state is saved.
    """
    prepare_process(settings.threads)
    precision = choose(settings, model)
    updates = total_updates(settings, task.samples)
    model.to(precision.device, memory_format=precision.layout)
    run = _Run(model, settings)
    state = load_state(state_dir, key)
    if state is not None:
        run.restore(state)
    progress = Progress(updates, run.update, settings.batch_size)
    board = Board(state_dir / "tensorboard", settings.tensorboard)
    terminated = Termination()
    with terminated:
        for batch in _batches(task, run.update, updates):
            rate = learning_rate(run.update, updates, task.samples / settings.batch_size, settings)
            losses = _step(run, task, batch, rate, precision)
            if run.update % settings.log_every == 0 or run.update == updates:
                record = run.log(losses, rate)
                progress.line(run.update, f"loss {record['loss']:.5f}")
                board.scalars(run.update, {**record["parts"], "lr": rate})
            if run.update == updates and settings.recalibrate:
                further = _batches(task, updates, updates + settings.recalibrate)
                recalibrate(
                    run.averaged, lambda batch: _losses(run.averaged, task, batch, precision), further
                )
            if run.update % settings.validate_every == 0 or run.update == updates:
                figures = run.select(_validate(run.averaged, task, precision))
                progress.line(run.update, "  ".join(f"{name} {value:.5f}" for name, value in figures.items()))
                board.scalars(run.update, figures)
            if terminated or run.update % settings.save_every == 0:
                save_state(state_dir, key, run.state())
            if terminated:
                raise SystemExit(128 + signal.SIGTERM)
    board.close()
    model.load_state_dict(run.best["weights"])
    model.to("cpu", memory_format=torch.contiguous_format).eval()
    sha256 = save_weights(out_dir / WEIGHTS_NAME, model.state_dict(), metadata or {})
    write_text(out_dir / HISTORY_NAME, "".join(json.dumps(record) + "\n" for record in run.history))
    discard_state(state_dir)
    selected = {"update": run.best["update"], **run.best["figures"]}
    measured = {"seconds": progress.seconds, "updates_here": updates - progress.done, **precision.describe()}
    return Trained(run.history, selected, sha256, measured)


class _Run:
    """Everything that changes during a run, and all that its state file holds."""

    def __init__(self, model: torch.nn.Module, settings: TrainingSettings) -> None:
        self.model = model
        self.settings = settings
        self.optimiser = make_optimiser([p for p in model.parameters() if p.requires_grad], settings)
        self.averaged = copy.deepcopy(model) if settings.ema else model
        self.update = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {"update": 0, "figures": {}, "weights": {}}

    def average(self) -> None:
        """Let the averaged weights follow the model's, sooner at the beginning of a run."""
        if not self.settings.ema:
            return
        decay = min(self.settings.ema, (1 + self.update) / (10 + self.update))
        for mean, value in zip(
            self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def log(self, losses: Losses, rate: float) -> dict[str, Any]:
        """Append the losses of the last batch to the history."""
        parts = {name: float(value.detach()) for name, value in losses.parts.items()}
        self.history.append(
            {"update": self.update, "lr": rate, "loss": float(losses.total.detach()), "parts": parts}
        )
        return self.history[-1]

    def select(self, figures: dict[str, float]) -> dict[str, float]:
        """Append a validation to the history; keep the weights if they are the best so far."""
        self.history.append({"update": self.update, "validation": figures})
        before = self.best["figures"].get("selection", math.inf)
        if figures.get("selection", -math.inf) < before or not self.best["weights"]:
            weights = {name: value.detach().clone() for name, value in self.averaged.state_dict().items()}
            self.best = {"update": self.update, "figures": figures, "weights": weights}
        return figures

    def state(self) -> dict[str, Any]:
        """All of it, for ``save_state``."""
        return {
            "update": self.update,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict() if self.settings.ema else {},
            "optimiser": self.optimiser.state_dict(),
            "history": self.history,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of ``state``."""
        self.update, self.history, self.best = state["update"], state["history"], state["best"]
        self.model.load_state_dict(state["model"])
        if self.settings.ema:
            self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])


def _step(run: _Run, task: Task, batch: dict[str, torch.Tensor], rate: float, precision: Precision) -> Losses:
    """One update; the number of the update counts up at its end."""
    run.model.train()
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    losses = _losses(run.model, task, batch, precision)
    total = losses.total
    if not torch.isfinite(total):
        raise FacemillError(
            f"training diverged: the loss of update {run.update + 1} is {total.item()}; expected a finite number. "
            "Try a lower rate: --set training.lr=..."
        )
    run.optimiser.zero_grad(set_to_none=True)
    total.backward()
    if run.settings.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), run.settings.clip_norm)
    run.optimiser.step()
    run.update += 1
    run.average()
    return losses


def _losses(
    model: torch.nn.Module, task: Task, batch: dict[str, torch.Tensor], precision: Precision
) -> Losses:
    with precision.autocast():
        return task.loss(model, {name: precision.place(tensor) for name, tensor in batch.items()})


def _batches(task: Task, first: int, updates: int) -> Iterator[dict[str, torch.Tensor]]:
    """The batches of updates ``first`` to ``updates`` - 1, each made while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(task.batch, first) if first < updates else None
        for update in range(first, updates):
            batch = following.result()
            if update + 1 < updates:
                following = pool.submit(task.batch, update + 1)
            yield batch


@torch.no_grad()
def _validate(model: torch.nn.Module, task: Task, precision: Precision) -> dict[str, float]:
    model.eval()
    with precision.autocast():
        return task.validate(model)
