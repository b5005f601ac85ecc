"""Faces that are hard or impossible to find: where they stand, what covers them, what the camera does to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.datasets.synthetic.degrade import Camera
from pipeline.datasets.synthetic.plan import Kind
from pipeline.datasets.synthetic.viewpoint import sample_place

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings

_HARD = ("covered", "dark", "blurred", "small", "noisy")
_IMPOSSIBLE = ("buried", "black", "smeared", "tiny", "outside")


@dataclass(frozen=True)
class Place:
    """Where one face goes: sqrt(w h) of its landmark box (px), the box's centre (2,), depth, and what befalls it."""

    side: float
    centre: np.ndarray
    depth: float = 0.0
    trouble: str = ""


def places(rng: np.random.Generator, settings: SyntheticSettings, kind: Kind) -> list[Place]:
    """The faces of a picture of this kind."""
    if kind is Kind.NONE:
        return []
    if kind is Kind.SEVERAL:
        return _several(rng, settings)
    side, centre = sample_place(rng, settings)
    trouble = ""
    size = settings.size
    if kind is Kind.HARD:
        trouble = str(rng.choice(_HARD))
        if trouble == "small":
            side = rng.uniform(0.06, 0.13) * size
            centre = rng.uniform(0.2, 0.8, 2) * size
    elif kind is Kind.IMPOSSIBLE:
        trouble = str(rng.choice(_IMPOSSIBLE))
        if trouble == "tiny":
            side = rng.uniform(0.010, 0.022) * size
            centre = rng.uniform(0.15, 0.85, 2) * size
        elif trouble == "outside":
            centre = _border(rng, size, side, rng.uniform(-0.5, -0.3))
    elif kind is Kind.CUT:
        trouble = "cut"
        side = max(side, 0.3 * size)
        centre = _border(rng, size, side, rng.uniform(-0.10, 0.16))
    return [Place(float(side), centre, 0.0, trouble)]


def _border(rng: np.random.Generator, size: int, side: float, inside: float) -> np.ndarray:
    """A centre that lies ``inside`` sides within one border, the top one left out (caps reach there anyway)."""
    along = rng.uniform(0.3, 0.7) * size
    offset = inside * side
    which = rng.integers(3)
    if which == 0:
        return np.array([offset, along])
    return np.array([size - offset, along]) if which == 1 else np.array([along, size - offset])


def _several(rng: np.random.Generator, settings: SyntheticSettings) -> list[Place]:
    """Two or three faces beside each other, the largest first and in front."""
    count = int(rng.integers(2, 4))
    size = settings.size
    slots = (np.arange(count) + 0.5) / count
    sides = np.sort(rng.uniform(0.42, 0.72, count) / count)[::-1] * size
    order = rng.permutation(count)
    made = []
    for number, (side, slot) in enumerate(zip(sides, slots[order], strict=True)):
        centre = np.array([slot, rng.uniform(0.34, 0.62)]) * size + rng.normal(0, 0.01 * size, 2)
        margin = min(0.6 * side, size / 2)
        made.append(Place(float(side), np.clip(centre, margin, size - margin), -3.0 * size * number))
    return made


def spoil(rng: np.random.Generator, camera: Camera, kind: Kind, faces: list[Place]) -> Camera:
    """The camera after what the picture's trouble does to it."""
    if not faces:
        return camera
    side = faces[0].side
    match faces[0].trouble:
        case "dark":
            return replace(camera, target=rng.uniform(0.05, 0.16), noise=rng.uniform(0.01, 0.03))
        case "blurred":
            return replace(camera, blur=side * rng.uniform(0.018, 0.04))
        case "noisy":
            return replace(camera, noise=rng.uniform(0.06, 0.14), quality=int(rng.integers(12, 35)))
        case "black":
            return replace(camera, target=rng.uniform(0.00002, 0.0002), noise=rng.uniform(0.01, 0.03))
        case "smeared":
            return replace(camera, blur=side * rng.uniform(0.28, 0.5))
        case _:
            return camera
