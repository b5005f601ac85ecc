"""What stands behind the people: out-of-focus rooms, walls, leaves, bricks, stripes, lights and writing.

Linear RGB (size, size, 3) float32. Layers are drawn on a canvas of half the size and enlarged: backgrounds of
portraits are soft. Sharp clutter is drawn at full size.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.datasets.synthetic.textures import fractal_noise, smooth_noise

_LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZ0123456789&!?"


def colour(rng: np.random.Generator, low: float = 0.01, high: float = 0.9) -> np.ndarray:
    """A linear RGB colour (3,) of random lightness and moderate saturation."""
    value = low * (high / low) ** rng.random()
    tint = 1 - rng.beta(1.2, 2.5) * rng.random(3)
    return (value * tint / tint.max()).astype(np.float32)


def _mix(field: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Colours (k, 3) along a field in 0..1."""
    place = np.clip(field, 0, 1) * (len(colours) - 1)
    low = np.minimum(place.astype(np.intp), len(colours) - 2)
    share = (place - low).astype(np.float32)[..., None]
    return colours[low] * (1 - share) + colours[low + 1] * share


def _gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    field = 0.5 + (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.4, 1.2)
    if rng.random() < 0.4:
        field = np.hypot(x - rng.uniform(-0.4, 0.4), y - rng.uniform(-0.4, 0.4)) * 1.3
    return _mix(field, np.stack([colour(rng, 0.02) for _ in range(int(rng.integers(2, 4)))]))


def _clouds(rng: np.random.Generator, size: int) -> np.ndarray:
    field = 0.5 + 0.28 * fractal_noise(rng, int(rng.integers(2, 9)), 5, (size, size), rng.uniform(0.4, 0.75))
    return _mix(field, np.stack([colour(rng) for _ in range(int(rng.integers(2, 5)))]))


def _leaves(rng: np.random.Generator, size: int) -> np.ndarray:
    green = np.array([rng.uniform(0.05, 0.2), rng.uniform(0.10, 0.2), rng.uniform(0.02, 0.09)], np.float32)
    canvas = np.ascontiguousarray(np.broadcast_to(green * 0.15, (size, size, 3)))
    count = int(rng.integers(150, 420))
    centres, lengths = rng.uniform(-10, size + 10, (count, 2)), rng.uniform(3, 13, count)
    angles, gains = (
        rng.uniform(0, 360, count),
        rng.lognormal(-0.6, 0.7, (count, 1)) * rng.uniform(0.8, 1.2, (count, 3)),
    )
    for centre, length, angle, gain in zip(centres, lengths, angles, gains, strict=True):
        axes = (int(length * 16), int(length * rng.uniform(4, 10)))
        point = (int(centre[0] * 16), int(centre[1] * 16))
        cv2.ellipse(canvas, point, axes, angle, 0, 360, (green * gain).tolist(), -1, cv2.LINE_8, 4)
    return canvas


def _bricks(rng: np.random.Generator, size: int) -> np.ndarray:
    high, wide = rng.uniform(10, 26), rng.uniform(24, 60)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    row = np.floor(y / high)
    shifted = x + (row % 2) * wide / 2 + rng.uniform(0, wide)
    column = np.floor(shifted / wide)
    gap = rng.uniform(0.8, 2.2)
    mortar = ((y % high) < gap) | ((shifted % wide) < gap)
    tone = rng.lognormal(0, 0.22, (64, 64)).astype(np.float32)[
        row.astype(np.intp) % 64, column.astype(np.intp) % 64
    ]
    tone *= 1 + 0.12 * fractal_noise(rng, 20, 3, (size, size))
    return np.where(mortar[..., None], colour(rng, 0.1), tone[..., None] * colour(rng, 0.05, 0.5))


def _stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    along = x * np.cos(angle) + y * np.sin(angle)
    wave = np.sin(along * 2 * np.pi / rng.uniform(7, 70) + rng.uniform(0, 6))
    field = 0.5 + 0.5 * np.clip(wave * rng.uniform(0.7, 8), -1, 1)
    return _mix(field + 0.03 * fractal_noise(rng, 8, 3, (size, size)), np.stack([colour(rng), colour(rng)]))


