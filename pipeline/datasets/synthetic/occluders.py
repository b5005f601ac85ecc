"""What comes between the camera and a face, and what a detector may take for one."""

from __future__ import annotations

import numpy as np

from pipeline.datasets.synthetic import hands
from pipeline.datasets.synthetic.anatomy import Head, sphere_grid
from pipeline.datasets.synthetic.backgrounds import colour as random_colour
from pipeline.datasets.synthetic.meshes import Part, cloth, ellipsoid
from pipeline.datasets.synthetic.textures import Texture, smooth_noise

_LIGHT = ("hand", "phone", "microphone", "cup", "scarf", "mask", "ball", "board")
_WEIGHTS = np.array([0.34, 0.13, 0.10, 0.09, 0.09, 0.13, 0.05, 0.07])
_AIMS = (8, 4, 12, 48, 54, 33, 36, 45, 19, 24, 2, 14)


def _front(head: Head, at: np.ndarray, reach: float) -> float:
    """The nearest z (px) of the head within ``reach`` px of an image point (2,)."""
    near = np.abs(head.image[:, :2] - at).max(1) < reach
    return float(head.image[near, 2].max()) if near.any() else float(head.image[:, 2].max())


def _before(
    rng: np.random.Generator, head: Head, thing: str, aim: np.ndarray, skin: np.ndarray
) -> list[Part]:
    """A thing, mostly in a hand, before the image point ``aim`` (2,)."""
    scale = head.pixels_per_mm
    angle = float(np.clip(rng.normal(0, 0.7), -1.9, 1.9))
    rotation = hands.turn(rng, angle)
    at = np.array([*aim, _front(head, aim, 45 * scale) + 18 * scale])
    if thing == "hand":
        down = rotation @ np.array([0.0, -1.0, 0.0]) * [1, -1, 1]
        return hands.hand_parts(rng, rotation, at + down * rng.uniform(-10, 70) * scale, scale, skin)
    if thing == "board":
        at[2] += 90 * scale
    parts = [hands.placed(shape, rotation, at, scale, surface) for shape, surface in hands.held(rng, thing)]
    if thing in ("phone", "ball", "cup", "board"):
        below = rotation @ np.array([rng.uniform(-20, 20), rng.uniform(-110, -70), -4.0]) * [1, -1, 1]
        grip = at + below * scale
        parts += hands.hand_parts(rng, hands.turn(rng, angle + rng.normal(0, 0.3)), grip, scale, skin)
    return parts


def _wrap(rng: np.random.Generator, head: Head, mask: bool) -> Part:
    """A mask from ear to ear over nose and mouth, or a scarf round throat and chin."""
    rows, columns = 30, 91
    elevation, azimuth, triangles, surface = sphere_grid(2 * rows, columns, np.radians(-82))
    folds = smooth_noise(rng, (8, 12), (2 * rows, columns)).ravel()
    if mask:
        points = head.points
        centre = points[[30, 8]] - [0, 15, -80]
        low, high = (np.arctan2(p[1], np.hypot(p[0], p[2])) for p in (centre[1], centre[0]))
        top = high + np.radians(rng.uniform(0, 12)) * np.cos(azimuth)
        inside = np.minimum(top - elevation, elevation - (low - 0.05)) / 0.05
        inside = np.minimum(inside, (np.radians(82) - np.abs(azimuth)) / 0.1)
        thick = 2.5 + 0.6 * folds
    else:
        top = np.radians(rng.uniform(-62, -24)) + 0.12 * np.cos(azimuth)
        inside = (top - elevation) / 0.12
        thick = 11 + 4 * folds
    lifted = np.where(inside > 0, thick * np.clip(inside, 0, 1) ** 0.5, np.maximum(18 * inside, -50))
    points, _ = head.shell(elevation, azimuth, lifted)
    white = np.array([[0.75, 0.78, 0.8], [0.25, 0.45, 0.62], [0.01, 0.01, 0.012]])[rng.integers(3)]
    paint = white if mask and rng.random() < 0.7 else random_colour(rng, 0.01, 0.7).astype(np.float64)
    light = np.clip(0.9 + 0.06 * folds, 0.4, 1)
    texture = Texture.CLOTH if mask else Texture.KNIT
    return cloth(head.place(points), triangles, paint, light, surface * [600, 500], texture)


