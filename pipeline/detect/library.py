"""face-alignment's own detectors for the boxes, our FAN for the landmarks. Nothing is compiled and nothing downloaded.

Each is the installed library's, built with a path to its weights: `weights: library` is the file of its name in
torch's cache, with the sha256 that its name begins with; else a path. `score` and `overlap` go to the library where it
takes them. The crop's scale is the one that the library keeps for each detector's boxes (spec landmarks 2.2).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch

from pipeline.config import DetectionSettings
from pipeline.detect.base import Annotate, Sight
from pipeline.detect.boxed import BoxedDetector, Boxes
from pipeline.detect.loading import library_file
from pipeline.detect.placing import device_of
from pipeline.io.files import expand
from pipeline.io.images import as_rgb
from pipeline.io.published import FILES, LIBRARY_DETECTORS, detector_files
from pipeline.records import FacemillError
from pipeline.registry import DETECTORS

THRESHOLDS = {
    "sfd": ("filter_threshold", None),
    "blazeface": ("min_score_thresh", "min_suppression_threshold"),
    "blazeface_back": ("min_score_thresh", "min_suppression_threshold"),
    "yunet": ("score_threshold", "nms_threshold"),
    "scrfd": ("confidence_threshold", "nms_threshold"),
    "retinaface": ("confidence_threshold", "nms_threshold"),
    "dlib": (None, None),
}
"""What the library calls the least score of a box and the overlap beyond which the worse of two falls."""
PACKAGES = {"scrfd": "onnxruntime", "retinaface": "torchvision", "dlib": "dlib"}
BLAZEFACE_SIDE = 128
ORDINARY = np.tile(np.arange(160, dtype=np.uint8)[:, None], (128, 1, 3))
"""A picture (128, 160, 3) without a face, grey from the left to the right, that every detector can work on."""


class LibraryDetector(BoxedDetector):
    """One of the library's detectors, a picture at a time: what it finds does not depend on the batch."""

    detector: str

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        self.finder = build_finder(self.detector, settings)
        super().__init__(settings, float(self.finder.reference_scale))

    def find_boxes(self, sights: Sequence[Sight]) -> list[Boxes | str]:
        """The library's boxes with their scores, best first; dlib has no scores, there they are 1. A picture that the
        library's code cannot work on, as one of a few pixels, has none."""
        return [self._boxes(self.accepted(as_rgb(sight.image))) for sight in sights]

    def accepted(self, picture: np.ndarray) -> np.ndarray:
        """The picture (h, w, 3) as the library's detector takes it."""
        return picture

    def _boxes(self, picture: np.ndarray) -> Boxes | str:
        try:
            found = self.finder.detect_from_image(np.array(picture))
        except (RuntimeError, ValueError, AssertionError, cv2.error) as problem:
            self._require_working(problem)
            height, width = picture.shape[:2]
            return f"{self.detector} fails on a picture of {width} x {height}: {_first_line(problem)}"
        rows = [np.asarray(row, np.float64) for row in found]
        if not rows:
            return np.zeros((0, 4)), np.zeros(0)
        boxes = np.stack(rows)
        scores = boxes[:, 4] if boxes.shape[1] > 4 else np.ones(len(boxes))
        order = np.argsort(-scores, kind="stable")
        return boxes[order, :4], scores[order]

    def _require_working(self, problem: Exception) -> None:
        """Raise the problem unless it is the picture's: the detector has memory left and still works on ORDINARY."""
        if isinstance(problem, torch.OutOfMemoryError):
            raise problem
        try:
            self.finder.detect_from_image(ORDINARY.copy())
        except Exception:
            raise problem from None