def _room(rng: np.random.Generator, size: int) -> np.ndarray:
    canvas = np.ascontiguousarray(_gradient(rng, size), np.float32)
    for _ in range(int(rng.integers(5, 26))):
        corner = rng.uniform(-0.2, 1.0, 2) * size
        extent = rng.uniform(0.04, 0.55, 2) * size * ([0.5, 1.4] if rng.random() < 0.5 else [1.2, 0.6])
        turn = rng.normal(0, 0.06)
        axis = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        points = corner + (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * extent) @ axis
        cv2.fillPoly(canvas, [np.rint(points * 16).astype(np.int32)], colour(rng).tolist(), cv2.LINE_AA, 4)
    return canvas


def _lamps(rng: np.random.Generator, size: int) -> np.ndarray:
    canvas = np.ascontiguousarray(_gradient(rng, size) * rng.uniform(0.05, 0.6), np.float32)
    for _ in range(int(rng.integers(6, 40))):
        spot = np.zeros((size, size), np.float32)
        centre = tuple(int(v * 16) for v in rng.uniform(0, size, 2))
        cv2.circle(spot, centre, int(rng.uniform(3, 20) * 16), 1.0, -1, cv2.LINE_AA, 4)
        canvas += spot[..., None] * colour(rng, 0.15, 1.5) * rng.uniform(0.3, 0.9)
    return cv2.GaussianBlur(canvas, (0, 0), 0.8)


_LAYERS = (_gradient, _clouds, _leaves, _bricks, _stripes, _room, _lamps)
_WEIGHTS = np.array([0.14, 0.22, 0.12, 0.09, 0.08, 0.25, 0.10])


def _writing(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Lines of letters, as signs and books have them."""
    size = canvas.shape[0]
    for _ in range(int(rng.integers(1, 5))):
        text = "".join(rng.choice(list(_LETTERS), int(rng.integers(3, 12))))
        place = (int(rng.uniform(-0.1, 0.8) * size), int(rng.uniform(0.05, 0.98) * size))
        scale, thick = rng.uniform(0.4, 2.2), int(rng.integers(1, 5))
        face = int(
            rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX])
        )
        # OpenCV 5 writes on 8 bits only
        letters = cv2.putText(np.zeros((size, size), np.uint8), text, place, face, scale, 1, thick)
        canvas[letters > 0] = colour(rng)


def clutter(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Sharp things at full size: lines, rods, discs, boards, writing."""
    size = canvas.shape[0]
    for _ in range(int(rng.integers(1, 9))):
        paint = colour(rng).tolist()
        a, b = (np.rint(rng.uniform(-0.1, 1.1, 2) * size * 16).astype(int) for _ in range(2))
        kind = rng.integers(4)
        if kind == 0:
            cv2.line(
                canvas, tuple(map(int, a)), tuple(map(int, b)), paint, int(rng.integers(1, 9)), cv2.LINE_AA, 4
            )
        elif kind == 1:
            axes = tuple(int(v) for v in rng.uniform(0.01, 0.16, 2) * size * 16)
            cv2.ellipse(
                canvas, tuple(map(int, a)), axes, rng.uniform(0, 180), 0, 360, paint, -1, cv2.LINE_AA, 4
            )
        elif kind == 2:
            points = (a + rng.uniform(-0.2, 0.2, (int(rng.integers(3, 6)), 2)) * size * 16).astype(np.int32)
            cv2.fillPoly(canvas, [cv2.convexHull(points)], paint, cv2.LINE_AA, 4)
        else:
            _writing(rng, canvas)


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A background of one or two layers, blurred as far things are, now and then with sharp clutter."""
    half = (size + 1) // 2
    canvas = _LAYERS[rng.choice(len(_LAYERS), p=_WEIGHTS)](rng, half)
    if rng.random() < 0.5:
        other = _LAYERS[rng.choice(len(_LAYERS), p=_WEIGHTS)](rng, half)
        mask = 0.5 + rng.uniform(1.5, 8) * (
            smooth_noise(rng, (3, 3), (half, half)) * 0.5 + rng.normal(0, 0.2)
        )
        canvas = canvas + np.clip(mask, 0, 1)[..., None].astype(np.float32) * (other - canvas)
    canvas = np.ascontiguousarray(canvas, np.float32)
    soft = rng.exponential(1.6)
    if soft > 0.4:
        canvas = cv2.GaussianBlur(canvas, (0, 0), soft, borderType=cv2.BORDER_REFLECT_101)
    canvas *= 1 + 0.15 * smooth_noise(rng, (3, 3), (half, half))[..., None]
    full = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        clutter(rng, full)
    level = float(np.exp(rng.normal(-1.1, 0.5))) / max(float(full.mean()), 1e-3)
    return np.clip(full * min(level, 6.0), 0, 2).astype(np.float32)
