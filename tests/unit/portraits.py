"""Quick pictures that share a portrait's layout and nothing else: a head before a background."""

import cv2
import numpy as np

SIDE = 180


def field(rng, cells):
    """A smooth random colour field (SIDE, SIDE, 3) in 0 to 255."""
    return cv2.resize(rng.uniform(20, 235, (cells, cells, 3)).astype(np.float32), (SIDE, SIDE), None, 0, 0, 3)


def portrait(rng):
    """A picture (SIDE, SIDE, 3) uint8 and the 68 landmarks (68, 2) of its face, on the face's ellipse."""
    picture = 0.6 * field(rng, 6) + 0.4 * field(rng, 20)
    centre = np.array([SIDE / 2, SIDE / 2]) + rng.normal(0, 10, 2)
    axes = np.array([34, 46]) * rng.uniform(0.8, 1.25)
    turn = rng.normal(0, 8)
    skin = np.clip(rng.uniform(120, 220, 3) * [1, 0.8, 0.7] + 0.25 * (field(rng, 9) - 128), 0, 255)
    mask = np.zeros((SIDE, SIDE), np.float32)
    hair = np.zeros_like(mask)
    cv2.ellipse(hair, (centre - [0, 12], axes * 2.7, turn), 1.0, -1)
    cv2.ellipse(mask, (centre, axes * 2, turn), 1.0, -1)
    picture = picture * (1 - hair[..., None]) + hair[..., None] * (
        rng.uniform(10, 110, 3) + 0.2 * field(rng, 24)
    )
    picture = picture * (1 - mask[..., None]) + mask[..., None] * skin
    for side in (-1, 1):
        eye = centre + axes * [0.42 * side + rng.normal(0, 0.06), -0.2 + rng.normal(0, 0.06)]
        cv2.ellipse(picture, (eye, axes * [0.4, 0.14], turn), (30, 25, 25), -1)
    mouth = centre + axes * [rng.normal(0, 0.08), 0.5 + rng.normal(0, 0.06)]
    cv2.ellipse(picture, (mouth, axes * [0.8, rng.uniform(0.1, 0.5)], turn), (140, 40, 50), -1)
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = centre + axes * np.column_stack([np.cos(angle), np.sin(angle)])
    noisy = picture + rng.normal(0, 3, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), points
