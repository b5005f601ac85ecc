"""Below the head: neck, shoulders and clothes, and the dark of an open mouth for models that have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.meshes import Part, fan, grid_triangles
from pipeline.datasets.synthetic.textures import Texture
from pipeline.geometry.euler import rotation_from_angles

_SKULL_BASE = np.array([0.0, -52.0, -88.0])
_RINGS = np.array(
    [
        # height below the skull's base, half width, half depth, forward (mm)
        (10, 44, 44, 4),
        (-25, 46, 46, 3),
        (-50, 50, 50, -1),
        (-78, 58, 59, -8),
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
    """How a person holds their shoulders and what they wear; collar is its height
    (mm from the skull's base), opening how far a neckline reaches down in front."""

    follow: float
    lean: np.ndarray
    build: float
    collar: float
    opening: float
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
        collar=float(rng.uniform(-112, -62)),
        opening=float(rng.uniform(20, 170)) if rng.random() < 0.35 else 0.0,
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


def _surface(head: Head, body: Body, height: np.ndarray, angle: np.ndarray, lift: float) -> np.ndarray:
    """Points (N, 3), head's frame, mm, on neck and shoulders at ``height`` (N,) and ``angle`` (N,; 0 is the front)."""
    wide, deep, forward = (np.interp(-height, -_RINGS[:, 0], column) for column in _RINGS[:, 1:].T)
    wide = wide * np.interp(-height, [78, 130], [1 + 0.6 * (body.build - 1), body.build])
    x, z = np.sin(angle), np.cos(angle)
    shoulder = np.clip((-height - 105) / 60, 0, 1)
    rise = shoulder * 10 * (1 - np.abs(x)) + lift * np.clip((-height - 95) / 30, 0, 1)
    points = np.stack([(wide + lift) * x, height + rise, (deep + lift) * z + forward], -1)
    turn = rotation_from_angles(*head.pose[:3]).T @ torso_rotation(head, body)
    share = np.clip(-height / 95, 0, 1)[:, None]
    return (1 - share) * points + share * (points @ turn.T) + _SKULL_BASE


def _sheet(top: np.ndarray, bottom: float, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Heights and angles (rows * columns,) of a tube from ``top`` (columns,) down, denser at its upper end."""
    angle = np.linspace(-np.pi, np.pi, columns)
    share = np.linspace(0, 1, rows)[:, None] ** 2
    height = top[None] * (1 - share) + bottom * share
    return height.ravel(), np.tile(angle, rows)


def parts(head: Head, body: Body, skin: np.ndarray) -> list[Part]:
    """Neck, shoulders and clothes; ``skin`` (3,) is the linear RGB of the throat."""
    columns = 49
    height, angle = _sheet(np.full(columns, 10.0), -200.0, 22, columns)
    neck = Part(
        vertices=head.place(_surface(head, body, height, angle, 0.0)),
        triangles=grid_triangles(22, columns),
        albedo=skin,
        occlusion=0.55 + 0.45 * np.clip(-height / 100, 0, 1),
        texture=Texture.SKIN,
        coordinates=np.stack([angle * 90, height * 1.6], 1),
        sheet=True,
    )
    around = np.linspace(-np.pi, np.pi, columns)
    collar = body.collar - 7 - 7 * np.cos(around) - body.opening * np.clip(np.cos(around) - 0.35, 0, 1)
    rows = 30
    height, angle = _sheet(collar, -700.0, rows, columns)
    colour = np.broadcast_to(body.colour, (len(height), 3))
    if body.stripes:
        colour = np.where((np.floor(height / body.stripes) % 2 == 0)[:, None], body.second, colour)
    cloth = Part(
        vertices=head.place(_surface(head, body, height, angle, 4.5)),
        triangles=grid_triangles(rows, columns),
        albedo=colour,
        gloss=0.008,
        occlusion=0.6 + 0.4 * np.clip((collar.mean() - height) / 60, 0, 1),
        texture=Texture.KNIT if body.knit else Texture.CLOTH,
        coordinates=np.stack([angle * 150, height * 2.0], 1),
        sheet=True,
    )
    return [neck, cloth]


def mouth_dark(head: Head) -> Part:
    """A dark sheet behind the lips of a model that has no inside of the mouth."""
    rim = head.points[60:68]
    middle = rim.mean(0)
    rim = middle + (rim - middle) * [1.1, 1.25, 1.0] - [0, 0, 7.0]
    shape = fan(rim)
    return Part(head.place(shape.vertices), shape.triangles, np.array([0.02, 0.006, 0.005]), sheet=True)
