"""The training tasks of the shipped networks: batches, targets, losses, and that they can learn."""

import cv2
import numpy as np
import pytest
import torch

from pipeline.config import TrainingSettings
from pipeline.detect.fan import crop_transform
from pipeline.detect.heatmaps import MIRRORED, decode
from pipeline.geometry.boxes import iou, landmark_box
from pipeline.losses.heatmaps import activate, distributions
from pipeline.models.faceboxes import decode as decode_boxes
from pipeline.training.detector_task import DetectorTask, average_precision, judged, match, turned
from pipeline.training.fan_task import FanTask
from pipeline.training.labelled import Labelled, split
from pipeline.training.photometric import cut_out

TRAINING = TrainingSettings(batch_size=4, threads=1)
SMALL = {
    "width": 0.25,
    "side": 128,
    "cache": 160,
    "sizes": ((40, 66), (100,), (128,)),
    "density": ((2, 2), (1,), (1,)),
}


def face_like():
    """68 points on a disc, symmetric as iBUG's are."""
    rng = np.random.default_rng(3)
    points = rng.uniform(-1, 1, (68, 2))
    partner = points[MIRRORED] * [-1, 1]
    return (points + partner) / 2 * [40, 50]


def pictures(count=24, seed=0):
    """Grey pictures with one red face-like disc each, the hull of its points; every fourth has none."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        image = np.full((160, 160, 3), 120, np.uint8)
        landmarks = np.zeros((0, 68, 2), np.float32)
        if k % 4:
            centre = rng.uniform(60, 100, 2)
            landmarks = (face_like() + centre)[None].astype(np.float32)
            cv2.fillConvexPoly(image, cv2.convexHull(np.rint(landmarks[0]).astype(int)), (220, 60, 40))
        yield Labelled(f"p{k}", image, landmarks)


def test_batches_depend_on_seed_and_update_alone():
    task = FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2)
    again = FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2)
    task.batch(0)
    assert torch.equal(task.batch(5)["image"], again.batch(5)["image"])
    other = FanTask(pictures(), TRAINING, 1, side=64, features=16, validation=0.2)
    assert not torch.equal(task.batch(5)["image"], other.batch(5)["image"])


def test_a_picture_is_on_one_side_of_the_split():
    ids = [f"p{k // 3}" for k in range(300)]
    train, held_out = split(ids, 0.2, 0)
    assert not {ids[k] for k in train} & {ids[k] for k in held_out}
    assert 0.1 < len(held_out) / 300 < 0.3 and len(train) + len(held_out) == 300


def test_augmented_points_stay_on_their_pixels():
    """A bright dot at a landmark is where the batch says that the landmark is, turned and mirrored or not."""
    image = np.zeros((300, 300, 3), np.uint8)
    landmarks = (face_like() + 150).astype(np.float32)
    nose = 30
    cv2.circle(image, tuple(int(v) for v in np.rint(landmarks[nose])), 3, (255, 255, 255), -1)
    task = FanTask(
        [Labelled(f"q{k}", image, landmarks[None]) for k in range(8)],
        TRAINING,
        0,
        side=64,
        features=16,
        validation=0.3,
    )
    seen = 0
    for k in range(12):
        crop, points = task._sample(0, np.random.default_rng(k))
        grey = cv2.GaussianBlur(crop.sum(axis=2).astype(np.float32), (0, 0), 0.8)
        if not (points[nose] > 8).all() or not (points[nose] < 56).all() or grey.std() < 5:
            continue
        row, column = np.unravel_index(grey.argmax(), grey.shape)
        error = np.linalg.norm([column - points[nose][0], row - points[nose][1]])
        seen += error < 2
    assert seen >= 8


def test_spread_targets_are_read_back_by_the_decoder():
    points = torch.from_numpy(np.random.default_rng(0).uniform(2, 13, (2, 5, 2)).astype(np.float32))
    target = distributions(points, 16, 1.0)
    assert torch.allclose(target.sum(-1), torch.ones(2, 5), atol=1e-5)
    maps = activate(target.clamp(min=1e-9).log().view(2, 5, 16, 16), 1.0).numpy()
    found, peaks = decode(maps)
    assert np.abs(found - points.numpy()).max() < 0.1
    assert (peaks > 0.75).all() and (peaks < 1.05).all()
    border = distributions(torch.tensor([[[-50.0, 8.0]]]), 16, 1.0).view(16, 16)
    assert border.argmax() == 8 * 16


def test_without_a_face_a_landmark_may_be_anywhere():
    target = distributions(torch.tensor([[[np.nan, np.nan]]]), 16, 1.0)
    assert torch.allclose(target, torch.full((1, 1, 256), 1 / 256))
    task = FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2, faceless=2)
    batch = task.batch(3)
    empty = batch["points"].isnan().all(-1).all(-1)
    assert empty.tolist() == [True, False, True, False]
    assert (batch["image"][empty].flatten(1).amax(1) > 0).all()
    assert torch.isfinite(task.loss(lambda x: [torch.rand(4, 68, 16, 16)], batch).total)


def test_loss_is_least_for_the_right_heatmaps():
    task = FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2, faceless=0)
    batch = task.batch(0)
    right = distributions(batch["points"], 16, 1.0).clamp(min=1e-8).log().view(4, 68, 16, 16)
    good = task.loss(lambda x: [right], batch).total
    wrong = task.loss(lambda x: [right.roll(3, -1)], batch).total
    flat = task.loss(lambda x: [torch.zeros_like(right)], batch).total
    assert good < flat < wrong and np.isclose(float(flat), np.log(256), atol=1e-3)


def test_priors_answer_for_faces_and_ignore_the_rest():
    task = DetectorTask(pictures(), TRAINING, 0, **SMALL, validation=0.2)
    face = np.array([[0.3, 0.3, 0.7, 0.75]])
    offsets, label = match(face, task.prior)
    assert (label == 1).sum() >= 1 and (label == 0).sum() > 0
    np.testing.assert_allclose(
        decode_boxes(offsets[label == 1], task.prior[label == 1]),
        face.repeat((label == 1).sum(), 0),
        atol=1e-5,
    )
    assert (match(np.zeros((0, 4)), task.prior)[1] == 0).all()
    tiny = match(np.array([[0.5, 0.5, 0.51, 0.51]]), task.prior)[1]
    cut = match(np.array([[-0.5, 0.3, 0.2, 0.75]]), task.prior)[1]
    assert not (tiny == 1).any() and not (cut == 1).any() and (cut == -1).any()


def test_augmented_boxes_stay_on_their_faces(monkeypatch):
    for change in ("disturb", "cover"):
        monkeypatch.setattr(f"pipeline.training.detector_task.{change}", lambda image, random: image)
    task = DetectorTask(pictures(), TRAINING, 0, **SMALL, validation=0.2)
    rows = [k for k in range(24) if len(task.landmarks[k])]
    overlaps = []
    for k in range(20):
        image, boxes = task._sample(rows[k % len(rows)], np.random.default_rng(k))
        y, x = np.nonzero(image[..., 0].astype(int) - image[..., 2] > 90)
        if ((boxes > 4) & (boxes < 124)).all():
            overlaps.append(iou(np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]]), boxes)[0, 0])
    assert len(overlaps) >= 5 and np.min(overlaps) > 0.9


def test_a_cut_out_picture_keeps_its_faces_and_lies_on_one_colour():
    image = np.random.default_rng(0).integers(1, 255, (90, 120, 3), np.uint8)
    boxes = np.array([[30, 20, 60, 55], [50, 40, 80, 70.0]])
    for seed in range(10):
        cut = cut_out(image.copy(), boxes, np.random.default_rng(seed))
        kept = (cut == image).all(axis=-1)
        assert kept[20:70, 30:80].all() and not kept.all()
        assert len(np.unique(cut[~kept], axis=0)) == 1
    outside = np.array([[-80, -60, -10, -5], [130, 100, 160, 140.0]])
    for seed in range(10):
        assert cut_out(image.copy(), outside[:1], np.random.default_rng(seed)).shape == image.shape
        assert cut_out(image.copy(), outside, np.random.default_rng(seed)).shape == image.shape
        assert (cut_out(image.copy(), np.zeros((0, 4)), np.random.default_rng(seed)) == image).any()


def test_a_turn_keeps_the_centre_and_every_distance():
    matrix = np.array([[0.5, 0, 3], [0, 0.7, -2.0]])
    out = turned(matrix, 0.3, 40.0)
    points = np.random.default_rng(0).uniform(0, 80, (5, 2))
    before, after = (points @ m[:, :2].T + m[:, 2] for m in (matrix, out))
    np.testing.assert_allclose(np.linalg.norm(after - 40, axis=1), np.linalg.norm(before - 40, axis=1))
    (x, y), (u, v) = (before - 40).T, (after - 40).T
    np.testing.assert_allclose((x * v - y * u) / (x**2 + y**2), np.sin(0.3))


def test_average_precision_by_hand():
    # hits at ranks 1 and 3 of three boxes, four faces: precision 1 up to a quarter, 2/3 up to a half
    assert np.isclose(
        average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1], bool), 4), 0.25 + 0.25 * 2 / 3
    )
    rows, overlaps = judged(
        np.array([[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60.0]]),
        np.array([0.9, 0.8, 0.7]),
        np.array([[0, 0, 10, 10.0]]),
    )
    np.testing.assert_array_equal(rows[0], [0, 2])
    np.testing.assert_array_equal(rows[1], [True, False])
    assert overlaps == [1.0]


@pytest.mark.parametrize("kind", ["fan", "detector"])
def test_the_loss_falls(kind):
    task = {
        "fan": lambda: FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2),
        "detector": lambda: DetectorTask(pictures(), TRAINING, 0, **SMALL, validation=0.2),
    }[kind]()
    torch.set_num_threads(1)
    network = task.network().train()
    batch, losses, rate = task.batch(0), [], {"fan": 0.5, "detector": 0.02}[kind]
    for _ in range(6):
        total = task.loss(network, batch).total
        losses.append(float(total.detach()))
        gradients = torch.autograd.grad(total, list(network.parameters()), allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                if gradient is not None:
                    parameter -= rate * gradient
    assert losses[-1] < 0.99 * losses[0]
    with torch.no_grad():
        figures = task.validate(network.eval())
    assert figures["selection"] >= 0 and np.isfinite(figures["selection"])


def test_jittered_training_squares_are_the_detectors_own():
    """With no jitter, a cached crop trimmed to the square is the crop that detection cuts."""
    task = FanTask(pictures(), TRAINING, 0, side=64, features=16, validation=0.2)
    picture = next(p for p in pictures() if len(p.landmarks))
    square = crop_transform(landmark_box(picture.landmarks[0]), 64)
    trim = (task.window - 64) // 2
    np.testing.assert_allclose(task.points[0] - trim, square.apply(picture.landmarks[0]), atol=1e-3)
