"""Time and memory of the volume loss beside torch's own on a dense target, and of reading faces out of volumes.

    python -m benchmarks.volumes [--size 96] [--batch 8] [--rounds 9] [--threads 1]

Both losses in one run, in turn: forward and backward on the same logits. "dense" has its float target ready; "made"
makes it first, as a loader would have to. Memory is what a process needed beyond the logits at its highest point, each
loss in a process of its own (Linux).
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from pipeline.evaluation.register import MeanMesh
from pipeline.geometry.volume import SHAPE, expand_columns
from pipeline.losses.volume import Occupancy, volume_entropy
from pipeline.morphable import load_face_model
from pipeline.training.precision import prepare_process

RUNS, SEVERAL = 7, 0.004
"""Runs of the fullest column of a batch of procedural faces, and the share of columns with more than one."""


def losses(size: int, batch: int) -> dict[str, Callable[[], None]]:
    """Name -> one forward and backward pass on the same logits and runs."""
    depth = SHAPE[0] * size // SHAPE[1]
    generator = torch.Generator().manual_seed(0)
    logits = (4 * torch.randn(batch, depth, size, size, generator=generator)).requires_grad_()
    first = depth * (0.2 + 0.2 * torch.rand(batch, 1, size, size, generator=generator))
    runs = torch.zeros(batch, RUNS, size, size, 2)
    runs[:, :1] = torch.stack([first, first + 0.3 * depth], dim=-1)
    several = torch.rand(batch, size, size, generator=generator) < SEVERAL
    for later in range(1, RUNS):
        runs[:, later][several] = depth * (0.7 + 0.04 * later + torch.tensor([0.0, 0.02]))
    ready: list[torch.Tensor] = []

    def dense(target: torch.Tensor) -> None:
        F.binary_cross_entropy_with_logits(logits, target).backward()

    def from_ready() -> None:
        if not ready:
            ready.append(Occupancy(runs).of(0, depth))
        dense(ready[0])

    return {
        "runs": lambda: volume_entropy(logits, runs).backward(),
        "dense": from_ready,
        "made": lambda: dense(Occupancy(runs).of(0, depth)),
    }


def peak_of(name: str, size: int, batch: int) -> float:
    """MB that one pass of a loss needs beyond the process with its logits, the gradient included."""
    torch.set_num_threads(1)
    losses(24, 1)[name]()
    call = losses(size, batch)[name]
    Path("/proc/self/clear_refs").write_text("5")
    before = _held("VmRSS")
    call()
    return (_held("VmHWM") - before) / 1024


def _held(name: str) -> int:
    """A line of this process's status, kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Print a line for each loss, and one for registration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("size", 96), ("batch", 8), ("rounds", 9), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    prepare_process(options.threads)
    passes = losses(options.size, options.batch)
    times: dict[str, list[float]] = {name: [] for name in passes}
    for round_number in range(options.rounds + 1):
        for name, call in passes.items():
            begun = time.process_time()
            call()
            if round_number:
                times[name].append(1000 * (time.process_time() - begun))
    medians = {name: float(np.median(found)) for name, found in times.items()}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        peaks = pool.starmap(peak_of, [(name, options.size, options.batch) for name in passes], chunksize=1)
    for (name, median), peak in zip(medians.items(), peaks, strict=True):
        share = median / medians["dense"]
        print(
            f"{name:6s} processor {median:7.1f} ms  {share:5.2f} of torch's on a ready target  peak {peak:7.1f} MB"
        )
    columns = np.zeros((192, 192, 2), np.uint8)
    y, x = np.mgrid[:192, :192]
    reach = 70 * np.sqrt(np.maximum(0, 1 - ((x - 96) / 55) ** 2 - ((y - 96) / 75) ** 2))
    columns[..., 0], columns[..., 1] = np.rint(100 - reach), np.rint(100 + reach)
    volume, mesh = expand_columns(columns), MeanMesh(load_face_model("procedural"))
    found = []
    for _ in range(options.rounds):
        begun = time.process_time()
        mesh.register(volume)
        found.append(1000 * (time.process_time() - begun))
    print(f"register a mesh to a volume  processor {np.median(found):7.1f} ms")


if __name__ == "__main__":
    main()
