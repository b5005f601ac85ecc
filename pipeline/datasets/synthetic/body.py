"""Below the head: neck, shoulders and clothes, and the dark of an open mouth for models that have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.meshes import Part, fan, grid_surface, grid_triangles
from pipeline.datasets.synthetic.textures import Texture
from pipeline.geometry.euler import rotation_from_angles

_SKULL_BASE = np.array([0.0, -52.0, -88.0])
_RINGS = np.array(
    [
        # height below the skull's base, half width, half depth, forward (mm)
        (10, 52, 56, 0),
        (-25, 53, 57, -1),
        (-50, 55, 58, -5),
        (-78, 60, 62, -10),
        (-98, 74, 68, -14),
        (-112, 105, 78, -18),
        (-124, 145, 88, -22),
        (-140, 178, 96, -25),
        (-165, 200, 104, -26),
        (-210, 214, 112, -26),
        (-290, 222, 120, -26),
        (-420, 225, 125, -26),
        (-700, 225, 125, -26),
    ],
    np.float64,
)


@dataclass(frozen=True)
class Body:
    """How a person holds their shoulders and what they wear; collar is mm below the skull's base."""

    follow: float
    lean: np.ndarray
    build: float
    collar: float
    colour: np.ndarray
    second: np.ndarray
    stripes: float
    knit: bool


def sample_body(rng: np.random.Generator) -> Body:
    """A person's posture and clothes."""
    dark = rng.random() < 0.45
    value = rng.uniform(0.01, 0.12) if dark else rng.uniform(0.1, 0.75)
    tint = rng.uniform(0.25, 1.0, 3) if rng.random() < 0.6 else np.ones(3)
    other = rng.uniform(0.02, 0.8, 3)
    return Body(
        follow=float(rng.uniform(0.15, 0.85)),
        lean=np.clip(rng.normal(0, [0.10, 0.25, 0.07]), -0.6, 0.6),
        build=float(rng.uniform(0.88, 1.14)),
        collar=float(rng.uniform(-125, -66)),
        colour=value * tint / tint.max(),
        second=other,
        stripes=float(rng.uniform(18, 70)) if rng.random() < 0.25 else 0.0,
        knit=bool(rng.random() < 0.3),
    )


def torso_rotation(head: Head, body: Body) -> np.ndarray:
    """(3, 3) the shoulders' rotation in the camera's y-up frame."""
    pitch, yaw, roll = np.asarray(head.pose[:3], np.float64)
    return rotation_from_angles(
        0.25 * pitch + body.lean[0], body.follow * yaw + body.lean[1], 0.35 * roll + body.lean[2]
    )


def down_in_head(head: Head, body: Body) -> np.ndarray:
    """(3,) the shoulders' downward direction in the head's own frame."""
    return rotation_from_angles(*head.pose[:3]).T @ torso_rotation(head, body) @ np.array([0.0, -1.0, 0.0])


def parts(head: Head, body: Body, skin: np.ndarray) -> list[Part]:
    """Neck, shoulders and clothes; ``skin`` (3,) is the linear RGB of the throat."""
    own = rotation_from_angles(*head.pose[:3])
    turn = own.T @ torso_rotation(head, body)
    columns = 48
    angle = np.linspace(0, 2 * np.pi, columns)
    fine = np.linspace(0, len(_RINGS) - 1, 40)
    height, wide, deep, forward = (np.interp(fine, np.arange(len(_RINGS)), column) for column in _RINGS.T)
    wide = wide * np.where(height < -78, body.build, 1 + 0.6 * (body.build - 1))
    rim = np.stack([np.sin(angle), np.zeros(columns), np.cos(angle)], -1)
    shoulder = np.clip((-height - 105) / 60, 0, 1)
    sag = shoulder[:, None] * 10 * (1 - np.abs(rim[:, 0])[None])
    rings = rim[None] * np.stack([wide, 0 * wide, deep], -1)[:, None]
    rings[..., 1] += height[:, None] + sag
    rings[..., 2] += forward[:, None]
    share = np.clip(-height / 95, 0, 1)[:, None, None]
    bent = (1 - share) * rings + share * (rings @ turn.T)
    points = (bent + _SKULL_BASE).reshape(-1, 3)
    level = np.repeat(height, columns)
    front = np.tile(rim[:, 2], len(fine))
    clothed = level < body.collar - 14 * front
    colour = np.where(clothed[:, None], body.colour, skin)
    if body.stripes:
        band = clothed & (np.floor(level / body.stripes) % 2 == 0)
        colour = np.where(band[:, None], body.second, colour)
    shade = np.clip(0.45 + 0.55 * np.clip(-level / 110, 0, 1) ** 1.5, 0, 1)
    surface = grid_surface(len(fine), columns)
    coordinates = np.stack([surface[:, 0] * 900, level * 2.0], 1)
    triangles = grid_triangles(len(fine), columns)
    cloth = clothed[triangles].any(1)
    image = head.place(points)
    pattern = Texture.KNIT if body.knit else Texture.CLOTH
    made = []
    for chosen, texture, gloss, lift in ((~cloth, Texture.SKIN, 0.03, 0.0), (cloth, pattern, 0.01, 5.0)):
        lifted = image
        if lift:
            outward = (rings - rings.mean(1, keepdims=True)) @ turn.T
            outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
            lifted = head.place(points + lift * outward.reshape(-1, 3))
            colour = np.where(clothed[:, None], colour, body.colour)
        made.append(
            Part(lifted, triangles[chosen], colour, gloss, 10.0, shade, texture, coordinates, sheet=True)
        )
    return made


def mouth_dark(head: Head) -> Part:
    """A dark sheet behind the lips of a model that has no inside of the mouth."""
    rim = head.points[60:68]
    middle = rim.mean(0)
    rim = middle + (rim - middle) * [1.1, 1.25, 1.0] - [0, 0, 7.0]
    shape = fan(rim)
    return Part(head.place(shape.vertices), shape.triangles, np.array([0.02, 0.006, 0.005]), sheet=True)
