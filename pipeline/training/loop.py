"""The training loop of every network: read it from top to bottom.

A run is a function of (settings, task, seed): batches, learning rate, order and random layers depend on the number of
the update alone. So a run that was killed at any moment goes on from its last state and ends with the same bytes as one
that was left alone (on one machine, thread count and number of processes).
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from pipeline.config import TrainingSettings
from pipeline.io.files import write_text
from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.seeding import seed_of
from pipeline.training.checkpoints import discard_state, load_state, save_state, save_weights
from pipeline.training.interruption import Termination
from pipeline.training.optim import learning_rate, total_updates
from pipeline.training.precision import Precision, choose, prepare_process
from pipeline.training.prefetch import Prefetch
from pipeline.training.processes import Processes, joined
from pipeline.training.progress import Board, Progress
from pipeline.training.run import Run
from pipeline.training.statistics import recalibrate

WEIGHTS_NAME = "weights.safetensors"
HISTORY_NAME = "history.jsonl"
LONELY = "more than 1 value per channel"
"""What torch says of a batch norm over one value."""


class Task(Protocol):
    """What is trained on what. ``samples`` is the size of the training split, which gives an epoch its length.

    A task may have two more attributes: ``share``, which says that it can make a part of each batch (rank and number
    of the processes, set before the first), and ``critic``, a discriminator: a module that its losses use, which learns
    with an optimiser of its own from the same backward pass.
    """

    samples: int

    def batch(self, update: int) -> dict[str, torch.Tensor]:
        """The batch of one update: CPU tensors, a pure function of (seed, update). Called from another thread
        or process."""

    def loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        """Forward pass (under autocast, model in training mode) and named losses of a batch on the device."""

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        """Figures on a held-out part of the training split, model in evaluation mode, without gradients, under
        autocast; the lowest "selection" decides which weights are kept, without one the last are."""


@dataclass(frozen=True)
class Trained:
    """What a run leaves behind, beside its files: ``model`` holds the selected weights, on the CPU.

    ended: the update at which the run ended, its budget, and which of budget and patience ended it.
    """

    history: list[dict[str, Any]]
    selected: dict[str, Any]
    ended: dict[str, Any]
    sha256: str


def train(
    model: torch.nn.Module,
    task: Task,
    settings: TrainingSettings,
    *,
    state_dir: Path,
    out_dir: Path,
    key: str,
    seed: int = 0,
    metadata: dict[str, Any] | None = None,
) -> Trained:
    """Train ``model`` (initialised, on the CPU) and write weights.safetensors and history.jsonl to ``out_dir``.

    Args:
        state_dir: where the resumable state lives; no declared output, removed when the run has ended.
        key: digest of configuration, data and code; a state with another key is not resumed.
        seed: of layers that draw numbers, as dropout.
        metadata: goes into the weights file.

    Raises FacemillError for a loss that is not finite; SystemExit(143) after SIGTERM, when the state is saved. Of
    several processes the first alone validates, logs, saves and returns: the others end with SystemExit(0).
    """
    prepare_process(settings.threads)
    precision = choose(settings, model)
    updates = total_updates(settings, task.samples)
    with (
        Termination() as terminated,
        joined(settings.processes, precision.device) as processes,
        Prefetch(task, settings.workers, pinned=precision.device == "cuda") as ahead,
    ):
        processes.share_out(task)
        critic = getattr(task, "critic", None)
        for module in (model, critic) if critic is not None else (model,):
            module.to(precision.device, memory_format=precision.layout).train()
        run = Run(model, critic, settings)
        state = load_state(state_dir, key)
        if state is not None:
            run.restore(state)
        progress = Progress(updates, run.update, settings.batch_size, quiet=not processes.lead)
        progress.say(f"computes on {precision}")
        board = Board(state_dir / "tensorboard", settings.tensorboard and processes.lead)
        ended = run.exhausted or run.update == updates
        made = ahead.batches(run.update, updates + settings.recalibrate)
        for batch in () if ended else made:
            torch.manual_seed(seed_of("layers", seed, run.update, processes.rank) % 2**63)
            rate = learning_rate(run.update, updates, task.samples / settings.batch_size, settings)
            losses = _step(run, task, batch, rate, precision, processes)
            last = run.update == updates
            if run.update % settings.log_every == 0 or last:
                record = run.log(losses, rate)
                progress.line(run.update, f"loss {record['loss']:.5f}")
                board.scalars(run.update, {**record["parts"], "lr": rate})
            if last and settings.recalibrate:
                recalibrate(run.averaged, lambda batch: _losses(run.averaged, task, batch, precision), made)
            stopping = processes.any(bool(terminated))
            validating = run.update % settings.validate_every == 0 or last
            if validating or stopping or run.update % settings.save_every == 0:
                processes.average_statistics(*run.modules)
            if validating:
                if processes.lead:
                    figures = run.select(_validate(run.averaged, task, precision))
                    progress.line(
                        run.update, "  ".join(f"{name} {value:.5f}" for name, value in figures.items())
                    )
                    board.scalars(run.update, figures)
                ended = processes.any(processes.lead and run.exhausted)
            if processes.lead and (stopping or run.update % settings.save_every == 0):
                save_state(state_dir, key, run.state())
            if stopping:
                raise SystemExit(128 + signal.SIGTERM)
            if ended:
                break
        board.close()
    if not processes.lead:
        raise SystemExit(0)
    model.load_state_dict(run.best["weights"])
    model.to("cpu", memory_format=torch.contiguous_format).eval()
    sha256 = save_weights(out_dir / WEIGHTS_NAME, model.state_dict(), metadata or {})
    write_text(out_dir / HISTORY_NAME, "".join(json.dumps(record) + "\n" for record in run.history))
    discard_state(state_dir)
    selected = {"update": run.best["update"], **run.best["figures"]}
    end = {"update": run.update, "updates": updates, "by": "patience" if run.exhausted else "budget"}
    return Trained(run.history, selected, end, sha256)


def _step(
    run: Run,
    task: Task,
    batch: dict[str, torch.Tensor],
    rate: float,
    precision: Precision,
    processes: Processes,
) -> Losses:
    """One update; gives the losses of the whole batch. The number of the update counts up at its end."""
    run.model.train()
    run.set_rate(rate)
    losses = _losses(run.model, task, batch, precision)
    whole = processes.average_losses(losses)
    if not torch.isfinite(whole.total):
        processes.refuse(
            f"training diverged: the loss of update {run.update + 1} is {whole.total.item()}; expected a finite "
            "number. Try a lower rate: --set training.lr=..."
        )
    run.forget_gradients()
    losses.total.backward()
    processes.average_gradients(run.learning)
    run.step()
    return whole


def _losses(
    model: torch.nn.Module, task: Task, batch: dict[str, torch.Tensor], precision: Precision
) -> Losses:
    try:
        with precision.autocast():
            return task.loss(model, {name: precision.place(tensor) for name, tensor in batch.items()})
    except ValueError as error:
        if LONELY not in str(error):
            raise
        raise FacemillError(
            "training.batch_size: expected two faces or more a process, since this network has batch norms over single "
            "values; found one; set training.batch_size to twice training.processes or more"
        ) from error


@torch.no_grad()
def _validate(model: torch.nn.Module, task: Task, precision: Precision) -> dict[str, float]:
    model.eval()
    with precision.autocast():
        return task.validate(model)
