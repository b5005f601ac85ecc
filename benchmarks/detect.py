"""Time of detection and labelling on one thread, and the memory that a photo of 6000 x 4000 pixels takes.

python -m benchmarks.detect [--faces 64] [--weights shipped] [--boxes FILE] [--labeller FILE]
    [--statistics FILE] [--face FILE]

Without published files the shipped networks are timed, and the labeller with random weights of half width on a face
model of noise: its time does not depend on what the numbers are.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
import torch

from pipeline.config import LabellingSettings
from pipeline.detect import heatmaps
from pipeline.detect.boxes import BoxFinder
from pipeline.detect.fan import LandmarkFinder, crop_transform
from pipeline.detect.loading import load_faceboxes, load_fan
from pipeline.detect.tddfa import Labeller, Seen
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.geometry.resample import crop_image
from pipeline.models.tddfa import MobileNetV1
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.morphable.params62 import COUNT, Whitening, join
from pipeline.morphable.whitening import load_whitening

VERTICES = 53_215
SIDE = 450
BATCHES = (1, 16)
MEAN = join(np.array([[4e-4, 0, 0, 60], [0, 4e-4, 0, 62], [0, 0, 4e-4, -20]]), [], [])


def milliseconds(call: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Median processor time of a call, divided by the number of things it handles."""
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times)) / count


def face_of_noise() -> MorphableModel:
    """A face model of BFM's size without its shape."""
    rng = np.random.default_rng(0)
    mean = rng.uniform(-7.5e4, 7.5e4, (VERTICES, 3)).astype(np.float32)
    none = np.zeros((0, 3), np.int32)
    return MorphableModel(
        name="noise",
        licence="none",
        mean=mean,
        shape_basis=rng.normal(0, 1e-3, (VERTICES, 3, 40)).astype(np.float32),
        shape_sigma=np.ones(40),
        expression_basis=rng.normal(0, 1e3, (VERTICES, 3, 10)).astype(np.float32),
        expression_sigma=np.ones(10),
        triangles=none,
        keypoints=np.arange(68, dtype=np.int32),
        uv=rng.uniform(0, 1, (VERTICES, 2)).astype(np.float32),
        uv_triangles=none,
        face_mask=np.arange(VERTICES) < 38_365,
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=np.zeros(VERTICES, np.uint8),
    )


def labeller_of(options: argparse.Namespace, batch: int) -> Labeller:
    """The labeller of the files given, or the stand-in."""
    settings = LabellingSettings(batch=batch)
    if not options.labeller:
        statistics = Whitening(MEAN, np.full(COUNT, 1e-6))
        return Labeller(
            MobileNetV1(torch.Generator().manual_seed(0), 0.5), statistics, face_of_noise(), settings
        )
    model = load_face_model("npz", options.face)
    return Labeller(load_tddfa(options.labeller), load_whitening(options.statistics), model, settings)


def box_finder(weights: str, batch: int) -> BoxFinder:
    """FaceBoxes with shipped or published weights."""
    return BoxFinder(load_faceboxes(weights), batch=batch)


def times(options: argparse.Namespace) -> None:
    """Print milliseconds and images a second and core, for each part and batch."""
    rng = np.random.default_rng(0)
    blobs = [rng.integers(0, 256, (30, 30, 3), np.uint8) for _ in range(options.faces)]
    pictures = [cv2.resize(blob, (SIDE, SIDE)) for blob in blobs]
    boxes = [np.array([120.0, 130.0, 330.0, 350.0]) + rng.normal(0, 10, 4) for _ in pictures]
    finder = LandmarkFinder(load_fan(options.weights))
    transforms = [crop_transform(box, finder.side) for box in boxes]
    maps = rng.random((options.faces, 68, finder.side // 4, finder.side // 4)).astype(np.float32)
    seen = [Seen(p, box, np.full((68, 2), np.nan)) for p, box in zip(pictures, boxes, strict=True)]
    parts: dict[str, Callable[[], object]] = {}
    for batch in BATCHES:
        for weights in filter(None, ("shipped", options.boxes)):
            name = f"boxes, {'shipped' if weights == 'shipped' else 'published'}, batch {batch}"
            parts[name] = partial(box_finder(weights, batch).find, pictures)
        parts[f"labeller, 2 passes, batch {batch}"] = partial(labeller_of(options, batch).label, seen)
    parts |= {
        "landmarks": lambda: finder.find(pictures, boxes),
        "  of it the crop": lambda: [
            crop_image(p, t, "zero") for p, t in zip(pictures, transforms, strict=True)
        ],
        "  of it the decode": lambda: heatmaps.decode(maps),
    }
    for name, call in parts.items():
        spent = milliseconds(call, options.faces)
        print(f"{name:32s} {spent:8.2f} ms {1000 / spent:8.1f} a second and core")


def large_photo(options: argparse.Namespace, what: str, answers: multiprocessing.Queue) -> None:
    """Put the memory in MB before and at the peak of one part on one photo of 6000 x 4000 pixels."""
    torch.set_num_threads(1)
    box, nothing = np.array([2000.0, 1000.0, 4000.0, 3200.0]), np.full((68, 2), np.nan)
    labeller = labeller_of(options, 1) if what == "labeller" else None
    boxes = box_finder(options.boxes if what == "boxes, published" else "shipped", 1)

    def call(picture: np.ndarray) -> object:
        return labeller.label([Seen(picture, box, nothing)]) if labeller else boxes.find([picture])

    call(np.zeros((SIDE, SIDE, 3), np.uint8))
    picture = np.zeros((4000, 6000, 3), np.uint8)
    picture[:] = 128
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    call(picture)
    answers.put((before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def memory(options: argparse.Namespace) -> None:
    """Print the peak of each part in a process of its own. A process begins with the peak of the one that starts it,
    so this comes before anything that takes memory."""
    context = multiprocessing.get_context("spawn")
    published = ("boxes, published",) if options.boxes else ()
    parts: Sequence[str] = ("boxes, shipped", *published, "labeller")
    for what in parts:
        answers = context.Queue()
        process = context.Process(target=large_photo, args=(options, what, answers))
        process.start()
        before, peak = answers.get()
        process.join()
        print(
            f"{what:32s} {peak:8.0f} MB at most with a photo of 6000 x 4000, {before:.0f} with the photo read"
        )


def main() -> None:
    """Print one line for each part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=64)
    parser.add_argument("--weights", default="shipped", help="of the landmark network")
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
