"""Beanies, caps, hats, helmets and headscarves: shells above the hair, with brims where they have them."""

from __future__ import annotations

import numpy as np

from pipeline.datasets.synthetic.anatomy import Head, sphere_grid
from pipeline.datasets.synthetic.backgrounds import colour as random_colour
from pipeline.datasets.synthetic.meshes import Part, cloth, grid_triangles
from pipeline.datasets.synthetic.textures import Texture, smooth_noise

KINDS = ("beanie", "cap", "hat", "helmet", "headscarf")


def _dome(
    head: Head, edge: np.ndarray, thickness: float, bulge: np.ndarray | float, rows: int = 22
) -> tuple[np.ndarray, np.ndarray]:
    """Points (rows * columns, 3) mm from the crown down to the edge's elevations (columns,), and their shares."""
    columns = len(edge)
    share = np.repeat(np.linspace(0, 1, rows), columns)
    azimuth = np.tile(np.linspace(-np.pi, np.pi, columns), rows)
    elevation = np.pi / 2 - 1e-3 + share * (np.tile(edge, rows) - np.pi / 2)
    lip = np.clip((1.0 - share) * rows, 0, 1) ** 0.5
    points, _ = head.shell(elevation, azimuth, (thickness + bulge) * lip - 2 * (1 - lip))
    return points, share


def _brim(
    points: np.ndarray, columns: int, azimuth: np.ndarray, reach: np.ndarray, drop: float
) -> tuple[np.ndarray, np.ndarray]:
    """A sheet from the dome's edge outwards: points (9 * columns, 3) and triangles; reach (columns,) mm."""
    edge = points[-2 * columns : -columns]
    out = np.stack([np.sin(azimuth), np.zeros(columns), np.cos(azimuth)], 1)
    along = np.linspace(0, 1, 9)[:, None, None]
    lift = np.array([0.0, 1.0, 0.0])
    curve = -drop * along - 0.18 * along**2
    sheet = edge[None] + reach[None, :, None] * (along * out[None] + curve * lift)
    return sheet.reshape(-1, 3), grid_triangles(9, columns)


def make(rng: np.random.Generator, head: Head, hair_thickness: float) -> tuple[list[Part], str]:
    """Something on a head whose hair is ``hair_thickness`` mm thick, and its name."""
    kind = str(rng.choice(KINDS, p=[0.27, 0.30, 0.18, 0.11, 0.14]))
    paint = random_colour(rng, 0.01, 0.7).astype(np.float64)
    if kind == "headscarf":
        return [_headscarf(rng, head, paint, hair_thickness)], kind
    columns = 73
    azimuth = np.linspace(-np.pi, np.pi, columns)
    front, back = np.radians(rng.uniform(22, 34)), np.radians(rng.uniform(-22, 4))
    if kind == "helmet":
        back = np.radians(-30)
    edge = back + (front - back) * (0.5 + 0.5 * np.cos(azimuth)) ** (1.6 if kind == "helmet" else 1.0)
    thickness = max(hair_thickness * 0.8, 3.0) + {"beanie": 3.0, "cap": 4.0, "hat": 7.0, "helmet": 20.0}[kind]
    rows = 22
    lumps = smooth_noise(rng, (6, 8), (rows, columns)).ravel()
    tall = np.repeat(np.clip(1 - np.linspace(0, 1, rows) * 1.3, 0, 1), columns)
    bulge = {
        "beanie": 5 * lumps + rng.uniform(0, 35) * tall,
        "cap": 6 * tall,
        "hat": 40 * tall**0.4,
        "helmet": 0.0,
    }
    points, share = _dome(head, edge, thickness, bulge[kind], rows)
    texture = {"beanie": Texture.KNIT, "helmet": Texture.PLAIN}.get(kind, Texture.CLOTH)
    colour = np.broadcast_to(paint, (len(points), 3))
    if kind in ("beanie", "hat", "helmet") and rng.random() < 0.6:
        band = (
            (share > rng.uniform(0.72, 0.85))
            if kind != "helmet"
            else (np.abs(np.tile(azimuth, rows)) % 1.2 < 0.3)
        )
        colour = np.where(band[:, None], random_colour(rng), colour)
    surface = np.stack([np.tile(azimuth, rows) * 122, share * 200], 1)
    gloss, shine = (0.22, 60.0) if kind == "helmet" else (0.01, 8.0)
    made = [
        Part(
            head.place(points),
            grid_triangles(rows, columns),
            colour,
            gloss,
            shine,
            texture=texture,
            coordinates=surface,
            sheet=True,
        )
    ]
    if kind in ("cap", "hat"):
        turned = rng.random() < 0.12 and kind == "cap"
        centred = (azimuth + np.pi) % (2 * np.pi) - np.pi if turned else azimuth
        shape = np.sqrt(np.clip(np.cos(azimuth * 1.25), 0, 1)) * (np.abs(azimuth) < 1.25)
        reach = rng.uniform(55, 80) * (np.roll(shape, columns // 2) if turned else shape)
        if kind == "hat":
            reach = np.full(columns, rng.uniform(30, 85))
        sheet, triangles = _brim(
            points, columns, centred if not turned else azimuth, reach, rng.uniform(-0.05, 0.35)
        )
        made.append(
            Part(head.place(sheet), triangles, paint * 0.9, occlusion=0.8, sheet=True, texture=Texture.CLOTH)
        )
    return made, kind


def _headscarf(rng: np.random.Generator, head: Head, paint: np.ndarray, hair_thickness: float) -> Part:
    """Cloth over hair, ears and throat with an opening for the face."""
    rows, columns = 56, 91
    elevation, azimuth, triangles, surface = sphere_grid(rows, columns, np.radians(-80))
    wide, high = np.radians(rng.uniform(56, 70)), np.radians(rng.uniform(42, 50))
    away = np.hypot(azimuth / wide, (elevation + np.radians(13)) / high)
    folds = smooth_noise(rng, (6, 14), (rows, columns)).ravel()
    thick = max(0.7 * hair_thickness, 3) + 5 + 3.0 * folds + 14 * np.clip(-elevation - 0.6, 0, 1)
    ramp = np.clip((away - 1) * 14, -30, 1)
    points, _ = head.shell(
        elevation, azimuth, np.where(ramp > 0, thick * np.clip(ramp, 0, 1) ** 0.5, 4.0 * ramp)
    )
    light = np.clip(0.85 + 0.08 * folds, 0.5, 1)
    return cloth(head.place(points), triangles, paint, light, surface * [512, 256])
