"""Several processes that train one network together, started by torchrun: who is who, and what they agree on.

Each makes its share of every batch and takes the gradients of its losses; these are averaged, so that all take the same
step from the same weights. One all-reduce a step does that, without the wrapper of torch's DistributedDataParallel,
which hides a network's own methods from its task.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
import torch.distributed as dist

from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.training.statistics import batch_norms

PATIENCE = datetime.timedelta(days=1)
"""How long a process waits for another, as the others do while the first one validates; torchrun ends all of them
when one dies."""


@dataclass(frozen=True)
class Processes:
    """This process among all that train together: ``rank`` from 0, ``world`` of them. Of one alone, every mean is the
    value itself. A method is called by all of them, in the same order."""

    rank: int = 0
    world: int = 1
    device: str = "cpu"

    @property
    def lead(self) -> bool:
        """Whether this is the one that validates, logs, saves and writes."""
        return self.rank == 0

    def refuse(self, problem: str) -> NoReturn:
        """End all processes, each of which found the same problem: the first says so, by FacemillError, the others
        leave by SystemExit(0)."""
        raise FacemillError(problem) if self.lead else SystemExit(0)

    def share_out(self, task: Any) -> None:
        """Tell a task which share of each batch it makes: its attribute ``share`` becomes (rank, world).

        Raises FacemillError for a task that cannot be shared.
        """
        if self.world == 1:
            return
        if not hasattr(task, "share"):
            self.refuse(
                f"training.processes: expected 1 for the task {type(task).__name__}, which makes whole batches only, "
                f"found {self.world}; set training.processes=1"
            )
        task.share = (self.rank, self.world)

    def average_losses(self, losses: Losses) -> Losses:
        """The parts' means over all processes, for the log; every process has the same parts."""
        if self.world == 1:
            return losses
        values = torch.stack([value.detach().float() for value in losses.parts.values()])
        return Losses(dict(zip(losses.parts, self._mean(values), strict=True)))

    def average_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Give every parameter its mean gradient, counted as zero where a process has none; one that has none in any
        process keeps none."""
        if self.world == 1:
            return
        known = [parameter.grad is not None for parameter in parameters]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat(
            [grad.reshape(-1) for grad in grads] + [torch.tensor(known, device=self.device).float()]
        )
        *means, known_somewhere = self._mean(flat).split([grad.numel() for grad in grads] + [len(grads)])
        for parameter, grad, mean, somewhere in zip(
            parameters, grads, means, known_somewhere.tolist(), strict=True
        ):
            parameter.grad = grad.copy_(mean.view_as(grad)) if somewhere else None

    def average_statistics(self, *models: torch.nn.Module) -> None:
        """Give the batch norms of models their mean running statistics. These follow linearly from the batches', so
        it is enough to do it before they are used or saved."""
        layers = [layer for model in models for layer in batch_norms(model) if layer.track_running_stats]
        if self.world == 1 or not layers:
            return
        buffers = [buffer for layer in layers for buffer in (layer.running_mean, layer.running_var)]
        means = self._mean(torch.cat(buffers)).split([len(buffer) for buffer in buffers])
        for buffer, mean in zip(buffers, means, strict=True):
            buffer.copy_(mean)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in some process."""
        return (
            flag if self.world == 1 else bool(self._mean(torch.tensor([float(flag)], device=self.device)) > 0)
        )

    def _mean(self, values: torch.Tensor) -> torch.Tensor:
        dist.all_reduce(values)
        return values / self.world


@contextmanager
def joined(processes: int, device: str) -> Iterator[Processes]:
    """The processes that torchrun started, joined for the block; this one alone where it started none.

    Raises FacemillError where there are not as many as the settings ask for, or too few GPUs.
    """
    found = int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1
    if found != processes:
        raise FacemillError(
            f"training.processes: expected {processes} processes, found {found}; type python -m pipeline train, which "
            f"starts as many as training.processes says, or set training.processes={found}"
        )
    if processes == 1:
        yield Processes(device=device)
        return
    if device == "cuda":
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise FacemillError(
                f"training.processes: expected a GPU for each, found {torch.cuda.device_count()}; set "
                f"training.processes={torch.cuda.device_count()}"
            )
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(dist.get_rank(), processes, device)
    finally:
        dist.destroy_process_group()
