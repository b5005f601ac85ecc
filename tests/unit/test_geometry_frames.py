"""Frames, boxes and the crop's resampling: sub-pixel exactness, mirror symmetry, and the peers' own rules."""

import cv2
import numpy as np
import pytest

from pipeline.geometry import boxes
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import crop_image, sample, stretch, to_gray
from pipeline.records import FacemillError
from pipeline.registry import FRAMES


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def landmarks(rng):
    return rng.uniform([120.3, 90.7], [301.9, 333.1], (68, 2))


def test_the_transform_puts_its_centre_in_the_middle_and_inverts(rng):
    transform = CropTransform(0.7, 211.3, 190.9, 192)
    np.testing.assert_allclose(transform.apply(np.array([211.3, 190.9])), [95.5, 95.5])
    points = rng.normal(200, 80, (9, 3))
    moved = transform.apply(points)
    np.testing.assert_allclose(moved[:, 2], 0.7 * points[:, 2])
    np.testing.assert_allclose(transform.invert(moved), points)
    assert CropTransform.from_array(transform.to_array()) == transform


def test_a_resized_transform_keeps_the_pixel_edges(rng):
    transform = CropTransform(0.7, 211.3, 190.9, 192)
    points = rng.normal(200, 80, (9, 2))
    expected = (transform.apply(points) + 0.5) * 96 / 192 - 0.5
    np.testing.assert_allclose(transform.resized(96).apply(points), expected)
    np.testing.assert_allclose(transform.resized(96).window(), transform.window())


def test_fan192_scales_the_landmark_box_to_an_area_of_ninety_squared(landmarks):
    box = boxes.landmark_box(FRAMES["fan192"].from_landmarks(landmarks).apply(landmarks))
    np.testing.assert_allclose(boxes.box_centre(box), [95.5, 95.5])
    assert boxes.box_area(box) == pytest.approx(90.0**2)


def test_vrn192_centres_the_mean_landmark(landmarks):
    moved = FRAMES["vrn192"].from_landmarks(landmarks).apply(landmarks)
    np.testing.assert_allclose(moved.mean(axis=0), [95.5, 95.5])


@pytest.mark.parametrize(("inference", "factor"), [(False, 1.5), (True, 1.6)])
def test_prn256_is_the_closed_form_of_the_spec(landmarks, inference, factor):
    low, high = landmarks.min(0), landmarks.max(0)
    centre, side = (low + high) / 2, factor * (high - low).mean()
    expected = 255 / side * (landmarks - centre + side / 2)
    found = FRAMES["prn256"].from_landmarks(landmarks, inference=inference).apply(landmarks)
    np.testing.assert_allclose(found, expected)


def test_roi120_from_landmarks_and_from_a_box(landmarks):
    low, high = landmarks.min(0), landmarks.max(0)
    window = FRAMES["roi120"].from_landmarks(landmarks).window()
    np.testing.assert_allclose(boxes.box_size(window), np.sqrt(2) * (high - low).max())
    window = FRAMES["roi120"].from_box(np.array([10.0, 20.0, 110.0, 180.0])).window()
    np.testing.assert_allclose(boxes.box_size(window), 1.58 * 130)
    np.testing.assert_allclose(boxes.box_centre(window), [60.0, 100.0 + 0.14 * 130])


def test_fan256_is_the_librarys_square_of_the_box(landmarks):
    box = np.array([10.0, 20.0, 110.0, 180.0])
    window = FRAMES["fan256"].from_detection(landmarks, box).window()
    np.testing.assert_allclose(boxes.box_size(window), 200 * 260 / 195)
    np.testing.assert_allclose(boxes.box_centre(window), [60.0, 100.0 - 0.12 * 160])
    with pytest.raises(FacemillError, match="from_detection"):
        FRAMES["fan256"].from_landmarks(landmarks)
    with pytest.raises(FacemillError, match="with an area"):
        FRAMES["fan256"].from_detection(landmarks, np.full(4, np.nan))


@pytest.mark.parametrize("name", ["fan192", "vrn192", "prn256", "roi120", "gray224"])
def test_every_frame_has_its_size_and_a_legacy_form_nearby(name, landmarks):
    frame = FRAMES[name]
    exact = frame.from_landmarks(landmarks)
    legacy = frame.from_landmarks(landmarks, legacy=True, picture=(400, 500))
    assert exact.size == frame.size == int("".join(filter(str.isdigit, name)))
    if name in ("fan192", "prn256", "roi120"):
        assert 0 < np.abs(exact.apply(landmarks) - legacy.apply(landmarks)).max() < 3.0
    if name == "gray224":
        assert legacy.scale == 250 / 400
        assert (legacy.cx, legacy.cy) == (249.5, 199.5)


def test_a_legacy_roi_cuts_whole_pixels(landmarks):
    edges = FRAMES["roi120"].from_landmarks(landmarks, legacy=True).window() + 0.5
    np.testing.assert_allclose(edges, np.round(edges), atol=1e-9)


@pytest.mark.parametrize(
    "bad", [np.full((68, 2), np.nan), np.ones((68, 2)), np.c_[np.arange(68), np.ones(68)]]
)
def test_landmarks_without_an_area_are_refused(bad):
    with pytest.raises(FacemillError, match="span an area"):
        FRAMES["fan192"].from_landmarks(bad)


