"""Time of a training update of PRN, and of its parts, by number format, layout and threads.

    python -m benchmarks.training [--width 16] [--size 96] [--batch 8] [--updates 12] [--threads 1]

Medians over the updates; processor time grows while other processes keep the threads waiting, wall time even more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from pipeline.config import AugmentSettings, TrainingSettings
from pipeline.losses.posmap import PosmapNorm
from pipeline.models.inputs import network_input
from pipeline.models.prn import PRN
from pipeline.seeding import rng
from pipeline.training.augment import augment
from pipeline.training.optim import make_optimiser
from pipeline.training.precision import choose, prepare_process

CROP = 192


def medians(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median milliseconds of processor and of wall time of a call, after two calls that do not count."""
    call(), call()
    times = []
    for _ in range(rounds):
        processor, wall = time.process_time(), time.perf_counter()
        call()
        times.append((time.process_time() - processor, time.perf_counter() - wall))
    processor, wall = 1000 * np.median(times, axis=0)
    return float(processor), float(wall)


def update_of(settings: TrainingSettings, width: int, size: int) -> Callable[[], None]:
    """One update on a fixed batch of noise, as the loop does it."""
    model = PRN(width=width, size=size)
    precision = choose(settings, model)
    model.to(precision.device, memory_format=precision.layout)
    optimiser = make_optimiser(list(model.parameters()), settings)
    criterion = PosmapNorm(np.ones((size, size))).to(precision.device)
    image, target = (precision.place(torch.rand(settings.batch_size, 3, size, size)) for _ in range(2))

    def update() -> None:
        with precision.autocast():
            total = criterion(model(image), target).total
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()

    return update


def batch_of(size: int, count: int) -> Callable[[], None]:
    """One augmented batch, as the task makes it beside an update."""
    random = rng("benchmark")
    image = random.integers(0, 256, (CROP, CROP, 3), dtype=np.uint8)
    positions = random.uniform(0, size, (size, size, 3)).astype(np.float32)

    def batch() -> None:
        for _ in range(count):
            crop, _ = augment(image, positions, AugmentSettings(), random)
            network_input(crop, size)

    return batch


def main() -> None:
    """Print one line for each way of computing, and one for the batches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("width", 16), ("size", 96), ("batch", 8), ("updates", 12), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    prepare_process(options.threads)
    for precision in ("fp32", "bf16"):
        for layout in ("off", "on"):
            settings = TrainingSettings(
                precision=precision, channels_last=layout, batch_size=options.batch, threads=options.threads
            )
            processor, wall = medians(update_of(settings, options.width, options.size), options.updates)
            print(
                f"{precision}  channels_last {layout:3s}  processor {processor:7.1f} ms  wall {wall:7.1f} ms  "
                f"{1000 * options.batch / wall:6.1f} samples/s"
            )
    processor, wall = medians(batch_of(options.size, options.batch), options.updates)
    print(f"batch of {options.batch}           processor {processor:7.1f} ms  wall {wall:7.1f} ms")


if __name__ == "__main__":
    main()
