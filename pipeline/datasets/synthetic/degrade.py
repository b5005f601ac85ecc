"""From linear light to the file's pixels: exposure, colour cast, tone curve, blur, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings


@dataclass(frozen=True)
class Camera:
    """What a camera and a file do to a picture.

    target: gain on the light. cast (3,): white balance. curve: contrast about the middle. blur: sigma, px. motion:
    length of a shake, px, along ``angle``. shrink: factor of a detour through fewer pixels. noise: sigma, of full
    scale; grain: share of it in colour. vignette: loss at the corners. quality: of the JPEG.
    """

    target: float
    cast: np.ndarray
    saturation: float
    curve: float
    blur: float
    motion: float
    angle: float
    shrink: float
    noise: float
    grain: float
    vignette: float
    quality: int


def sample_camera(rng: np.random.Generator, settings: SyntheticSettings) -> Camera:
    """An ordinary camera for one picture."""
    low, high = settings.jpeg_quality
    return Camera(
        target=float(np.exp(rng.normal(np.log(0.95), 0.28))),
        cast=np.exp(rng.normal(0, 0.05, 3)),
        saturation=0.0 if rng.random() < 0.05 else float(np.clip(rng.normal(0.95, 0.2), 0.3, 1.5)),
        curve=float(rng.normal(0.12, 0.15)),
        blur=float(rng.exponential(settings.blur)),
        motion=float(rng.uniform(2, 9)) if rng.random() < 0.07 else 0.0,
        angle=float(rng.uniform(0, np.pi)),
        shrink=float(rng.uniform(1.3, 2.6)) if rng.random() < 0.15 else 1.0,
        noise=float(rng.exponential(settings.noise)),
        grain=float(rng.uniform(0.2, 1.0)),
        vignette=float(max(rng.normal(0.06, 0.12), 0)),
        quality=int(rng.integers(low, high + 1)),
    )


def develop(linear: np.ndarray, camera: Camera) -> np.ndarray:
    """Display values (h, w, 3) float32 in 0..1 of linear light (h, w, 3): square root, soft shoulder, contrast."""
    grey = np.array([0.25, 0.65, 0.10])
    mix = camera.saturation * np.eye(3) + (1 - camera.saturation) * grey
    light = cv2.transform(linear, (mix * camera.target * camera.cast).astype(np.float32))
    if camera.vignette > 0.02:
        height, width = light.shape[:2]
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        light *= (1 - camera.vignette * (x * x + y * y) / 2).astype(np.float32)[..., None]
    np.maximum(light, 0, out=light)
    share = light * np.float32(0.30)
    share += 1
    light /= share
    shown = cv2.sqrt(light)
    shown *= np.float32(1.10)
    np.subtract(1, shown, out=share)
    light = shown - np.float32(0.45)
    share *= light
    share *= np.float32(camera.curve)
    shown += share
    return np.clip(shown, 0, 1, out=shown)


def soften(shown: np.ndarray, camera: Camera) -> np.ndarray:
    """Blur, shake and lost resolution."""
    size = shown.shape[0]
    if camera.shrink > 1:
        few = max(int(size / camera.shrink), 8)
        shown = cv2.resize(shown, (few, few), interpolation=cv2.INTER_AREA)
        shown = cv2.resize(shown, (size, size), interpolation=cv2.INTER_LINEAR)
    if camera.blur > 0.25:
        shown = cv2.GaussianBlur(shown, (0, 0), camera.blur, borderType=cv2.BORDER_REFLECT_101)
    if camera.motion:
        reach = int(np.ceil(camera.motion))
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        for step in np.linspace(-0.5, 0.5, 4 * reach + 1) * camera.motion:
            x, y = reach + step * np.cos(camera.angle), reach + step * np.sin(camera.angle)
            kernel[round(y), round(x)] += 1
        shown = cv2.filter2D(shown, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    return shown


def expose(rng: np.random.Generator, linear: np.ndarray, camera: Camera) -> np.ndarray:
    """The picture (h, w, 3) uint8 RGB that the camera makes of linear light."""
    shown = soften(develop(linear, camera), camera)
    if camera.noise > 0.002:
        height, width = shown.shape[:2]
        bright = rng.standard_normal((height, width, 1), dtype=np.float32)
        coarse = rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32)
        colour = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        colour *= np.float32(camera.grain)
        colour += bright
        colour *= np.float32(camera.noise)
        shown = shown + colour
    return cv2.convertScaleAbs(np.maximum(shown, 0, out=shown), alpha=255.0)
