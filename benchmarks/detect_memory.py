"""Peak memory of each part of `benchmarks.detect` on one large photo, each in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.detect_parts import LARGE, Part, parts
from pipeline.records import FacemillError

SMALL = 450
MIB = 1024**2


def peak() -> float:
    """The most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def large_photo(options: argparse.Namespace, number: int) -> tuple[float, float]:
    """Peak in MB with the photo read, and after one part (its place in the list) has worked on it."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        part = parts(options, Path(folder))[number]
        call = part.build(1)
        call([np.zeros((SMALL, SMALL, 3), np.uint8)])
        width, height = part.photo
        picture = np.full((height, width, 3), 128, np.uint8)
        before = peak()
        call([picture])
        return before, peak()


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, in a new process; FacemillError when that ends without an answer."""
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(function, *arguments).result()
    except BrokenProcessPool as problem:
        raise FacemillError(
            "its process ended without an answer, as one does that runs out of memory"
        ) from problem


def memory(options: argparse.Namespace) -> None:
    """Print the peak of each part. A process begins with the peak of the one that starts it, so this comes before
    anything that takes memory."""
    print("MB at the peak, MB with the photo read, and what the part added in times the photo's own bytes:")
    with TemporaryDirectory() as folder:
        found = parts(options, Path(folder))
    for number, part in enumerate(found):
        if not isinstance(part, Part) or part.photo is None:
            continue
        name = f"{part.name} ({part.weights})"
        try:
            print(line(name, part.photo, *alone(large_photo, options, number)), flush=True)
        except FacemillError as problem:
            print(f"{name:58s} not measured: {problem}", flush=True)


def line(name: str, photo: tuple[int, int], before: float, most: float) -> str:
    """The figures of one part; of a smaller photo with what its pixels would make of 6000 x 4000."""
    width, height = photo
    times = (most - before) * MIB / (3 * width * height)
    text = f"{name:58s} {most:8.0f} {before:8.0f} {times:8.1f} x at {width} x {height}"
    if photo == LARGE:
        return text
    scaled = before + times * 3 * LARGE[0] * LARGE[1] / MIB
    return f"{text}; by its pixels {scaled:.0f} MB at {LARGE[0]} x {LARGE[1]}"
