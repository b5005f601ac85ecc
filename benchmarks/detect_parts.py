"""What `benchmarks.detect` measures: every detector of boxes, the landmark and depth networks, and the labeller.

The library's detectors, the published FAN and the depth network take their files from torch's cache. Where one is not
there, a network of the same layers with random weights stands in: its time does not depend on what the numbers are.
That of a detector's last step does, on the number of faces; a stand-in finds none, and its line says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pipeline.config import DetectionSettings, LabellingSettings
from pipeline.detect import heatmaps
from pipeline.detect.base import Sight
from pipeline.detect.depth import SIDE as DEPTH_SIDE
from pipeline.detect.depth import DepthFinder
from pipeline.detect.fan import LandmarkFinder, crop_transform
from pipeline.detect.given import COLUMNS
from pipeline.detect.library import PACKAGES
from pipeline.detect.loading import LoadedNetwork, library_file, load_depth, load_fan
from pipeline.detect.tddfa import Labeller, Seen
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.geometry.resample import crop_image
from pipeline.io.published import FILES, LIBRARY_DETECTORS
from pipeline.io.tables import write_tsv
from pipeline.models.fan import DOWNSCALE, FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.models.tddfa import MobileNetV1
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.morphable.params62 import COUNT, Whitening, join
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError
from pipeline.registry import DETECTORS

BATCHES = (1, 16)
LARGE = (6000, 4000)
SFD_PHOTO = (1200, 800)  # S3FD takes a photo as it is, and at 6000 x 4000 more memory than most machines have
VERTICES = 53_215
MEAN = join(np.array([[4e-4, 0, 0, 60], [0, 4e-4, 0, 62], [0, 0, 4e-4, -20]]), [], [])
SURE = 9.0

Call = Callable[[Sequence[np.ndarray]], object]


@dataclass(frozen=True)
class Part:
    """One thing to measure. `weights` in words; `build(batch)` gives what is called with pictures (h, w, 3) uint8;
    `batches`: those between which it differs; `photo`: width and height at which its memory is measured, if it is."""

    name: str
    weights: str
    build: Callable[[int], Call]
    batches: tuple[int, ...] = BATCHES
    photo: tuple[int, int] | None = LARGE


@dataclass(frozen=True)
class Absent:
    """Something that cannot be measured here, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class StandIn:
    """How to make one of the library's networks without its file: its class, what the names of the layers that score
    have in common, and which of their channels say that there is no face (none: the scores are logits)."""

    module: str
    network: str
    scores: str
    background: slice
    keywords: tuple[tuple[str, Any], ...] = ()


STAND_INS = {
    "sfd": StandIn("sfd.net_s3fd", "s3fd", "_conf", slice(0, -1)),
    "blazeface": StandIn("blazeface.net_blazeface", "BlazeFace", "classifier_", slice(0, 0)),
    "blazeface_back": StandIn(
        "blazeface.net_blazeface", "BlazeFace", "classifier_", slice(0, 0), (("back_model", True),)
    ),
    "retinaface": StandIn("retinaface.net_retinaface", "RetinaFace", "ClassHead", slice(0, None, 2)),
}


def parts(options: argparse.Namespace, folder: Path) -> list[Part | Absent]:
    """Everything in the order of the lines, always the same; stand-ins for files are written in `folder`."""
    found: list[Part | Absent] = [Part("faceboxes", "shipped", partial(boxes_of, "faceboxes", "shipped"))]
    if options.boxes:
        found.append(Part("faceboxes", "published", partial(boxes_of, "faceboxes", options.boxes)))
    else:
        found.append(Absent("faceboxes, published", "not measured: no FaceBoxesProd.pth by --boxes"))
    found += [library_part(name, folder) for name in LIBRARY_DETECTORS]
    shipped = partial(load_fan, options.weights)
    published, fan_words = cached_or("3dfan", partial(load_fan, "library"), FAN)
    depth, depth_words = cached_or("depth", load_depth, DepthNetwork)
    return [
        *found,
        Part("boxes", "given in a table", partial(given_boxes, folder), batches=(1,)),
        Part("FAN", Path(options.weights).name, partial(landmarks_of, shipped)),
        Part("  of it the crop", "", partial(crops_of, shipped), batches=BATCHES[-1:], photo=None),
        Part("  of it the decode", "", partial(decode_of, shipped), batches=BATCHES[-1:], photo=None),
        Part("2DFAN-4 and 3DFAN-4, one layout", fan_words, partial(landmarks_of, published)),
        Part("depth network", depth_words, partial(depth_of, depth)),
        Part(
            "labeller, 2 passes",
            "published" if options.labeller else "random weights",
            partial(labels_of, options),
        ),
    ]


def face_box(picture: np.ndarray) -> np.ndarray:
    """A box (4,) in the middle of a picture."""
    height, width = picture.shape[:2]
    return np.array([0.27 * width, 0.29 * height, 0.73 * width, 0.78 * height])


