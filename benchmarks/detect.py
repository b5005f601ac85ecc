"""Time of detection on one thread: box finder and landmark finder of the shipped weights, and their parts.

python -m benchmarks.detect [--faces 64] [--weights shipped]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from pipeline.detect import heatmaps
from pipeline.detect.boxes import BoxFinder
from pipeline.detect.fan import LandmarkFinder, crop_transform
from pipeline.detect.loading import load_faceboxes, load_fan
from pipeline.geometry.resample import crop_image


def milliseconds(call: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Median processor time of a call, divided by the number of things it handles."""
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times)) / count


def main() -> None:
    """Print one line for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=64)
    parser.add_argument("--weights", default="shipped", help="of the landmark network")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (450, 450, 3), np.uint8) for _ in range(options.faces)]
    boxes = [np.array([120.0, 130.0, 330.0, 350.0]) + rng.normal(0, 10, 4) for _ in pictures]
    finder = LandmarkFinder(load_fan(options.weights))
    detector = BoxFinder(load_faceboxes())
    transforms = [crop_transform(box, finder.side) for box in boxes]
    maps = rng.random((options.faces, 68, finder.side // 4, finder.side // 4)).astype(np.float32)
    parts = {
        "boxes, a picture": lambda: detector.find(pictures),
        "landmarks, a face": lambda: finder.find(pictures, boxes),
        "  of it the crop": lambda: [
            crop_image(p, t, "zero") for p, t in zip(pictures, transforms, strict=True)
        ],
        "  of it the decode": lambda: heatmaps.decode(maps),
    }
    for name, call in parts.items():
        print(f"{name:24s} {milliseconds(call, options.faces):8.2f} ms")


if __name__ == "__main__":
    main()
