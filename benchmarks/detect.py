"""Time of detection and labelling on one thread, and the memory that a photo of 6000 x 4000 pixels takes.

python -m benchmarks.detect [--weights shipped] [--boxes FILE] [--labeller FILE] [--statistics FILE] [--face FILE]

The pictures are 450 x 450 with one face to mark in each. Published networks are timed with their files where these are
given or in torch's cache, else with random weights (`benchmarks.detect_parts`); what cannot be measured says why. About
three minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch

from benchmarks.detect_memory import memory
from benchmarks.detect_parts import BATCHES, Absent, parts
from pipeline.records import FacemillError

SIDE = 450
LEAST_PICTURES = 2
LEAST_ROUNDS, MOST_ROUNDS, SECONDS = 2, 10, 2.0


def milliseconds(call: Callable[[], object], count: int) -> float:
    """Least processor time of several calls, divided by the number of things that a call handles."""
    times: list[float] = []
    while len(times) < LEAST_ROUNDS or (len(times) < MOST_ROUNDS and sum(times) < SECONDS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times) / count


def times(options: argparse.Namespace) -> None:
    """Print milliseconds and images a second and core of each part and batch, and its time as a multiple of the first
    line's."""
    rng = np.random.default_rng(0)
    blobs = [rng.integers(0, 256, (30, 30, 3), np.uint8) for _ in range(BATCHES[-1])]
    pictures = [cv2.resize(blob, (SIDE, SIDE)) for blob in blobs]
    first = None
    print("Processor time a picture, pictures a second and core, and the time in times the first line's:")
    with TemporaryDirectory() as folder:
        for part in parts(options, Path(folder)):
            if isinstance(part, Absent):
                print(f"{part.name:58s} {part.why}", flush=True)
                continue
            for batch in part.batches:
                name = f"{part.name} ({part.weights}), batch {batch}" if part.weights else part.name
                shown = pictures[: max(batch, LEAST_PICTURES)]
                try:
                    call = part.build(batch)
                    spent = milliseconds(lambda call=call, shown=shown: call(shown), len(shown))
                except FacemillError as problem:
                    print(f"{name:58s} not measured: {problem}", flush=True)
                    continue
                first = first or spent
                speed = f"{spent:10.3f} ms {1000 / spent:10.1f} a second and core {spent / first:8.2f} x"
                print(f"{name:58s} {speed}", flush=True)


def main() -> None:
    """Print one line for each part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="shipped", help="of our landmark network")
    parser.add_argument("--boxes", help="FaceBoxesProd.pth")
    parser.add_argument("--labeller", help="a checkpoint as mb05_120x120.pth; with --statistics and --face")
    parser.add_argument("--statistics", help="its mb05_param_mean_std.npz")
    parser.add_argument("--face", help="a face model as bfm_sim.npz")
    options = parser.parse_args()
    if options.labeller and not (options.statistics and options.face):
        parser.error("--labeller needs --statistics and --face")
    torch.set_num_threads(1)
    memory(options)
    times(options)


if __name__ == "__main__":
    main()
