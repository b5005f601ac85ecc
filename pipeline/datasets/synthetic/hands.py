"""Hands with forearms, and the things that people hold before their faces.

Frame: the camera's, x right, y up, z to the viewer, in mm.
"""

from __future__ import annotations

import numpy as np

from pipeline.datasets.synthetic.backgrounds import colour as random_colour
from pipeline.datasets.synthetic.meshes import Part, Shape, box, capsule, ellipsoid, joined, tube
from pipeline.datasets.synthetic.textures import Texture
from pipeline.geometry.euler import rotation_from_angles

_FINGERS = (  # base x, base y, lengths of the three bones, radius
    (-27.0, 36.0, (40, 25, 21), 8.3),
    (-9.0, 40.0, (44, 28, 22), 8.6),
    (9.0, 37.0, (41, 26, 22), 8.2),
    (26.0, 29.0, (33, 20, 19), 7.2),
)


def hand(rng: np.random.Generator) -> tuple[Shape, Shape]:
    """A hand (fingers along y, palm about the origin) and its forearm below, as two shapes."""
    curl, spread = rng.uniform(0.0, 0.75), rng.uniform(-0.02, 0.14)
    pieces = [capsule([-19, -34, 0], [-27, 34, 0], 12, 10), capsule([-6, -36, 0], [-9, 38, 0], 13, 10)]
    pieces += [capsule([7, -36, 0], [9, 35, 0], 13, 10), capsule([18, -33, 0], [25, 27, 0], 12, 9)]
    for number, (x, y, bones, radius) in enumerate(_FINGERS):
        point, bend = np.array([x, y, 0.0]), 0.25 * curl
        lean = (number - 1.5) * spread
        for bone in bones:
            direction = np.array([np.sin(lean) * np.cos(bend), np.cos(lean) * np.cos(bend), np.sin(bend)])
            nxt = point + bone * direction
            pieces.append(capsule(point, nxt, radius, 0.88 * radius))
            point, radius, bend = nxt, 0.88 * radius, bend + curl * rng.uniform(0.6, 1.1)
    out = rng.uniform(0.3, 1.0)
    knuckle = np.array([-30 - 26 * np.sin(out), -4 + 20 * np.cos(out), 8.0])
    pieces += [capsule([-20, -26, 2], knuckle, 13, 10)]
    tip = knuckle + 30 * np.array([-np.sin(out * 0.6), np.cos(out * 0.6), 0.2])
    pieces += [capsule(knuckle, tip, 9.5, 7.5)]
    arm = tube(np.array([[0, -20, 0], [0, -60, 0], [0, -120, -4], [0, -420, -10]]), [22, 25, 33, 42], 16)
    return joined(pieces), arm


def held(rng: np.random.Generator, thing: str) -> list[tuple[Shape, dict[str, object]]]:
    """A thing about the origin as shapes with the surface of each (arguments of Part)."""
    paint = random_colour(rng, 0.01, 0.8).astype(np.float64)
    match thing:
        case "phone":
            body = box([0, 0, 0], [37, 76, 4.5])
            lens = [
                ellipsoid([-22 + 0 * k, 60 - 17 * k, 5], [7, 7, 3], 8, 14)
                for k in range(int(rng.integers(1, 4)))
            ]
            dark = {"albedo": paint * 0.3, "gloss": 0.12, "shine": 50.0}
            return [(body, dark), (joined(lens), {"albedo": np.full(3, 0.01), "gloss": 0.3, "shine": 90.0})]
        case "microphone":
            ball = ellipsoid([0, 0, 0], [25, 27, 25])
            stick = tube(np.array([[0, -15, 0], [0, -40, 2], [0, -200, 12]]), [17, 16, 12], 14)
            grey = {"albedo": np.full(3, rng.uniform(0.02, 0.3)), "texture": Texture.KNIT, "gloss": 0.05}
            grey["coordinates"] = ball.surface * 160
            return [(ball, grey), (stick, {"albedo": np.full(3, 0.015), "gloss": 0.08, "shine": 30.0})]
        case "cup":
            wall = tube(np.array([[0, -48, 0], [0, -47, 0], [0, 48, 0], [0, 46, 0]]), [1, 31, 39, 33], 26)
            ring = np.linspace(-1.2, 1.2, 9)
            grip = tube(np.stack([38 + 22 * np.cos(ring), 28 * np.sin(ring), 0 * ring], 1), 5, 8)
            return [(joined([wall, grip]), {"albedo": paint, "gloss": 0.12, "shine": 40.0})]
        case "ball":
            ball = ellipsoid([0, 0, 0], np.full(3, rng.uniform(28, 70)), 20, 36)
            return [(ball, {"albedo": paint, "gloss": rng.uniform(0, 0.2), "shine": 30.0})]
        case _:
            half = np.array([rng.uniform(50, 110), rng.uniform(50, 120), 2.0])
            board = box([0, 0, 0], half, cells=8)
            cloth = {"albedo": paint, "texture": Texture.CLOTH, "coordinates": board.surface * 230}
            return [(board, cloth)]


def turn(rng: np.random.Generator, angle: float, tilt: float = 0.35) -> np.ndarray:
    """(3, 3) rotation in the picture's plane by ``angle`` (counter-clockwise) after a random tilt out of it."""
    tilted = rotation_from_angles(*rng.uniform(-tilt, tilt, 2), 0.0)
    return rotation_from_angles(0.0, 0.0, -angle) @ tilted


def placed(
    shape: Shape, rotation: np.ndarray, at: np.ndarray, scale: float, surface: dict[str, object]
) -> Part:
    """A shape (mm) turned, scaled to px and put at image px ``at`` (3,)."""
    vertices = (shape.vertices @ rotation.T) * scale * np.array([1.0, -1.0, 1.0]) + at
    return Part(vertices=vertices, triangles=shape.triangles, **surface)


def hand_parts(
    rng: np.random.Generator, rotation: np.ndarray, at: np.ndarray, scale: float, skin: np.ndarray
) -> list[Part]:
    """A hand and its sleeved or bare forearm at image px ``at``."""
    fingers, arm = hand(rng)
    mirror = np.array([1.0 if rng.random() < 0.5 else -1.0, 1, 1])
    if mirror[0] < 0:
        fingers = Shape(fingers.vertices * mirror, fingers.triangles[:, ::-1].copy(), fingers.surface)
    bare = {"albedo": skin, "gloss": 0.02, "texture": Texture.SKIN, "coordinates": fingers.surface * 80}
    sleeve = dict(bare, coordinates=arm.surface * 120)
    if rng.random() < 0.75:
        cloth = random_colour(rng, 0.01, 0.7).astype(np.float64)
        sleeve = {"albedo": cloth, "texture": Texture.CLOTH, "coordinates": arm.surface * 200, "gloss": 0.01}
    return [placed(fingers, rotation, at, scale, bare), placed(arm, rotation, at, scale, sleeve)]
