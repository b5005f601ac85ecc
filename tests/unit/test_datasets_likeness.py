"""The hash and the correlation that judge whether two pictures are one."""

from itertools import pairwise
from typing import get_args

import cv2
import numpy as np
import pytest
from portraits import portrait

from pipeline.config import DatasetSettings
from pipeline.datasets.face_300w_lp import Face300WLP, photograph
from pipeline.datasets.likeness import (
    BITS,
    VIEWS,
    correlation,
    detail,
    face_patch,
    hashes,
    matches,
    middle,
    mirrored,
    near,
    thumbnail,
    views,
)
from pipeline.datasets.origins import COLLECTIONS, origin
from pipeline.geometry.frames import CropTransform
from pipeline.registry import DATASETS


@pytest.fixture(scope="module")
def thumbs():
    rng = np.random.default_rng(1)
    return np.stack([thumbnail(portrait(rng)[0]) for _ in range(60)])


def test_the_hash_is_the_signs_of_the_cosine_transform(thumbs):
    expected = np.stack([cv2.dct(t.astype(np.float64))[:16, :16].ravel()[1:] for t in thumbs])
    np.testing.assert_array_equal(hashes(thumbs), np.where(expected >= 0, 1, -1))


def test_the_mirrored_hash_is_the_hash_of_the_mirrored(thumbs):
    np.testing.assert_array_equal(mirrored(hashes(thumbs)), hashes(thumbs[:, :, ::-1]))


def test_near_is_the_hamming_distance_of_all_pairs_across_blocks(thumbs, monkeypatch):
    monkeypatch.setattr("pipeline.datasets.likeness.BLOCK", 7)
    found = hashes(thumbs)
    rows, columns, bits = (np.concatenate(part) for part in zip(*near(found, found[:40], 110), strict=True))
    expected = (found[:, None] != found[None, :40]).sum(axis=2)
    pairs = {(i, j): int(expected[i, j]) for i, j in np.argwhere(expected <= 110).tolist()}
    assert dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), bits.tolist(), strict=True)) == pairs
    assert len(pairs) > 60


def test_random_hashes_differ_in_half_their_bits():
    noise = np.random.default_rng(2).integers(0, 256, (300, 32, 32), dtype=np.uint8)
    dots = hashes(noise) @ hashes(noise).T
    bits = (BITS - dots[np.triu_indices(300, 1)]) / 2
    assert abs(bits.mean() - BITS / 2) < 1 and bits.min() > 80


def test_an_affine_map_is_undone_before_the_correlation(thumbs):
    rng = np.random.default_rng(3)
    for thumb in thumbs[:20]:
        turn, size = np.radians(rng.uniform(-4, 4)), rng.uniform(0.94, 1.07)
        matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shift = np.array([15.5, 15.5]) - matrix @ [15.5, 15.5] + rng.uniform(-1.2, 1.2, 2)
        moved = cv2.warpAffine(
            thumb, np.column_stack([matrix, shift]), (32, 32), borderMode=cv2.BORDER_REFLECT
        )
        assert correlation(detail(thumb), detail(moved)) > 0.85
    assert max(correlation(detail(a), detail(b)) for a, b in pairwise(thumbs)) < 0.8
    plain = np.full((32, 32), 90, np.uint8)
    assert correlation(detail(plain), detail(thumbs[0])) == 0


def test_bits_alone_or_with_the_correlation(thumbs):
    rng = np.random.default_rng(4)
    noisy = np.clip(thumbs + rng.normal(0, 14, thumbs.shape), 0, 255).astype(np.uint8)
    apart = (hashes(thumbs) != hashes(noisy)).sum(axis=1)
    middling = int(np.median(apart))
    alone = {m.first for m in matches(thumbs, noisy, (middling, middling), 1.0)}
    assert alone == set(np.flatnonzero(apart <= middling).tolist())
    judged = list(matches(thumbs, noisy, (0, 72), 0.6))
    assert {m.first for m in judged} > alone
    assert all(m.first == m.second and m.distance == apart[m.first] and not m.mirrored for m in judged)
    numbers = np.arange(len(thumbs))
    assert not list(matches(thumbs, thumbs, (48, 72), 0.8, (numbers, numbers)))


def test_a_patch_is_the_square_with_a_margin_and_its_views_are_squares_in_it():
    rng = np.random.default_rng(5)
    image, _ = portrait(rng)
    square = CropTransform(32 / 80, 90.0, 88.0, 32)
    patch = face_patch(image, square)
    found = views(patch[None]).reshape(VIEWS, 32, 32)
    np.testing.assert_array_equal(found[VIEWS // 2], middle(patch[None])[0])
    larger = face_patch(image, CropTransform(square.scale / 1.14, 90.0 + 0.05 * 80, 88.0 + 0.05 * 80, 32))
    inside = np.abs(found[-1].astype(float) - middle(larger[None])[0])
    assert np.median(inside) < 4


def test_origins_are_photographs_of_a_collection():
    def of(collection, name, group):
        return origin(collection, {"id": name, "group": group})

    assert of("aflw", "images/image00002", "images/image00002") == "aflw image00002"
    assert of("aflw", "0/image00002_1", "x") == of("aflw", "image00002", "y")
    assert of("aflw", "image000021", "a") is None and of("aflw", "trip/myimage00010", "b") is None
    name = "HELEN_Flip/HELEN_232194_1_3"
    assert of("300w", name, photograph("HELEN_232194_1_3")) == of("300w", "HELEN/232194_1", "HELEN_232194")
    assert of("300w", "SYN_0001_00002_0", "SYN_0001_00002") is None
    assert of(None, "image00002", "image00002") is None


def test_the_config_offers_the_collections_that_there_are():
    annotation = DatasetSettings.model_fields["collection"].annotation
    offered = {value for part in get_args(annotation) for value in get_args(part)}
    assert offered == set(COLLECTIONS)
    assert Face300WLP.collection == "300w" and DATASETS["aflw2000_3d"].collection == "aflw"
