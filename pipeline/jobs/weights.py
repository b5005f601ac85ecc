"""Which files of weights and boxes a detection reads, before anything heavy is imported."""

from __future__ import annotations

from pipeline.config import DetectionSettings
from pipeline.io.published import BOXED, FILES, LIBRARY_DETECTORS, detector_files, fan_file

SHIPPED_WEIGHTS = "pipeline/detect/weights"
"""From the project's root, as results may name it."""


def weights_of(detection: DetectionSettings) -> dict[str, list[str]]:
    """The files by the setting that names them, environment variables unexpanded; none for a detector without
    networks, but FAN's where it looks again."""
    boxed = detection.detector in BOXED
    if not boxed and detection.points == "own":
        return {}
    fan = (
        fan_file(detection.landmarks).cached if detection.fan_weights == "library" else detection.fan_weights
    )
    found = {"fan_weights": [_shipped(fan, "fan")]}
    if not boxed:
        return found
    if detection.detector == "faceboxes":
        found["weights"] = [_shipped(detection.weights, "detector")]
    elif detection.detector in LIBRARY_DETECTORS:
        found["weights"] = detector_files(detection.detector, detection.weights, detection.device)
    elif detection.boxes is not None:
        found["boxes"] = [detection.boxes]
    if detection.landmarks == "3d":
        depth = detection.depth_weights
        found["depth_weights"] = [FILES["depth"].cached if depth == "library" else depth]
    return found


def own_files(detection: DetectionSettings) -> dict[str, list[str]]:
    """Those of `weights_of` that are the package's or the user's; a published one is fetched by a job of its own."""
    fetched = _cached()
    return {
        key: [path for path in paths if path not in fetched] for key, paths in weights_of(detection).items()
    }


def library_sources(detection: DetectionSettings) -> dict[str, str]:
    """The published files that a detection reads from torch's cache: id of the source -> setting that names it."""
    fetched = _cached()
    return {
        fetched[path]: key
        for key, paths in weights_of(detection).items()
        for path in paths
        if path in fetched
    }


def _cached() -> dict[str, str]:
    return {file.cached: source for source, file in FILES.items()}


def _shipped(weights: str, name: str) -> str:
    return f"{SHIPPED_WEIGHTS}/{name}.safetensors" if weights == "shipped" else weights
