"""Changes of colour and sharpness for the networks that look for faces, on uint8 pictures."""

from __future__ import annotations

import cv2
import numpy as np


def disturb(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Picture (h, w, 3) uint8 -> a new one with other gains, offset, gamma and contrast, sometimes grey, blurred or
    noisy."""
    gains = rng.uniform(0.7, 1.3, 3) if rng.random() < 0.8 else np.full(3, rng.uniform(0.5, 1.5))
    gamma, offset = np.exp(rng.normal(0, 0.4)), rng.normal(0, 10)
    table = 255 * (np.arange(256) / 255) ** gamma
    if rng.random() < 0.3:
        table = 128 + np.exp(rng.normal(0.2, 0.3)) * (table - 128)
    table = np.clip(table[:, None] * gains + offset, 0, 255).astype(np.uint8)
    out = cv2.LUT(image, table.reshape(256, 1, 3))
    if rng.random() < 0.2:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    if rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.2:
        spread = rng.uniform(2, 14)
        noise = rng.integers(-128, 128, out.shape, dtype=np.int16) * (spread / 74)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    return out


def cut_out(image: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture as if cut out about its faces' boxes (n, 4), in pixels, and laid on a plain ground, most often black;
    changed in place."""
    height, width = image.shape[:2]
    size = np.array([width, height])
    if len(boxes):
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    else:
        low, high = size * rng.uniform(0.1, 0.4, 2), size * rng.uniform(0.6, 0.9, 2)
    room = rng.uniform(0, 0.8, (2, 2)) * (high - low)
    x1, y1 = np.clip(np.floor(low - room[0]), 0, size).astype(int)
    x2, y2 = np.clip(np.ceil(high + room[1]), 0, size).astype(int)
    ground = 0 if rng.random() < 0.6 else rng.integers(0, 256, 3)
    image[:y1], image[y2:], image[:, :x1], image[:, x2:] = ground, ground, ground, ground
    return image


def cover(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture with one rectangle or ellipse of a plain or noisy colour over part of it, changed in place."""
    height, width = image.shape[:2]
    size = (rng.uniform(0.1, 0.4, 2) * [width, height]).astype(int)
    centre = (rng.uniform(0.15, 0.85, 2) * [width, height]).astype(int)
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    if rng.random() < 0.5:
        cv2.ellipse(image, tuple(centre), tuple(size // 2), rng.uniform(0, 180), 0, 360, colour, -1)
    else:
        corner = np.maximum(centre - size // 2, 0)
        part = image[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]]
        part[:] = rng.integers(0, 256, part.shape) if rng.random() < 0.5 else colour
    return image
