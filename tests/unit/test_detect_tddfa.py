"""The labeller: checkpoints, squares, coordinates, how sure it is."""

import cv2
import numpy as np
import pytest
import torch
from label_world import CAMERA, Fixed, save_checkpoint, save_face_model, statistics

from pipeline.config import LabellingSettings
from pipeline.detect.tddfa import Doubt, Label, Labeller, Seen, disagreement, doubt, require_modes
from pipeline.detect.tddfa_roi import first_roi, roi_of_landmarks
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.geometry.camera import pose_matrix
from pipeline.geometry.frames import Roi120
from pipeline.models.fan import FAN
from pipeline.models.tddfa import MobileNetV1, ResNet22
from pipeline.morphable import load_face_model
from pipeline.morphable.params62 import crop_points, join, roi_points
from pipeline.records import FacemillError, Reason

NONE = np.full((68, 2), np.nan)
BOX = np.array([100.0, 80.0, 180.0, 190.0])
FACE = join(CAMERA, 1e5 * np.linspace(-1, 1, 40), np.linspace(-1, 1, 10))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_face_model(tmp_path_factory.mktemp("face") / "face.npz")


@pytest.fixture(scope="module")
def picture():
    blobs = np.random.default_rng(0).integers(0, 256, (30, 26, 3), np.uint8)
    return cv2.resize(blobs, (260, 300))


def labeller(model, *answers, **settings):
    return Labeller(Fixed(*answers), statistics(), model, LabellingSettings(**settings))


# checkpoints


@pytest.mark.parametrize("width", [1 / 32, 0.3, 0.5])
def test_width_and_head_are_found_in_the_state_dictionary(tmp_path, width):
    network = MobileNetV1(torch.Generator().manual_seed(1), width).eval()
    torch.save({f"module.{k}": v for k, v in network.state_dict().items()}, tmp_path / "a.pth")
    loaded = load_tddfa(tmp_path / "a.pth")
    assert not loaded.training
    x = torch.rand(1, 3, 120, 120)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), network(x))


def test_a_checkpoint_as_published_is_read_without_its_second_head(tmp_path):
    network = save_checkpoint(tmp_path / "mb.pth")
    found = load_tddfa(str(tmp_path / "mb.pth")).state_dict()
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())


def test_a_residual_network_is_recognised(tmp_path):
    network = ResNet22(torch.Generator().manual_seed(1))
    torch.save({"state_dict": network.state_dict()}, tmp_path / "r.pth")
    assert isinstance(load_tddfa(tmp_path / "r.pth"), ResNet22)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: {**s, "fc.weight": torch.zeros(141, 32), "fc.bias": torch.zeros(141)},
            "62 parameters .*141",
        ),
        (lambda s: {k: v for k, v in s.items() if not k.startswith("fc.")}, r"head fc\.weight, found none"),
        (
            lambda s: {k: v for k, v in s.items() if "dw4_1.conv_sep" not in k},
            r"no tensor 'dw4_1\.conv_sep\.weight'",
        ),
        (lambda s: {**s, "relu.weight": torch.zeros(1)}, r"has no 'relu\.weight'"),
        (
            lambda s: FAN(1, 32).state_dict(),
            "MobileNet-V1 .* or ResNet-22 .*found neither; the first entry is conv1",
        ),
        (lambda s: {}, "found neither; the first entry is no tensor at all"),
        (lambda s: [1, 2], "expected a state dictionary, found list"),
    ],
    ids=["141", "headless", "incomplete", "prelu", "fan", "empty", "list"],
)
def test_what_is_no_such_checkpoint_is_refused_in_one_line(tmp_path, change, message):
    torch.save(change(MobileNetV1(width=1 / 32).state_dict()), tmp_path / "net.pth")
    with pytest.raises(FacemillError, match=rf"net\.pth.*{message}"):
        load_tddfa(tmp_path / "net.pth")


def test_a_missing_or_broken_checkpoint_is_one_line(tmp_path):
    with pytest.raises(FacemillError, match="no weights file"):
        load_tddfa(tmp_path / "none.pth")
    (tmp_path / "broken.pth").write_bytes(b"half a download")
    with pytest.raises(FacemillError, match=r"broken\.pth is no file of weights"):
        load_tddfa(tmp_path / "broken.pth")


# squares


def test_the_first_square_is_cut_by_landmarks_else_by_the_box():
    settings = LabellingSettings()
    points = np.random.default_rng(1).uniform(50, 150, (68, 2))
    by_landmarks = Roi120.from_landmarks(points)
    by_box = Roi120.from_box(BOX)
    assert first_roi(BOX, points, False, (300, 260), settings).cut == by_landmarks
    assert first_roi(BOX, NONE, False, (300, 260), settings).cut == by_box
    box_only = LabellingSettings(roi="box")
    assert first_roi(BOX, points, False, (300, 260), box_only).cut == by_box


