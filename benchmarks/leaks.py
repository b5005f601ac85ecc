"""What it takes to compare a training set with a benchmark: time and memory for hashes drawn at random.

    python -m benchmarks.leaks [--training 100000] [--benchmark 2000]

Both sides are noise, so that no pair is near: what is timed is what grows with the product of the two. Seconds of one
thread; the memory is the largest of the process.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from pipeline.datasets.likeness import PATCH, SIDE, matches, middle, views


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--training", type=int, default=100_000, help="pictures, each with a face")
    parser.add_argument("--benchmark", type=int, default=2_000, help="pictures, each with a face")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    ours = rng.integers(0, 256, (options.training, SIDE, SIDE), dtype=np.uint8)
    theirs = rng.integers(0, 256, (options.benchmark, PATCH, PATCH), dtype=np.uint8)
    for name, prepare in (("pictures", middle), ("faces, 27 squares each", views)):
        start, spent = time.perf_counter(), time.process_time()
        found = sum(1 for _ in matches(ours, prepare(theirs), (48, 72), 0.8))
        wall, spent = time.perf_counter() - start, time.process_time() - spent
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:24}{wall:8.1f} s, {spent:.1f} of the processor, {found} found, {memory:.0f} MB")


if __name__ == "__main__":
    main()
