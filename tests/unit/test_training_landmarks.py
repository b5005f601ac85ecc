"""The tasks of landmark networks: what a batch holds, what follows the augmentation, what the figures say."""

import landmark_world as world
import numpy as np
import pytest
import torch

from pipeline.detect.heatmaps import MIRRORED
from pipeline.models.fan_depth import FanDepth
from pipeline.models.fan_lift import FanLift
from pipeline.models.landmark_trunk import normalised
from pipeline.models.lift3d import Lift3D
from pipeline.records import FacemillError
from pipeline.training.fan_depth_task import FanDepthTask
from pipeline.training.landmark_task import LandmarkTask

FAN_DEPTH = {"size": world.SIDE, "stacks": 2, "features": 16, "blocks": (1, 1, 1, 1), "width": 4}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("packs") / "a.h5"


class Answering(torch.nn.Module):
    """A network that says what it was told to say, in the order of the faces."""

    def __init__(self, answers):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.answers, self.said = torch.as_tensor(answers), 0

    def predict(self, image):
        answer = self.answers[self.said : self.said + len(image)]
        self.said += len(image)
        return answer * self.scale


def truths(task):
    return np.stack([task.truth(task.held_out.sample(row)) for row in range(len(task.held_out))])


def test_a_batch_holds_luma_and_landmarks_in_px_of_the_input(path):
    task = LandmarkTask(world.setup(path, augment=world.QUIET))
    batch = task.batch(0)
    assert batch["image"].shape == (4, 1, world.SIDE, world.SIDE) and "points" not in batch
    assert batch["landmarks"].shape == (4, 68, 3) and batch["landmarks"].dtype == torch.float32
    for image, points in zip(batch["image"], batch["landmarks"], strict=True):
        x, y = points[:, :2].mean(0).round().int().tolist()
        assert image[0, y, x] > 0.5 > image[0, 2, 2]
    known = {tuple(row.ravel().round(3)) for row in truths(task)}
    assert {tuple(row.numpy().ravel().astype(float).round(3)) for row in batch["landmarks"]} <= known


def test_truth_of_another_size_is_scaled_by_the_crops_edges(path):
    setup = world.setup(path)
    object.__setattr__(setup, "size", 2 * world.SIDE)
    doubled, own = truths(LandmarkTask(setup)), truths(LandmarkTask(world.setup(path)))
    np.testing.assert_allclose(doubled[..., :2], 2 * own[..., :2] + 0.5, atol=1e-6)
    np.testing.assert_allclose(doubled[..., 2], 2 * own[..., 2], atol=1e-6)


def test_image_landmarks_and_detected_points_go_through_one_similarity(path):
    moved = {**world.QUIET, "rotation": 30, "translation": 0.1, "scale": [0.8, 1.2], "flip": 0.5}
    task = LandmarkTask(world.setup(path, points=True, augment=moved))
    quiet = LandmarkTask(world.setup(path, points=True, augment=world.QUIET))
    mirrored = []
    for update in range(6):
        batch, still = task.batch(update), quiet.batch(update)
        apart = (batch["points"] - batch["landmarks"][..., :2]).norm(dim=-1)
        assert apart.mean() < 1.5 and apart.max() > 0
        for image, points in zip(batch["image"], batch["landmarks"], strict=True):
            x, y = points[:, :2].mean(0).round().int().clamp(0, world.SIDE - 1).tolist()
            assert image[0, y, x] > 0.4
        for new, old in zip(
            batch["landmarks"].double().numpy(), still["landmarks"].double().numpy(), strict=True
        ):
            scale = np.ptp(new[:, 2]) / np.ptp(old[:, 2])
            assert 0.8 <= scale <= 1.2
            kept = np.allclose(new[:, 2], scale * old[:, 2], atol=1e-3)
            changed = np.allclose(new[:, 2], scale * old[MIRRORED, 2], atol=1e-3)
            assert kept != changed
            mirrored.append(changed)
    assert 0 < sum(mirrored) < len(mirrored)


