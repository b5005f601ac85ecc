"""Hair: a shell over the skull that dips under the skin at the hairline, strands on it, and curtains of long hair.

Directions are seen from the skull's centre: elevation up, azimuth 0 at the face. The hairline is a curve of elevation
over |azimuth| from the forehead over the temple, round the ear and to the nape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.synthetic.anatomy import CENTRE, Head, HeadModel, sphere_grid
from pipeline.datasets.synthetic.meshes import Part, grid_surface, grid_triangles
from pipeline.datasets.synthetic.textures import Texture, smooth_noise
from pipeline.morphable.model import Region

_AROUND = np.radians([0, 22, 42, 56, 68, 78, 88, 100, 112, 135, 180])
_SHORT = np.radians([33, 32, 26, 14, -4, -16, 8, 10, -26, -34, -36])
_FADE = np.radians(9)
_LONG = np.radians([33, 32, 26, 14, -6, -30, -52, -62, -62, -62, -62])

COLOURS = np.array(
    [
        (0.006, 0.005, 0.005),
        (0.012, 0.009, 0.007),
        (0.030, 0.016, 0.009),
        (0.070, 0.036, 0.017),
        (0.130, 0.075, 0.036),
        (0.270, 0.175, 0.080),
        (0.450, 0.330, 0.180),
        (0.200, 0.060, 0.020),
        (0.170, 0.160, 0.155),
        (0.480, 0.470, 0.460),
        (0.100, 0.010, 0.160),
        (0.010, 0.060, 0.200),
    ]
)
_SHARES = np.array([20, 16, 14, 13, 9, 7, 4, 4, 5, 4, 2, 2]) / 100


@dataclass(frozen=True)
class HairStyle:
    """What one person's hair is like; lengths in mm, angles in radians.

    ramp: angle over which it reaches its thickness; sides: thickness there, as a share; flow: way of the strands.
    """

    thickness: float
    full: bool
    bald: bool
    long: bool
    length: float
    lift: float
    fringe: float
    parting: float
    curly: bool
    flow: str
    ramp: float
    sides: float
    colour: np.ndarray
    seed: int


def sample_style(rng: np.random.Generator, full: bool) -> HairStyle:
    """A person's hair; without ``full`` it is a shaved head's shadow."""
    colour = COLOURS[rng.choice(len(COLOURS), p=_SHARES)] * np.exp(rng.normal(0, 0.15, 3))
    style = rng.random()
    long = full and style > 0.5
    thick = rng.uniform(5, 16) if style < 0.4 else rng.uniform(9, 30)
    return HairStyle(
        thickness=float(thick) if full else 1.5,
        full=full,
        bald=bool(not full and rng.random() < 0.5),
        long=long,
        length=float(rng.uniform(90, 330)),
        lift=float(rng.normal(0, 0.07) + (0.25 if rng.random() < 0.12 else 0)),
        fringe=float(rng.uniform(0.15, 0.52)) if full and rng.random() < 0.28 else 0.0,
        parting=float(rng.uniform(-0.8, 0.8)),
        curly=bool(rng.random() < 0.22),
        flow=str(rng.choice(["crown", "back", "side"], p=[0.4, 0.3, 0.3])),
        ramp=float(rng.uniform(0.25, 0.75)),
        sides=1.0 if long else float(rng.uniform(0.12, 0.8)),
        colour=colour,
        seed=int(rng.integers(1 << 31)),
    )


def hairline(style: HairStyle, azimuth: np.ndarray) -> np.ndarray:
    """Elevation (radians) above which hair grows, for azimuths in -pi to pi."""
    around = np.abs(azimuth)
    line = np.interp(around, _AROUND, _LONG if style.long else _SHORT)
    front = np.clip(1 - around / 0.95, 0, 1)
    line = line + style.lift * np.sqrt(front)
    swept = np.clip(2.2 - 2.4 * np.abs(azimuth - 0.35 * style.parting), 0, 1) ** 0.7
    return line - style.fringe * swept


def roots(traits: HeadModel, style: HairStyle) -> np.ndarray:
    """(N,) share of each of a head's vertices that lies under the roots of short hair, fading over its line."""
    elevation, azimuth = traits.directions
    line = hairline(replace(style, long=False, fringe=0.0), azimuth)
    here = np.isin(traits.model.regions, (Region.SCALP, Region.SKIN, Region.NECK))
    return np.where(here, np.clip((elevation - line) / _FADE + 0.5, 0, 1), 0.0)