@pytest.mark.parametrize("scale", [0.23, 0.61, 1.0, 1.9])
def test_a_linear_ramp_is_kept_exactly(scale):
    y, x = np.mgrid[:300, :320].astype(np.float64)
    ramp = np.stack([0.7 * x + 0.2 * y, y, x], axis=-1)
    transform = CropTransform(scale, 160.37, 149.81, 48)
    rows, columns = np.mgrid[:48, :48].astype(np.float64)
    points = transform.invert(np.stack([columns, rows], axis=-1))
    expected = np.stack([points @ [0.7, 0.2], points[..., 1], points[..., 0]], axis=-1)
    np.testing.assert_allclose(sample(ramp, transform, "zero"), expected, atol=2e-4)


def test_a_whole_pixel_shift_copies(rng):
    image = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
    transform = CropTransform(1.0, 10 + 15.5, 7 + 15.5, 32)
    np.testing.assert_array_equal(crop_image(image, transform), image[7:39, 10:42])


@pytest.mark.parametrize("padding", ["reflect", "zero", "edge"])
@pytest.mark.parametrize("scale", [0.31, 0.8, 2.2])
def test_a_mirrored_picture_gives_a_mirrored_crop(rng, padding, scale):
    image = rng.integers(0, 256, (40, 51, 3), dtype=np.uint8)
    crop = sample(image, CropTransform(scale, 13.4, 20.2, 24), padding)
    mirrored = sample(image[:, ::-1], CropTransform(scale, 50 - 13.4, 20.2, 24), padding)
    np.testing.assert_allclose(mirrored[:, ::-1], crop, atol=1e-3)


def test_shrinking_does_not_alias():
    image = np.tile(np.array([0, 255], np.uint8), (200, 100))[..., None]
    crop = crop_image(image, CropTransform(0.25, 99.5, 99.5, 40))
    assert np.abs(crop.astype(int) - 127.5).max() < 12


def test_padding_is_what_its_name_says():
    image = np.arange(5, dtype=np.uint8)[None, :, None] * 10 * np.ones((5, 1, 1), np.uint8)
    transform = CropTransform(1.0, 2.0, 2.0, 11)
    row = {name: crop_image(image, transform, name)[5, :, 0].tolist() for name in ("reflect", "zero", "edge")}
    assert row["reflect"] == [30, 20, 10, 0, 10, 20, 30, 40, 30, 20, 10]
    assert row["zero"] == [0, 0, 0, 0, 10, 20, 30, 40, 0, 0, 0]
    assert row["edge"] == [0, 0, 0, 0, 10, 20, 30, 40, 40, 40, 40]


def test_a_single_pixel_picture_fills_its_crop():
    crop = crop_image(np.full((1, 1, 3), 77, np.uint8), CropTransform(3.0, 0.0, 0.0, 12))
    assert (crop == 77).all()


def test_cv2_mode_is_the_resize_of_a_whole_pixel_window(rng):
    image = rng.integers(0, 256, (90, 80, 3), dtype=np.uint8)
    window = np.array([5.0, 11.0, 65.0, 71.0])
    transform = CropTransform(0.5, 34.5, 40.5, 30)
    np.testing.assert_allclose(transform.window() + 0.5, window)
    expected = cv2.resize(image[11:71, 5:65], (30, 30), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(crop_image(image, transform, "zero", "cv2_uint8"), expected)
    shifted = crop_image(image, CropTransform(0.5, 34.8, 40.5, 30), "zero", "cv2_uint8", "cubic")
    assert shifted.shape == (30, 30, 3)


@pytest.mark.parametrize("shape", [(200, 199), (61, 60), (120, 120)])
def test_a_stretched_picture_is_opencvs_in_floats(rng, shape):
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    expected = cv2.resize(image.astype(np.float32), (120, 120), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(stretch(image, 120), expected, atol=0.01)


def test_unknown_names_and_float_pictures_are_refused(rng):
    image = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    transform = CropTransform(1.0, 4, 4, 8)
    for arguments in (
        (image, transform, "wrap"),
        (image, transform, "zero", "nearest"),
        (image / 255, transform),
    ):
        with pytest.raises(FacemillError):
            crop_image(*arguments)


def test_gray_is_luma():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)
    assert to_gray(image)[0, :, 0].tolist() == [76, 150, 29, 9]


def test_boxes_intersect_as_drawn():
    a = np.array([[0.0, 0.0, 10.0, 10.0]])
    b = np.array([[5.0, 5.0, 15.0, 15.0], [20.0, 20.0, 30.0, 30.0], [0.0, 0.0, 10.0, 10.0]])
    np.testing.assert_allclose(boxes.iou(a, b), [[25 / 175, 0, 1]])
    np.testing.assert_allclose(boxes.iou(a, b, plus_one=True)[0, 0], 36 / (121 + 121 - 36))
    np.testing.assert_allclose(boxes.square_box(np.array([1.0, 2.0]), 4.0), [-1, 0, 3, 4])
    inside = boxes.inside_share(np.array([-10.5, -0.5, 9.5, 9.5]), 20, 20)
    assert inside == pytest.approx(0.5)
