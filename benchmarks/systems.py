"""Samples per second of every system, training and answering, beside what the machine's arithmetic could do.

    python -m benchmarks.systems [--configfile FILE]... [--set KEY=VALUE]... [--model prn]... [--batch N] [--seconds 3]
        [--precision fp32 bf16] [--workers N]

Of each model of the config whose packs have been made: an update (forward pass, losses, backward pass, optimiser) on
batches that lie on the device already, and answers to as many faces; the median of all rounds within --seconds. The
training loop adds the batches' way to the device, a check of each loss, and validations. Operations are counted by
torch (multiplications and additions of convolutions and products, forward and backward); the share is that of the rate
at which the same device multiplies two large matrices in the same number format, measured first. Memory is the most
that torch held during updates, the batches with it (GPU only). --workers N adds how many samples a second N processes
make ready.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from pipeline.jobs import job, use_this_interpreter
from pipeline.stages.train import Prepared, prepare
from pipeline.training.checkpoints import parameter_count
from pipeline.training.precision import Precision, choose, prepare_process
from pipeline.training.prefetch import Prefetch
from pipeline.training.run import Run
from pipeline.verbs.chain import expanded
from pipeline.verbs.options import add_config_options, load_config

BATCHES = 3  # that the rounds take in turn, so that no cache holds their data
SIDES = {"cuda": 8192, "cpu": 2048}
WARM = 3  # rounds that do not count


@dataclass(frozen=True)
class Figures:
    """What was measured of one system in one number format."""

    name: str
    precision: str
    parameters: int
    side: int
    batch: int
    operations: float
    training: float
    share: float
    memory: float
    answers: float
    made: float | None

    HEADS = (
        "system",
        "numbers",
        "parameters",
        "input, px",
        "batch",
        "GFLOP an update and sample",
        "training, samples/s",
        "share of the ceiling, %",
        "memory, GiB",
        "answers, faces/s",
        "batches made, samples/s",
    )

    def cells(self) -> list[str]:
        """The cells of the row."""
        made = "" if self.made is None else f"{self.made:,.0f}"
        return [
            f"`{self.name}`",
            self.precision,
            f"{self.parameters:,}",
            str(self.side),
            str(self.batch),
            f"{self.operations / 1e9:.2f}",
            f"{self.training:,.0f}",
            f"{100 * self.share:.1f}",
            f"{self.memory:.1f}",
            f"{self.answers:,.0f}",
            made,
        ]


def seconds_of(call: Callable[[], object], device: str, budget: float) -> float:
    """The median wall-clock time of a call, of as many as fit into ``budget`` seconds, three at least; after some that
    do not count."""

    def timed() -> float:
        _wait(device)
        begun = time.perf_counter()
        call()
        _wait(device)
        return time.perf_counter() - begun

    for _ in range(WARM):
        timed()
    times, end = [], time.perf_counter() + budget
    while len(times) < 3 or time.perf_counter() < end:
        times.append(timed())
    return float(np.median(times))


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def ceilings(device: str, budget: float) -> dict[str, float]:
    """Operations a second of a large matrix product by number format ("fp32": without TF32), and "copy", the bytes a
    second that a copy reads and writes."""
    side = SIDES[device]
    found = {}
    for name, number in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        left, right = (torch.randn(side, side, device=device, dtype=number) for _ in range(2))
        found[name] = 2 * side**3 / seconds_of(lambda a=left, b=right: a @ b, device, budget)
    source = torch.randn(side, side, device=device)
    to = torch.empty_like(source)
    found["copy"] = 2 * source.nbytes / seconds_of(lambda: to.copy_(source), device, budget)
    return found


def measure(
    name: str, prepared: Prepared, number_format: str, budget: float, ceiling: float, workers: int
) -> Figures:
    """One system in one number format."""
    network, task = prepared.network, prepared.task
    settings = task.training.model_copy(update={"precision": number_format})
    precision = choose(settings, network)
    for module in filter(None, (network, task.critic)):
        module.to(precision.device, memory_format=precision.layout).train()
    run = Run(network, task.critic, settings)
    batches = [
        {key: precision.place(value) for key, value in task.batch(update).items()}
        for update in range(BATCHES)
    ]
    turn = itertools.cycle(batches)

    def update() -> None:
        with precision.autocast():
            losses = task.loss(network, next(turn))
        run.forget_gradients()
        losses.total.backward()
        run.step()

    with FlopCounterMode(display=False) as counter:
        update()
    if precision.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = seconds_of(update, precision.device, budget)
    memory = torch.cuda.max_memory_allocated() if precision.device == "cuda" else 0
    network.eval()
    given = [batches[0]["image"], *([batches[0]["points"]] if getattr(network, "points", False) else [])]
    answering = seconds_of(lambda: _answer(network, given, precision), precision.device, budget)
    return Figures(
        name,
        number_format,
        parameter_count(network),
        network.size,
        settings.batch_size,
        counter.get_total_flops() / settings.batch_size,
        settings.batch_size / seconds,
        counter.get_total_flops() / seconds / ceiling,
        memory / 2**30,
        settings.batch_size / answering,
        made_by(prepared, workers, budget) if workers else None,
    )


@torch.inference_mode()
def _answer(network: torch.nn.Module, given: list[torch.Tensor], precision: Precision) -> None:
    with precision.autocast():
        getattr(network, "predict", network)(*given)


def made_by(prepared: Prepared, workers: int, budget: float) -> float:
    """Samples a second that ``workers`` processes make ready."""
    with Prefetch(prepared.task, workers) as ahead:
        made = ahead.batches(0, 1_000_000)
        for _ in range(2 * workers):
            next(made)
        begun, count = time.perf_counter(), 0
        while time.perf_counter() < begun + budget:
            next(made)
            count += 1
        return count * prepared.task.training.batch_size / (time.perf_counter() - begun)


def main() -> None:
    """Print the ceilings, then a row for each system and number format as soon as it is measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_options(parser)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["bf16"])
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    use_this_interpreter()
    prepare_process(int(os.environ.get("OMP_NUM_THREADS", "1")))
    config = load_config(options)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    limits = ceilings(device, min(options.seconds, 1.0))
    where = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(
        f"{where}: matrix products {limits['fp32'] / 1e12:.3g} TFLOP/s in float32, {limits['bf16'] / 1e12:.3g} in "
        f"bf16; copies {limits['copy'] / 1e12:.3g} TB/s",
        flush=True,
    )
    print("| " + " | ".join(Figures.HEADS) + " |\n|" + "---|" * len(Figures.HEADS), flush=True)
    for name in options.model or config.models:
        todo = job(config, "train", model=name, seed=0)
        for number_format in options.precision:
            system = prepare(expanded(todo.inputs), todo.all_settings, 0, f"models.{name}")
            if options.batch:
                system.task.training = system.task.training.model_copy(update={"batch_size": options.batch})
            figures = measure(
                name, system, number_format, options.seconds, limits[number_format], options.workers
            )
            print("| " + " | ".join(figures.cells()) + " |", flush=True)


if __name__ == "__main__":
    main()
