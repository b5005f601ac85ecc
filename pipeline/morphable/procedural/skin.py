"""Colours of the mean head and how they differ between people, in linear RGB.

Skin tones lie on a line from dark to light brown, as measured skin does to first order (melanin); redness
(haemoglobin) and a yellow tint are further modes.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from pipeline.morphable.model import Region
from pipeline.morphable.procedural import eyes, mouth, nose, outlines, relief
from pipeline.morphable.procedural.anatomy import Anatomy
from pipeline.morphable.procedural.relief import bump, smooth_step

SKIN = np.array([0.50, 0.300, 0.215])
HAIR = np.array([0.065, 0.042, 0.030])
LIP = np.array([0.36, 0.145, 0.125])


def noise(points: np.ndarray, wavelength: float, seed: int) -> np.ndarray:
    """(n,) smooth random values of mean 0 and deviation 1 over points (n, k) with this typical wavelength."""
    rng = np.random.Generator(np.random.PCG64(seed))
    value = np.zeros(len(points))
    for _ in range(24):
        direction = rng.standard_normal(points.shape[1])
        direction *= 2 * np.pi / (wavelength * np.linalg.norm(direction) * rng.uniform(0.7, 1.5))
        value += np.cos(points @ direction + rng.uniform(0, 2 * np.pi))
    return value / np.sqrt(12.0)


def _noise_where(share: np.ndarray, points: np.ndarray, wavelength: float, seed: int) -> np.ndarray:
    """`noise` where the share (n,) is not 0, and 0 elsewhere."""
    value, rows = np.zeros(len(points)), np.flatnonzero(share)
    value[rows] = noise(points[rows], wavelength, seed)
    return value


class Complexion:
    """Where on the head is skin, lip, brow, hair, iris, beard: (N,) shares from 0 to 1."""

    def __init__(self, head: Anatomy) -> None:
        bare, lid = head.bare, head.lid
        x, y = np.abs(bare[:, 0]), bare[:, 1]
        front = head.theta < np.radians(75)
        pocket = np.abs(head.t) < 0.97
        self.eye = smooth_step((-lid + 0.1) / 0.5) * (lid < 50)
        self.pocket = pocket.astype(float)
        top, bottom = outlines.height("lip_top", x), outlines.height("lip_bottom", x)
        margin = np.minimum(top - y, y - bottom)
        on_lip = front & (x < outlines.MOUTH_HALF + 1.0) & ~pocket
        self.lip = smooth_step(margin / 1.6 + 0.55) * on_lip * smooth_step((outlines.MOUTH_HALF + 1 - x) / 3)
        inside = outlines.inside_brow(x, y)
        strands = 0.90 + 0.09 * _noise_where(inside > -0.7, bare[:, :2] * [1.0, 0.45], 2.6, 31)
        fade = smooth_step((x - 9.5) / 6.0) * front
        self.brow = np.clip(smooth_step(inside / 0.7 + 0.25) * fade * strands, 0.0, 1.0)
        self.brow_edge = smooth_step((inside + 0.7) / 0.6) * fade * (1 - smooth_step(inside / 0.7)) * strands
        self.hair = relief.hair_share(head.theta, head.b) * (head.regions != Region.EAR)
        self.hair = smooth_step(self.hair * 1.3 - 0.15 + 0.08 * noise(bare, 12.0, 32))
        self.nostril = np.clip(1.25 * nose.nostril_share(bare), 0.0, 1.0) * front
        radius = eyes.iris_distance(bare)
        self.iris = self.eye * (1.0 - smooth_step((radius - eyes.IRIS + 0.5) / 0.8))
        self.pupil = self.eye * (1.0 - smooth_step((radius - eyes.PUPIL + 0.3) / 0.6))
        self.limbus = self.eye * np.exp(-0.5 * ((radius - eyes.IRIS + 0.2) / 0.45) ** 2)
        self.radius = radius
        above = smooth_step((y - outlines.EYE_CENTRE[1] + 1.0) / 2.0)
        near = np.exp(-0.5 * ((lid + 0.1) / 0.75) ** 2)
        self.lash = near * (0.30 + 0.68 * above) * smooth_step((x - 16.5) / 4.0)
        self.skin = (1 - self.eye) * (1 - self.pocket)
        self.beard = _beard(head) * self.skin * (1 - self.lip)
        self.moustache = self.beard * bump(bare, (0.0, -58.0), (24.0, 6.0))

    def inside_mouth(self, head: Anatomy) -> np.ndarray:
        """(N, 3) linear RGB of flesh and teeth; only where ``pocket`` is not 0 does it count."""
        depth = np.abs(head.t)
        side = smooth_step((np.abs(head.bare[:, 0]) - 7.0) / 9.0) * (depth < 0.7)
        flesh = (
            np.array([0.16, 0.035, 0.03])
            * (0.08 + 0.92 * smooth_step((depth - 0.08) / 0.4) * (1.0 - 0.9 * side))[:, None]
        )
        low, high = mouth.TEETH
        teeth = smooth_step((depth - low) / 0.05) * (1.0 - smooth_step((depth - high) / 0.05))
        teeth *= 1.0 - smooth_step((np.abs(head.bare[:, 0]) - 13.0) / 6.0)
        gaps = 0.82 + 0.18 * np.clip(3.0 * np.abs(np.sin(np.pi * head.bare[:, 0] / 8.0)), 0.0, 1.0)
        return mix(flesh, np.array([0.62, 0.57, 0.48]) * gaps[:, None], teeth)


def _beard(head: Anatomy) -> np.ndarray:
    x, y = np.abs(head.bare[:, 0]), head.bare[:, 1]
    degrees = np.degrees(head.theta)
    upper = np.interp(degrees, [0, 20, 30, 45, 60, 72, 79, 86], [-54, -55, -66, -72, -66, -40, -10, -10])
    grown = smooth_step((upper - head.b) / 7.0) * smooth_step((head.b + 138.0) / 14.0)
    grown *= 1.0 - smooth_step((degrees - 80.0) / 10.0)
    under_lip = bump(head.bare, (13.0, -87.0), (6.0, 5.0))
    return grown * (1 - 0.45 * under_lip) * np.where((x < 3) & (y > -64) & (y < -53), 0.7, 1.0)


def mean_colour(head: Anatomy, part: Complexion) -> np.ndarray:
    """(N, 3) linear RGB of the mean head."""
    bare = head.bare
    warm = 0.55 * bump(bare, (40.0, -38.0), (15.0, 13.0)) + 0.5 * bump(bare, (0.0, -43.0), (11.0, 9.0))
    warm = warm + 0.3 * bump(bare, (0.0, -106.0), (14.0, 9.0)) + 0.7 * (head.regions == Region.EAR)
    colour = SKIN * (1.0 + warm[:, None] * np.array([0.04, -0.16, -0.16]))
    colour *= 1.0 - 0.16 * bump(bare, (28.0, -17.0), (10.0, 4.0))[:, None]
    colour *= 1.0 - 0.14 * bump(bare, (30.0, 2.0), (12.0, 4.0))[:, None]
    colour *= 1.0 + 0.025 * noise(bare, 9.0, 33)[:, None] + 0.02 * noise(bare, 3.5, 34)[:, None]
    chapped = _noise_where(part.lip, bare * [1.0, 0.2, 1.0], 2.4, 35)
    colour = mix(colour, LIP * (1 + 0.06 * chapped[:, None]), 0.9 * part.lip)
    fold = np.exp(-0.5 * ((bare[:, 1] - outlines.height("lip_line", bare[:, 0])) / 0.8) ** 2) * part.lip
    colour *= 1.0 - 0.45 * fold[:, None]
    colour = mix(colour, HAIR, 0.86 * part.brow)
    colour = mix(colour, HAIR * (1 + 0.15 * _noise_where(part.hair, bare, 18.0, 36)[:, None]), part.hair)
    colour *= 1.0 - 0.9 * part.nostril[:, None]
    colour = mix(colour, _eyeball(head, part), part.eye)
    colour = mix(colour, np.array([0.02, 0.015, 0.012]), part.lash)
    return np.clip(mix(colour, part.inside_mouth(head), part.pocket), 0.003, 1.0)


def mix(colour: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``colour`` (N, 3) with ``other`` in it by ``share`` (N,)."""
    return colour + (other - colour) * share[:, None]