def cover(rng: np.random.Generator, head: Head, trouble: str, skin: np.ndarray) -> tuple[list[Part], str]:
    """Things before a face and their name; ``trouble`` "covered" hides about half, "buried" all of it."""
    points = head.image[head.traits.model.keypoints]
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    middle, extent = (low + high) / 2, high - low
    if trouble == "buried":
        return _bury(rng, head, middle, extent, skin), "buried"
    if trouble == "covered":
        parts = []
        for _ in range(int(rng.integers(2, 4))):
            thing = str(rng.choice(["hand", "hand", "board", "ball", "phone"]))
            parts += _before(rng, head, thing, middle + rng.uniform(-0.32, 0.32, 2) * extent, skin)
        if rng.random() < 0.4:
            parts.append(_wrap(rng, head, bool(rng.random() < 0.6)))
        return parts, "covered"
    thing = str(rng.choice(_LIGHT, p=_WEIGHTS / _WEIGHTS.sum()))
    if thing in ("scarf", "mask"):
        return [_wrap(rng, head, thing == "mask")], thing
    aim = points[rng.choice(_AIMS), :2] + rng.normal(0, 0.06, 2) * extent
    if thing in ("microphone", "cup"):
        aim = points[[57, 8], :2].mean(0) + rng.normal(0, 0.08, 2) * extent
    return _before(rng, head, thing, aim, skin), thing


def _bury(
    rng: np.random.Generator, head: Head, middle: np.ndarray, extent: np.ndarray, skin: np.ndarray
) -> list[Part]:
    """A board or a cushion larger than the face, before it."""
    scale = head.pixels_per_mm
    at = np.array([*(middle + rng.normal(0, 0.04, 2) * extent), head.image[:, 2].max() + 120 * scale])
    half = 0.5 * extent.max() / scale * rng.uniform(1.25, 1.6)
    paint = random_colour(rng, 0.02, 0.7).astype(np.float64)
    shape = ellipsoid([0, 0, 0], [half * 1.15, half * 1.1, 40], 24, 40)
    if rng.random() < 0.5:
        shape = hands.box([0, 0, 0], [half, half, 3], cells=10)
    surface = {"albedo": paint, "texture": Texture.CLOTH, "coordinates": shape.surface * 256}
    parts = [hands.placed(shape, hands.turn(rng, rng.normal(0, 0.2), 0.1), at, scale, surface)]
    for side in (-1, 1):
        grip = at + np.array([side * 1.1 * half, 0.5 * half, 45.0]) * scale
        parts += hands.hand_parts(rng, hands.turn(rng, side * rng.uniform(-0.2, 0.9)), grip, scale, skin)
    return parts


def lookalikes(rng: np.random.Generator, size: int) -> list[Part]:
    """Skin-coloured eggs, hands and balls anywhere in a picture of ``size`` px."""
    parts: list[Part] = []
    for number in range(int(rng.integers(1, 6))):
        scale = float(rng.uniform(0.15, 0.6)) * size / 200
        at = np.array([*rng.uniform(0.05, 0.95, 2) * size, -200.0 * number])
        skin = np.array([0.5, 0.3, 0.22]) * np.exp(rng.normal(-0.3, 0.5)) * np.exp(rng.normal(0, 0.12, 3))
        rotation = hands.turn(rng, rng.uniform(-np.pi, np.pi))
        match rng.choice(["egg", "egg", "hand", "ball", "cup", "board", "phone"]):
            case "egg":
                egg = ellipsoid([0, 0, 0], [rng.uniform(55, 90), rng.uniform(80, 120), 80], 24, 40)
                surface = {
                    "albedo": skin,
                    "gloss": 0.03,
                    "texture": Texture.SKIN,
                    "coordinates": egg.surface * 200,
                }
                parts.append(hands.placed(egg, rotation, at, scale, surface))
            case "hand":
                parts += hands.hand_parts(rng, rotation, at, scale * 1.3, skin)
            case thing:
                made = hands.held(rng, str(thing))
                parts += [hands.placed(shape, rotation, at, scale * 1.3, surface) for shape, surface in made]
    return parts