def test_the_same_update_gives_the_same_batch(path):
    first, second = (FanDepthTask(world.setup(path, channels=3)).batch(5) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = FanDepthTask(world.setup(path, channels=3)).batch(6)
    assert not torch.equal(first["seen"], other["seen"])


def test_losses_name_their_parts_and_a_2d_branch_has_its_own(path):
    task = LandmarkTask(world.setup(path), plane2d=0.5)
    batch = task.batch(0)
    right = normalised(batch["landmarks"], world.SIDE)
    answer = {"xyz": right + torch.tensor([0.3, 0, 0]), "plane2d": right[..., :2] + 0.2}
    losses = task.loss(lambda image: answer, batch)
    assert set(losses.parts) == {"xyz", "plane2d"}
    assert float(losses.parts["xyz"]) == pytest.approx(0.09 / 3, rel=1e-4)
    assert float(losses.parts["plane2d"]) == pytest.approx(0.5 * 0.04, rel=1e-4)
    assert set(task.loss(lambda image: {"xyz": right}, batch).parts) == {"xyz"}


def test_heatmaps_have_a_part_a_stack_and_depth_its_own(path):
    for activation in ("linear", "softmax"):
        task = FanDepthTask(world.setup(path, channels=3), heatmaps=2.0, z=3.0, jitter=0.0)
        model = FanDepth(**FAN_DEPTH, activation=activation)
        batch = task.batch(0)
        torch.testing.assert_close(batch["seen"], batch["landmarks"][..., :2])
        losses = task.loss(model, batch)
        assert set(losses.parts) == {"heatmaps_1", "heatmaps_2", "z"}
        losses.total.backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        depth = normalised(batch["landmarks"], world.SIDE)[..., 2]
        wanted = 3 * (model(batch["image"], batch["seen"])["z"] - depth).square().mean()
        torch.testing.assert_close(losses.parts["z"], wanted, rtol=1e-3, atol=0)


def test_the_least_heatmap_loss_is_at_the_landmarks(path):
    task = FanDepthTask(world.setup(path, channels=3))
    batch = task.batch(0)
    plane = (batch["landmarks"][..., :2] + 0.5) / 4 - 0.5
    span = torch.arange(world.SIDE // 4)
    exact = torch.exp(-((span - plane[..., None]) ** 2) / (2 * 1.75**2))
    maps = exact[..., 1, :, None] * exact[..., 0, None, :]
    z = normalised(batch["landmarks"], world.SIDE)[..., 2]
    right = task.loss(lambda image, points: {"heatmaps_1": maps, "z": z}, batch)
    wrong = task.loss(lambda image, points: {"heatmaps_1": maps.roll(1, -1), "z": z}, batch)
    assert float(right.total) < 1e-10 < 1e-3 < float(wrong.total)


@torch.inference_mode()
def test_figures_are_nme_and_a_common_depth_costs_nothing(path):
    task = LandmarkTask(world.setup(path))
    truth = truths(task)
    assert task.validate(Answering(truth + np.array([0, 0, 7.0]))) == pytest.approx(
        {"selection": 0, "nme3d": 0}, abs=1e-4
    )
    size = np.sqrt(np.ptp(truth[..., 0], axis=1) * np.ptp(truth[..., 1], axis=1))
    figures = task.validate(Answering(truth + np.array([3.0, 4.0, 0])))
    assert figures["selection"] == pytest.approx(100 * (5 / size).mean(), rel=1e-5)
    assert figures["nme3d"] == pytest.approx(figures["selection"], rel=1e-5)
    tilted = truth.copy()
    tilted[:, ::2, 2] += 2
    figures = task.validate(Answering(tilted))
    assert figures["selection"] == pytest.approx(0, abs=1e-4)
    assert figures["nme3d"] == pytest.approx(100 * (1 / size).mean(), rel=1e-4)


@torch.inference_mode()
def test_detected_points_reach_the_network_in_validation_too(path):
    task = LandmarkTask(world.setup(path, points=True))
    model = FanLift(size=world.SIDE, hidden=8).eval()
    near = task.validate(model)
    assert 0 < near["selection"] < 10
    model.network[-1].weight.zero_()
    model.network[-1].bias.zero_()
    given = np.stack([task.points(s.points, world.CROP) for s in map(task.held_out.sample, range(8))])
    truth = truths(task)
    size = np.sqrt(np.ptp(truth[..., :2], axis=1).prod(-1))
    wanted = 100 * (np.linalg.norm(given - truth[..., :2], axis=-1).mean(1) / size).mean()
    assert task.validate(model)["selection"] == pytest.approx(wanted, rel=1e-4)


def test_a_frozen_2d_network_wants_weights_to_begin_with(path, tmp_path):
    frozen = Lift3D(size=world.SIDE, width=2, hidden=8, frozen_2d=True)
    with pytest.raises(FacemillError, match=r"training\.init_from"):
        LandmarkTask(world.setup(path)).require(frozen)
    LandmarkTask(world.setup(path, init_from=str(tmp_path / "weights.safetensors"))).require(frozen)
    LandmarkTask(world.setup(path)).require(Lift3D(size=world.SIDE, width=2, hidden=8))
