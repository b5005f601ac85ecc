"""Crop and map change together, by a similarity about the centre."""

import numpy as np
import pytest

from pipeline.config import AugmentSettings
from pipeline.seeding import rng
from pipeline.training.augment import Similarity, augment, draw_similarity, paste_noise

OFF = AugmentSettings(rotation=0, translation=0, scale=(1, 1), colour=(1, 1), occlusion=0)


def positions(size=32):
    return rng("map").uniform(5, size - 6, (size, size, 3)).astype(np.float32)


def spot(x, y, side=64):
    """A crop with a Gaussian spot at (x, y) px."""
    grid = np.arange(side)
    plane = np.exp(-((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) / 18)
    return np.repeat((255 * plane).round().astype(np.uint8)[..., None], 3, axis=2)


def centre_of(image):
    weight = image[..., 0].astype(np.float64)
    grid = np.arange(image.shape[0])
    return np.array([(weight * grid[None]).sum(), (weight * grid[:, None]).sum()]) / weight.sum()


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_map_follows_the_picture(mirror, seed):
    random = rng("similarity", seed)
    similarity = Similarity(
        np.deg2rad(random.uniform(-45, 45)), random.uniform(0.9, 1.2), (0.06, -0.04), mirror
    )
    moved = centre_of(similarity.apply_to_crop(spot(27.3, 40.1), "zero"))
    flat = np.zeros((32, 32, 3), np.float32)
    flat[..., :2] = (np.array([27.3, 40.1]) + 0.5) / 2 - 0.5
    found = similarity.apply_to_map(flat)[3, 4, :2]
    np.testing.assert_allclose(found, (moved + 0.5) / 2 - 0.5, atol=0.03)


def test_a_turn_keeps_z_and_distances_from_the_centre_and_growth_scales_them():
    before, middle = positions(), 15.5
    after = Similarity(0.7, 1.2, (0, 0), False).apply_to_map(before)
    np.testing.assert_allclose(after[..., 2], 1.2 * before[..., 2], rtol=1e-6)
    radius = np.linalg.norm(before[..., :2] - middle, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(after[..., :2] - middle, axis=-1), 1.2 * radius, rtol=1e-4)


def test_a_mirrored_map_is_read_from_the_other_side_of_the_chart():
    before = positions()
    once = Similarity(0, 1, (0, 0), True)
    np.testing.assert_allclose(once.apply_to_map(before)[:, 0, 0], 31 - before[:, 31, 0], atol=1e-5)
    np.testing.assert_allclose(once.apply_to_map(once.apply_to_map(before)), before, atol=1e-5)


def test_nothing_asked_for_changes_nothing():
    image, before = spot(20, 30), positions()
    changed, after = augment(image, before, OFF, rng("off"))
    np.testing.assert_array_equal(changed, image)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_draws_stay_within_the_settings_and_depend_on_the_generator_alone():
    settings = AugmentSettings(flip=0.5)
    draws = [draw_similarity(settings, rng("draw", k)) for k in range(300)]
    angles = np.rad2deg([d.angle for d in draws])
    assert 40 < np.abs(angles).max() <= 45
    assert min(d.scale for d in draws) >= 0.9 and max(d.scale for d in draws) <= 1.2
    assert 0.09 < np.abs([d.shift for d in draws]).max() <= 0.1
    assert 100 < sum(d.mirror for d in draws) < 200
    assert draws[7] == draw_similarity(settings, rng("draw", 7))


def test_colour_gains_are_one_a_channel_and_inputs_stay_as_they_were():
    settings = AugmentSettings(**{**OFF.model_dump(), "colour": (0.6, 1.4), "occlusion": 1.0})
    image, before = np.full((64, 64, 3), 100, np.uint8), positions()
    changed, _ = augment(image, before, settings.model_copy(update={"occlusion": 0.0}), rng("gain"))
    gains = changed[0, 0] / 100
    assert (changed == changed[0, 0]).all() and len(set(gains)) == 3
    assert gains.min() >= 0.59 and gains.max() <= 1.4
    augment(image, before, settings, rng("gain"))
    assert (image == 100).all() and (before == positions()).all()


def test_a_patch_covers_part_of_the_crop():
    shares = []
    for seed in range(40):
        image = np.full((64, 64, 3), 77, np.uint8)
        paste_noise(image, rng("patch", seed))
        shares.append((image != 77).any(axis=-1).mean())
    assert 0.03 < np.mean(shares) < 0.2
    assert max(shares) < 0.3