def _flow(style: HairStyle, elevation: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """(N, 2) strand coordinates: from the crown down, from the brow back, or from the parting to the sides."""
    across = np.cos(elevation)
    x, y, z = across * np.sin(azimuth), np.sin(elevation), across * np.cos(azimuth)
    if style.flow == "crown":
        return np.stack([azimuth * 122, elevation * 45], 1)
    if style.flow == "back":
        return np.stack([np.arcsin(np.clip(x, -1, 1)) * 150, np.arctan2(y, z) * 45], 1)
    side = np.sin(0.5 * style.parting)
    return np.stack([np.arctan2(z, np.hypot(x - side, y)) * 150, np.arctan2(y, x - side) * 45], 1)


def shell(head: Head, style: HairStyle) -> Part:
    """The hair on the skull; where none grows the shell runs under the skin."""
    rng = np.random.default_rng(style.seed)
    rows, columns = 40, 91
    elevation, azimuth, triangles, _ = sphere_grid(rows, columns, np.radians(-64))
    ragged = (
        smooth_noise(rng, (2, 40), (1, columns))[0] * 0.04 + smooth_noise(rng, (2, 9), (1, columns))[0] * 0.04
    )
    rise = elevation - hairline(style, azimuth) - np.tile(ragged, rows)
    grown = np.clip(rise / style.ramp, -1, 1)
    height = np.clip(0.5 + 0.9 * np.sin(elevation), 0, 1)
    body = style.sides + (1 - style.sides) * height**0.8
    lumps = smooth_noise(rng, (7, 9), (rows, columns)).ravel()
    amount = 0.30 if style.curly else 0.16
    line = np.exp(-(((azimuth - style.parting) / 0.07) ** 2)) * (np.abs(azimuth) < 1.2)
    thick = style.thickness * body * (1 + amount * lumps) * (1 - 0.45 * line) * np.abs(grown) ** 0.7
    least = -1.0 if style.bald else 3.0
    thick = np.where(rise > 0, thick + least, np.maximum(40 * rise, -45.0) + min(least, 0))
    points, _ = head.shell(elevation, azimuth, thick)
    strands = _flow(style, elevation, azimuth)
    if style.curly:
        strands = np.stack([azimuth * 60, elevation * 80], 1)
    shade = np.clip(0.55 + 0.45 * np.clip(rise / 0.5, 0, 1) + 0.10 * lumps - 0.25 * line, 0.3, 1.2)
    return Part(
        vertices=head.place(points),
        triangles=triangles,
        albedo=style.colour * (1 + 0.12 * lumps[:, None]).clip(0.4, 2),
        gloss=0.02 if style.curly else 0.05,
        shine=9.0,
        occlusion=shade,
        texture=Texture.CURLS if style.curly else Texture.STRANDS,
        coordinates=strands,
        sheet=True,
    )


def curtain(head: Head, style: HairStyle, down: np.ndarray) -> Part:
    """Long hair that hangs from the ears and the nape along ``down`` (unit, head's frame)."""
    rng = np.random.default_rng(style.seed + 1)
    rows, columns = 26, 81
    opening = np.radians(rng.uniform(62, 92))
    azimuth = np.linspace(opening, 2 * np.pi - opening, columns)
    start, _ = head.shell(
        np.full(columns, np.radians(2.0)), azimuth, np.full(columns, 0.55 * style.thickness + 3)
    )
    along = np.linspace(0, 1, rows)[:, None, None]
    outward = (start - CENTRE) * [1, 0, 1]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    wave = smooth_noise(rng, (5, 14), (rows, columns))[..., None] * (7 if style.curly else 3.5)
    narrow = -26 * np.sin(np.pi * np.clip(along * style.length / 170, 0, 1)) * (start[None, :, 2:] < -110)
    flare = 10 * np.clip(along * style.length / 120 - 0.6, 0, 1.5)
    tips = 1 + 0.10 * smooth_noise(rng, (2, 24), (1, columns))[..., None] * (along > 0.6)
    drop = along * style.length * tips
    gravity = np.clip(along * 2.2, 0, 1)
    direction = (1 - gravity) * np.array([0, -1, 0]) + gravity * down
    points = (start + drop * direction + outward * (wave * np.sqrt(along) + narrow + flare)).reshape(-1, 3)
    surface = grid_surface(rows, columns)
    texture = Texture.CURLS if style.curly else Texture.STRANDS
    return Part(
        vertices=head.place(points),
        triangles=grid_triangles(rows, columns),
        albedo=style.colour * (1 + 0.10 * wave.ravel() / 3.5)[:, None].clip(0.4, 2),
        gloss=0.02 if style.curly else 0.06,
        shine=9.0,
        occlusion=0.75,
        texture=texture,
        coordinates=np.stack([surface[:, 0] * 700, surface[:, 1] * style.length * 0.6], 1),
        sheet=True,
    )


def parts(head: Head, style: HairStyle, down: np.ndarray, skin: np.ndarray) -> list[Part]:
    """All of a person's hair; for a bald head the skull in the skin's colour (3,), unless the model has its own."""
    if not style.full and head.traits.has_scalp:
        return []
    if style.bald:
        bare = shell(head, style)
        return [replace(bare, albedo=skin, gloss=0.05, shine=14.0, occlusion=1.0, texture=Texture.SKIN)]
    return [shell(head, style)] + ([curtain(head, style, down)] if style.long else [])