def test_a_picture_that_is_a_crop_is_taken_as_it_is(picture):
    crop = picture[:120, :120]
    for mode in ("exact", "linear", "cv2_uint8"):
        roi = first_roi(
            np.array([-0.5, -0.5, 119.5, 119.5]), NONE, True, (120, 120), LabellingSettings(resample=mode)
        )
        np.testing.assert_array_equal(roi.crop(crop), crop)
        np.testing.assert_allclose(roi.frame.apply([[0.0, 0.0], [7.5, 30.0]]), [[0, 0], [7.5, 30]], atol=1e-9)


def test_the_peers_square_is_rounded_and_stretched_but_read_unrounded(picture):
    """Spec prn_vrn F.2: whole pixels, zero outside, OpenCV's resize; F.4: back by corner and scale of the square."""
    points = np.linspace([50.0, 60.5], [150.0, 130.0], 68)
    settings = LabellingSettings(resample="cv2_uint8")
    roi = roi_of_landmarks(points, (300, 260), settings)
    half = np.ptp(points, axis=0).max() / np.sqrt(2)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    square = np.concatenate([centre - half, centre + half])
    x1, y1, x2, y2 = np.round(square).astype(int)
    assert x2 - x1 != y2 - y1, "the case of a rounded rectangle"
    expected = cv2.resize(picture[y1:y2, x1:x2], (120, 120), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(roi.crop(picture), expected)
    ours = roi_of_landmarks(points, (300, 260), LabellingSettings(resample="linear"))
    assert ours.frame == roi.frame
    np.testing.assert_allclose(ours.crop(picture), expected, atol=1)
    inside = np.random.default_rng(2).uniform(0, 120, (9, 3))
    np.testing.assert_allclose(roi.frame.invert(inside), roi_points(inside, square), atol=1e-9)


def test_the_peers_box_square_has_a_whole_side_and_black_outside(picture):
    box = np.array([-20.0, 5.0, 61.0, 96.0])
    roi = first_roi(box, NONE, False, (300, 260), LabellingSettings(resample="cv2_uint8"))
    mean, side = 86.0, int(1.58 * 86.0)
    square = np.array([20.5 - side / 2, 50.5 + 0.14 * mean - side / 2])
    inside = np.array([[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(roi.frame.invert(inside)[0, :2], square, atol=1e-9)
    crop = roi.crop(picture)
    assert crop.shape == (120, 120, 3) and (crop[:, :30] == 0).all() and crop[:, 60:].any()


def test_exact_pixels_lie_by_edges_and_3ddfa_v2s_by_the_corner():
    points = np.random.default_rng(1).uniform(50, 150, (68, 2))
    exact = roi_of_landmarks(points, (300, 260), LabellingSettings(pixels="exact"))
    assert exact.frame == exact.cut
    peers = roi_of_landmarks(points, (300, 260), LabellingSettings(pixels="3ddfa_v2"))
    assert peers.cut == exact.cut
    shift = peers.frame.invert(np.zeros((1, 2))) - exact.frame.invert(np.zeros((1, 2)))
    np.testing.assert_allclose(shift, (1 - 1 / exact.cut.scale) / 2, atol=1e-9)


@pytest.mark.parametrize(
    "points", [np.zeros((68, 2)), np.full((68, 2), 7e5) * np.linspace(0, 1, 68)[:, None]]
)
def test_a_square_of_no_or_impossible_size_is_refused(points):
    with pytest.raises(FacemillError, match=r"span an area|times the picture's side"):
        roi_of_landmarks(points, (300, 260), LabellingSettings())


# labels


@pytest.mark.parametrize("pixels", ["exact", "3ddfa_v2"])
@pytest.mark.parametrize("resample", ["exact", "linear", "cv2_uint8"])
def test_the_label_lies_in_the_picture_where_the_crop_has_it(model, picture, pixels, resample):
    (label,) = labeller(model, FACE, passes=1, pixels=pixels, resample=resample).label(
        [Seen(picture, BOX, NONE)]
    )
    settings = LabellingSettings(pixels=pixels, resample=resample)
    roi = first_roi(BOX, NONE, False, (300, 260), settings)
    expected = roi.frame.invert(crop_points(FACE, model, 120))
    dense = label.annotation.vertices(model)
    np.testing.assert_allclose(dense, expected, atol=0.02)
    np.testing.assert_allclose(label.landmarks, dense[model.keypoints], atol=0.02)
    np.testing.assert_allclose(label.parameters, FACE, rtol=1e-6, atol=1e-6)
    assert np.isnan(label.agreement) and doubt(label, settings) is None
    np.testing.assert_allclose(pose_matrix(label.pose), label.camera, atol=1e-6)


def test_each_further_pass_is_cut_by_the_landmarks_of_the_last(model, picture):
    network = labeller(model, FACE, passes=3)
    (label,) = network.label([Seen(picture, BOX, NONE)])
    settings = network.settings
    roi = first_roi(BOX, NONE, False, (300, 260), settings)
    for _ in range(2):
        landmarks = roi.frame.invert(crop_points(FACE, model, 120, keypoints=True))
        roi = roi_of_landmarks(landmarks, (300, 260), settings)
    np.testing.assert_allclose(label.roi.to_array(), roi.frame.to_array(), rtol=1e-4)
    seen = network.network.seen
    assert len(seen) == 3 and not torch.equal(seen[0], seen[1])
    expected = (roi.crop(picture)[..., ::-1].transpose(2, 0, 1) - 127.5) / 128
    np.testing.assert_allclose(seen[2][0].numpy(), expected, atol=0.05)


def test_agreement_is_the_distance_of_two_passes_over_the_size(model, picture):
    whole = picture[:120, :120]
    moved = FACE + join(np.pad([[3.0], [4.0], [0.0]], ((0, 0), (3, 0))), [], [])
    box = np.array([-0.5, -0.5, 119.5, 119.5])
    network = labeller(model, FACE, moved, passes=2)
    (label,) = network.label([Seen(whole, box, NONE, whole=True)])
    first = crop_points(FACE, model, 120, keypoints=True)
    distance = 100 * np.linalg.norm((label.landmarks - first)[:, :2], axis=1).mean()
    size = np.sqrt(np.prod(np.ptp(label.landmarks[:, :2], axis=0)))
    assert label.agreement == pytest.approx(distance / size, rel=1e-3)
    low = LabellingSettings(agreement=label.agreement / 2)
    problem = doubt(label, low)
    assert problem.reason is Reason.LABEL_UNSTABLE and problem.value == label.agreement
    assert "two passes differ by" in problem.detail
    assert doubt(label, LabellingSettings(agreement=label.agreement * 2, inside=0.0)) is None
    assert disagreement(first, first) == 0.0
    assert disagreement(first, np.zeros((68, 3))) == np.inf


def test_the_share_of_the_face_in_the_picture_is_counted(model, picture):
    """Half of the dome's columns lie left of the picture."""
    left = FACE.copy()
    left[3] = 1.0
    left[12:] = 0
    box = np.array([-0.5, -0.5, 119.5, 119.5])
    (label,) = labeller(model, left, passes=1).label([Seen(picture[:120, :120], box, NONE, whole=True)])
    assert label.inside == 0.5
    problem = doubt(label, LabellingSettings(inside=0.6))
    assert problem.reason is Reason.LABEL_OUTSIDE and problem.value == 0.5
    assert problem.detail == "50% of the face lies in the picture, expected at least 60%"
    assert doubt(label, LabellingSettings(inside=0.5)) is None


def test_a_face_that_cannot_be_cut_or_has_no_numbers_is_a_row_and_the_others_go_on(model, picture):
    bad = Seen(picture, np.array([50.0, 50.0, 50.0, 90.0]), NONE)
    good = Seen(picture, BOX, NONE)
    found = labeller(model, FACE, passes=1).label([bad, good, bad])
    assert [type(x) for x in found] == [Doubt, Label, Doubt]
    assert found[0].reason is Reason.IMPLAUSIBLE and "a box x1 y1 x2 y2 with an area" in found[0].detail
    tiny = FACE.copy()
    tiny[:12] *= [1e-3, 1e-3, 1e-3, 1] * 3
    (lost,) = labeller(model, tiny, passes=2).label([good])
    assert lost.reason is Reason.LABEL_UNSTABLE and lost.detail.startswith(
        "pass 2 of the labeller: expected a square"
    )
    (none,) = labeller(model, np.full(62, np.nan), passes=2).label([good])
    assert none.reason is Reason.LABEL_UNSTABLE and "not finite" in none.detail


def test_a_label_does_not_depend_on_the_batch(model, picture, tmp_path):
    save_checkpoint(tmp_path / "mb.pth")
    network = load_tddfa(tmp_path / "mb.pth")
    faces = [Seen(picture, BOX + shift, NONE) for shift in (0.0, 10.0, 20.0, 30.0, 40.0)]
    found = [
        Labeller(network, statistics(), model, LabellingSettings(batch=batch)).label(faces)
        for batch in (1, 2, 8)
    ]
    for others in found[1:]:
        for label, other in zip(found[0], others, strict=True):
            np.testing.assert_allclose(label.landmarks, other.landmarks, atol=1e-2)
            assert label.agreement == pytest.approx(other.agreement, abs=1e-2)
    assert not np.allclose(found[0][0].parameters, found[0][4].parameters, rtol=1e-5)


def test_a_face_model_with_other_modes_is_refused(model):
    require_modes(model)
    with pytest.raises(
        FacemillError, match=r"face_model\.id npz or bfm2009 .*found procedural with 40 \+ 10 modes"
    ):
        require_modes(load_face_model("procedural"))