def _eyeball(head: Anatomy, part: Complexion) -> np.ndarray:
    x = np.abs(head.bare[:, 0])
    shade = 0.72 + 0.28 * smooth_step(-head.lid / 3.5)
    white = np.array([0.66, 0.62, 0.60]) * shade[:, None]
    white = mix(white, np.array([0.50, 0.24, 0.21]), 0.8 * smooth_step((20.5 - x) / 2.5))
    rays = 1.0 + 0.25 * _noise_where(part.iris, head.bare[:, :2], 1.6, 37)
    iris = np.array([0.085, 0.048, 0.024]) * (rays * (1.4 - 0.12 * part.radius))[:, None] * shade[:, None]
    eye = mix(white, iris, part.iris)
    eye = mix(eye, np.array([0.02, 0.015, 0.012]), 0.6 * part.limbus)
    return mix(eye, np.array([0.004, 0.004, 0.004]), part.pupil)


def colour_fields(head: Anatomy, part: Complexion, mean: np.ndarray) -> list[tuple[str, bool, np.ndarray]]:
    """(name, one way only, (N, 3) change of linear RGB at one sigma) of the ways in which skins differ.

    ``mean`` (N, 3) is `mean_colour` of the same head.
    """
    bare, skin = head.bare, part.skin
    plain = skin * (1 - part.hair) * (1 - 0.75 * part.brow) * (1 - 0.8 * part.lash) * (1 - 0.9 * part.nostril)
    tone = plain[:, None] * np.clip(mean / SKIN, 0.0, 1.2)
    cheek = bump(bare, (41.0, -36.0), (14.0, 12.0)) + 0.6 * bump(bare, (0.0, -43.0), (11.0, 8.0))
    dark = np.array([-1.0, -0.62, -0.45])
    beard = part.beard * (0.8 + 0.2 * _noise_where(part.beard, bare, 3.5, 38))
    hair_colour = part.hair + 0.75 * part.brow
    socket = bump(bare, (29.0, -16.0), (11.0, 4.5)) * skin * (1 - part.lash)
    lid = np.exp(-0.5 * ((head.lid - 3.0) / 2.6) ** 2) * (bare[:, 1] > -6.0) * skin * (1 - part.lash)
    changes = [
        ("tone", False, tone, (0.150, 0.105, 0.081)),
        ("redness", False, plain, (0.020, -0.016, -0.014)),
        ("yellow", False, plain, (0.006, 0.004, -0.014)),
        ("flush", False, plain * cheek, (0.016, -0.030, -0.026)),
        ("lip red", False, part.lip, (0.050, -0.030, -0.020)),
        ("lip dark", False, part.lip, (-0.075, -0.030, -0.025)),
        ("brow dark", False, part.brow, (-0.045, -0.035, -0.026)),
        ("brow thick", False, part.brow_edge * skin, (-0.110, -0.065, -0.045)),
        ("iris blue", True, part.iris * (1 - part.pupil), (0.009, 0.032, 0.058)),
        ("iris green", True, part.iris * (1 - part.pupil), (0.018, 0.022, 0.005)),
        ("beard", True, beard, (-0.130, -0.075, -0.052)),
        ("moustache", True, part.moustache, (-0.130, -0.078, -0.055)),
        ("eye rings", False, socket, (-0.050, -0.038, -0.026)),
        ("lid shade", True, lid, (-0.050, -0.045, -0.030)),
        ("freckles", True, plain * _spots(head, 41, 260, 1.3), (-0.035, -0.030, -0.022)),
        ("blemishes", True, plain * _spots(head, 42, 26, 2.0), (-0.008, -0.040, -0.034)),
        ("moles", True, plain * _spots(head, 43, 7, 1.8), (-0.150, -0.100, -0.075)),
        ("hair light", True, hair_colour, (0.055, 0.036, 0.018)),
        ("hair grey", True, hair_colour, (0.035, 0.036, 0.037)),
        ("hair thin", True, part.hair, (0.100, 0.058, 0.040)),
        ("patches", False, plain * noise(bare, 60.0, 44), (0.008, 0.006, 0.005)),
        ("blotches", False, plain * noise(bare, 22.0, 45), (0.003, 0.004, 0.003)),
        ("sun", False, plain * smooth_step((bare[:, 1] - 5.0) / 50.0), tuple(0.03 * dark)),
        ("pores", False, plain * noise(bare, 5.0, 46), (0.007, 0.005, 0.004)),
    ]
    fields = []
    for name, one_way, share, step in changes:
        share = share if share.ndim == 2 else share[:, None]
        fields.append((name, one_way, share * np.array(step)))
    return fields


def _spots(head: Anatomy, seed: int, count: int, radius: float) -> np.ndarray:
    """(N,) small spots on the face at random places, nearer to nose and cheeks than to the rim."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x, y = rng.normal(0.0, 30.0, count), rng.uniform(-105.0, 45.0, count)
    size = radius * rng.uniform(0.6, 1.4, count)
    strength = rng.uniform(0.4, 1.0, count)
    near = np.flatnonzero((head.theta < 1.35) & (np.abs(head.t) > 1))
    spots = np.zeros(len(head.bare))
    within = cKDTree(head.bare[near, :2]).query_ball_point(np.stack([x, y], axis=1), 4.0 * size)
    for index, rows in enumerate(within):
        spot = near[rows]
        square = (head.bare[spot, 0] - x[index]) ** 2 + (head.bare[spot, 1] - y[index]) ** 2
        spots[spot] = np.maximum(spots[spot], strength[index] * np.exp(-0.5 * square / size[index] ** 2))
    return spots