def library_part(name: str, folder: Path) -> Part | Absent:
    """One of the library's detectors, with its file or a stand-in for it."""
    for package in filter(None, ("face_alignment", PACKAGES.get(name))):
        if find_spec(package) is None:
            return Absent(name, f"not installed: {package}")
    photo = SFD_PHOTO if name == "sfd" else LARGE
    try:
        for file in () if name == "dlib" else LIBRARY_DETECTORS[name]:
            library_file(FILES[file])
    except FacemillError:
        if name not in STAND_INS:
            file = FILES[LIBRARY_DETECTORS[name][0]].name
            why = f"not measured: no {file} in torch's cache, and nothing here can write its layers as ONNX"
            return Absent(name, why)
        build = partial(stand_in_boxes, name, folder)
        return Part(name, "random weights, no faces", build, batches=(1,), photo=photo)
    words = "no weights" if name == "dlib" else "published"
    return Part(name, words, partial(boxes_of, name, "library"), batches=(1,), photo=photo)


def boxes_of(detector: str, weights: str, batch: int) -> Call:
    """The first step of a detector: pictures -> boxes. FacemillError for a picture that it cannot work on."""
    settings = DetectionSettings(detector=detector, weights=weights, batch=batch, score=0.5, device="cpu")
    finder = DETECTORS[detector](settings)

    def call(pictures: Sequence[np.ndarray]) -> list:
        found = finder.find_boxes([Sight(picture) for picture in pictures])
        for problem in found:
            if isinstance(problem, str):
                raise FacemillError(problem)
        return found

    return call


def stand_in_boxes(name: str, folder: Path, batch: int) -> Call:
    """The same with random weights."""
    path = folder / f"{name}.pth"
    save_stand_in(name, path)
    return boxes_of(name, str(path), batch)


def save_stand_in(name: str, path: Path) -> None:
    """Write random weights of one of the library's detectors that is sure that there is no face anywhere, and what
    belongs beside them. FacemillError where the library, or what it needs, cannot be imported."""
    made = STAND_INS[name]
    torch.manual_seed(0)
    try:
        module = import_module(f"face_alignment.detection.{made.module}")
    except Exception as error:
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        raise FacemillError(f"face-alignment's {made.module} cannot be imported ({words})") from error
    network = getattr(module, made.network)(**dict(made.keywords))
    with torch.no_grad():
        for place, layer in network.named_modules():
            if made.scores in place and isinstance(layer, nn.Conv2d):
                layer.weight.zero_()
                layer.bias.fill_(-SURE)
                layer.bias[made.background] = SURE
    torch.save(network.state_dict(), path)
    for anchors in LIBRARY_DETECTORS[name][1:]:
        np.save(path.with_name(FILES[anchors].name), np.full((896, 4), 0.5, np.float32))


def given_boxes(folder: Path, batch: int) -> Call:
    """The detector `boxes`: rows of a table that is read already."""
    table = folder / "boxes.tsv"
    write_tsv(table, COLUMNS, [("photo.jpg", 120, 130, 330, 350)])
    finder = DETECTORS["boxes"](DetectionSettings(detector="boxes", boxes=str(table), batch=batch))
    return lambda pictures: finder.find_boxes([Sight(picture, (), "photo.jpg") for picture in pictures])


def cached_or(
    name: str, load: Callable[[], LoadedNetwork], layers: Callable[[], nn.Module]
) -> tuple[Callable[[], LoadedNetwork], str]:
    """How to get a published network, and what its weights are: its file, or its layers with random weights."""
    try:
        library_file(FILES[name])
    except FacemillError:
        return lambda: LoadedNetwork(layers().eval(), {"side": 256}, Path()), "random weights"
    return load, "published"


def landmarks_of(load: Callable[[], LoadedNetwork], batch: int) -> Call:
    """Crop, network and decode, one face in a picture."""
    finder = LandmarkFinder(load(), batch=batch)
    return lambda pictures: finder.find(pictures, [face_box(picture) for picture in pictures])


def _crops(side: int, pictures: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([crop_image(p, crop_transform(face_box(p), side), "zero") for p in pictures])


def crops_of(load: Callable[[], LoadedNetwork], batch: int) -> Call:
    """The crops of a landmark network alone."""
    return partial(_crops, int(load().card["side"]))


def decode_of(load: Callable[[], LoadedNetwork], batch: int) -> Call:
    """The decode of its heat-maps alone."""
    cells = int(load().card["side"]) // DOWNSCALE
    maps = np.random.default_rng(0).random((batch, 68, cells, cells)).astype(np.float32)
    return lambda pictures: heatmaps.decode(maps[: len(pictures)])


def depth_of(load: Callable[[], LoadedNetwork], batch: int) -> Call:
    """Crop, planes of the landmarks, and depth network."""
    finder = DepthFinder(load(), batch)
    points = np.random.default_rng(0).uniform(0.2 * DEPTH_SIDE, 0.8 * DEPTH_SIDE, (BATCHES[-1], 68, 2))
    return lambda pictures: finder.find(_crops(DEPTH_SIDE, pictures), points[: len(pictures)])


def labels_of(options: argparse.Namespace, batch: int) -> Call:
    """The labeller of the files given, or random weights of half width on a face model of noise."""
    settings = LabellingSettings(batch=batch)
    if options.labeller:
        network, whitening = load_tddfa(options.labeller), load_whitening(options.statistics)
        labeller = Labeller(network, whitening, load_face_model("npz", options.face), settings)
    else:
        network = MobileNetV1(torch.Generator().manual_seed(0), 0.5)
        labeller = Labeller(network, Whitening(MEAN, np.full(COUNT, 1e-6)), face_of_noise(), settings)
    nothing = np.full((68, 2), np.nan)
    return lambda pictures: labeller.label([Seen(p, face_box(p), nothing) for p in pictures])


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