def build_finder(detector: str, settings: DetectionSettings) -> Any:
    """The library's detector object with its weights, tried once on ORDINARY; FacemillError for missing or foreign
    weights and packages. Some files of another network load, and fail at the first picture alone."""
    device = device_of(settings.device)
    if detector == "yunet" or (detector == "dlib" and settings.device != "cuda"):
        device = "cpu"
    files = [expand(path) for path in detector_files(detector, settings.weights, settings.device)]
    for path, name in zip(files, LIBRARY_DETECTORS[detector], strict=False):
        if settings.weights == "library":
            library_file(FILES[name])
        elif not path.is_file():
            raise FacemillError(f"detector {detector}: no weights file {path}; expected library or a path")
    keywords: dict[str, Any] = dict(
        zip(("path_to_detector", "path_to_anchor"), map(str, files), strict=False)
    )
    for name, value in zip(THRESHOLDS[detector], (settings.score, settings.overlap), strict=True):
        if name is not None:
            keywords[name] = value
    if detector == "blazeface_back":
        keywords["back_model"] = True
    module = _module(detector)
    try:
        finder = module.FaceDetector(device, verbose=False, **keywords)
        if detector == "scrfd":
            finder.session = _one_thread(finder.session, keywords["path_to_detector"])
        if "path_to_anchor" in keywords:
            _drop_empty(finder.face_detector)
        finder.detect_from_image(ORDINARY.copy())
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        named = ", ".join(map(str, files)) or "no file"
        raise FacemillError(
            f"detector {detector}: face-alignment does not take {named} ({_first_line(error)})"
        ) from error
    return finder


def _module(detector: str) -> Any:
    """The library's module of a detector; it imports what that needs."""
    import face_alignment.detection as library

    package = PACKAGES.get(detector)
    try:
        if package is not None:
            importlib.import_module(package)
        return importlib.import_module(f"{library.__name__}.{detector.removesuffix('_back')}")
    except Exception as error:
        needed = package or "face-alignment"
        raise FacemillError(
            f"detector {detector} needs the package {needed}, which cannot be imported ({_first_line(error)}). Type: "
            f"pip install {needed}"
        ) from error


def _one_thread(session: Any, path: str) -> Any:
    """The same session on one thread, as every job of this stage computes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=session.get_providers())


def _drop_empty(network: Any) -> None:
    """Let BlazeFace suppress boxes that have an area only: with any other its loop never ends."""
    decode = network._tensors_to_detections

    def with_area(*tensors: torch.Tensor) -> list[torch.Tensor]:
        return [d[(d[:, 2] > d[:, 0]) & (d[:, 3] > d[:, 1])] for d in decode(*tensors)]

    network._tensors_to_detections = with_area


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:160]


@DETECTORS.register("sfd")
class Sfd(LibraryDetector):
    """S3FD, of VGG's layout. It suppresses at an overlap of 0.3, whatever `overlap` says."""

    detector = "sfd"


@DETECTORS.register("blazeface")
class BlazeFace(LibraryDetector):
    """BlazeFace for a face near the camera: it sees the middle square of a picture at 128 pixels."""

    detector = "blazeface"
    side = BLAZEFACE_SIDE

    def accepted(self, picture: np.ndarray) -> np.ndarray:
        """The picture, with one more column where the library's scaling of a square would lose its last pixel."""
        height, width = picture.shape[:2]
        if height == width and int(width * (self.side / float(height))) < self.side:
            return np.pad(picture, ((0, 0), (0, 1), (0, 0)), mode="edge")
        return picture


@DETECTORS.register("blazeface_back")
class BlazeFaceBack(BlazeFace):
    """BlazeFace for faces further away: the middle square at 256 pixels."""

    detector = "blazeface_back"
    side = 2 * BLAZEFACE_SIDE


@DETECTORS.register("yunet")
class YuNet(LibraryDetector):
    """YuNet through OpenCV, on the CPU."""

    detector = "yunet"


@DETECTORS.register("scrfd")
class Scrfd(LibraryDetector):
    """SCRFD through ONNX Runtime."""

    detector = "scrfd"


@DETECTORS.register("retinaface")
class RetinaFace(LibraryDetector):
    """RetinaFace on MobileNet; the library builds it with torchvision."""

    detector = "retinaface"


@DETECTORS.register("dlib")
class Dlib(LibraryDetector):
    """dlib's histograms of gradients, which need no weights; with `device: cuda` its network."""

    detector = "dlib"
