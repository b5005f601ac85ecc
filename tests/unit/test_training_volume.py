"""The volume task: crop and volume move together, and a network over-fits one batch."""

import numpy as np
import pytest
import torch

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.geometry.volume import Volume
from pipeline.io import hdf5
from pipeline.losses.volume import Occupancy, volume_overlap
from pipeline.models.vrn import VRN
from pipeline.records import PACK
from pipeline.registry import TARGETS, TASKS
from pipeline.training.batches import Packs
from pipeline.training.task import Setup

SIZE = 48


def ball(seed):
    """An ellipsoid (200, 192, 192) with a slot across it from the front, and where it is."""
    random = np.random.default_rng(seed)
    centre, axes = random.uniform(80, 112, 2), random.uniform([40, 30, 40], [55, 45, 60])
    z, y, x = np.ogrid[:200, :192, :192]
    volume = ((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 + (
        (z - 100) / axes[2]
    ) ** 2 < 1
    volume[95:105, :, int(centre[0]) :] = False
    return volume, centre, axes


def save_pack(path, target, samples):
    with hdf5.create(
        path,
        PACK.extended(**target.fields),
        samples,
        {"F": 96, "C": 3, "Ks": 1, "Ke": 1},
        target.attributes,
    ) as file:
        for k in range(samples):
            volume, centre, axes = ball(k)
            columns, several = Volume.from_dense(volume).columns()
            file["face"][k] = file["picture"][k] = file["group"][k] = f"p{k}"
            outline = volume.any(axis=0)[::2, ::2]
            shade = np.linspace(120, 250, 96)[None, :] if k % 2 else np.linspace(250, 120, 96)[:, None]
            file["image"][k] = (outline * shade)[..., None].astype(np.uint8)
            file["transform"][k] = [0.5, 95.5, 95.5, 96]
            angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
            around = np.stack([np.cos(angle), np.sin(angle)], axis=1) * axes[:2] * 0.8
            file["landmarks68"][k] = np.column_stack([centre + around, np.zeros(68)])
            file["detected68"][k] = np.nan
            file["volume_columns"][k], file["volume_several"][k] = columns, several.sum()
            file["volume_bits"][k] = Volume.from_dense(volume).bits


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    target = TARGETS["volume"](TargetSettings(kind="volume"))
    path = tmp_path_factory.mktemp("volumes") / "pack.h5"
    save_pack(path, target, 3)
    packs = Packs([path], target, 100)
    yield packs
    packs.close()


def task(packs, augment=None, **keywords):
    still = {"rotation": 0, "translation": 0, "scale": [1, 1], "colour": [1, 1], "occlusion": 0, "flip": 0}
    training = TrainingSettings.model_validate({"batch_size": 3, "augment": {**still, **(augment or {})}})
    return TASKS["volume"](
        Setup(packs, packs, None, None, packs.target, training, 5, SIZE, "zero"), **keywords
    )


def test_without_augmentation_the_runs_are_the_volume_s(packs):
    runs = task(packs).runs(packs.sample(0))
    volume, _, _ = ball(0)
    assert runs.shape == (2, SIZE, SIZE, 2)
    column = volume[
        :, 4 * 20 + 2, 4 * 30 + 2
    ]  # 81.5 and 121.5 are as near to both: even rows and columns go on
    found = sorted(map(tuple, runs[:, 20, 30].tolist()))
    edges = np.flatnonzero(np.diff(np.pad(column.astype(int), 1))).reshape(-1, 2) / 4
    np.testing.assert_allclose(found, edges)
    share = float((runs[..., 1] - runs[..., 0]).sum()) / (SIZE * SIZE * 50)
    assert share == pytest.approx(volume.mean(), rel=0.03)


@pytest.mark.parametrize("update", range(4))
def test_image_volume_and_landmarks_move_together(packs, update):
    paper = {"rotation": 45, "translation": 15 / 192, "scale": [0.85, 1.15], "flip": 0.5}
    batch = task(packs, paper).batch(update)
    assert batch["image"].shape == (3, 3, SIZE, SIZE) and batch["points"].shape == (3, 68, 2)
    outline = (batch["runs"][..., 1] > batch["runs"][..., 0]).any(dim=1)
    drawn = batch["image"].mean(1) > 0.25
    agree = (outline & drawn).sum((1, 2)) / (outline | drawn).sum((1, 2))
    assert agree.min() > 0.9
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    for inside, points in zip(outline, batch["points"], strict=True):
        middle = torch.stack([columns[inside], rows[inside]], dim=-1).float().mean(0)
        assert (4 * (points.mean(0) + 0.5) - 0.5 - middle).abs().max() < 0.8


def test_depth_grows_with_the_picture(packs):
    deep = []
    for scale in (0.85, 1.15):
        runs = task(packs, {"scale": [scale, scale]}).batch(0)["runs"]
        deep.append(float(runs[..., 1].max()) - 25.125)
    assert deep[1] / deep[0] == pytest.approx(1.15 / 0.85, rel=0.03)


def test_batches_are_a_function_of_seed_and_update(packs):
    wild = {"rotation": 30, "scale": [0.8, 1.2], "flip": 0.5, "colour": [0.5, 1.5]}
    first, second, other = task(packs, wild).batch(2), task(packs, wild).batch(2), task(packs, wild).batch(3)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["runs"], other["runs"])


@pytest.mark.parametrize("variant", ["unguided", "multitask", "guided"])
def test_a_network_over_fits_one_batch(packs, variant):
    torch.manual_seed(0)
    stacks = 2 if variant == "multitask" else 1
    network = VRN(variant=variant, features=32, stacks=stacks, depth=1, blocks=1, size=SIZE)
    learning = task(packs)
    batch = learning.batch(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    before = learning.loss(network, batch)
    for _ in range(60):
        optimiser.zero_grad()
        losses = learning.loss(network, batch)
        losses.total.backward()
        optimiser.step()
    assert all(
        float(losses.parts[name].detach()) < 0.3 * float(before.parts[name].detach()) for name in losses.parts
    )
    assert ("heatmaps" in losses.parts) == (variant != "unguided")
    with torch.no_grad():
        both, either = volume_overlap(network(batch["image"])["volume"], batch["runs"])
    assert float((both / either).min()) > 0.7


def test_validation_says_how_much_overlaps(packs):
    class Truth(torch.nn.Linear):
        def predict(self, image):
            learning = task(packs)
            runs = torch.from_numpy(np.stack([learning.runs(packs.sample(row)) for row in range(len(image))]))
            inside = Occupancy(runs).of(0, 50) >= 0.5
            points = np.stack([packs.sample(row).landmarks[:, :2] for row in range(len(image))])
            return {
                "volume": inside * 20.0 - 10.0,
                "landmarks": torch.from_numpy((points + 0.5) / 2 - 0.5 + 1.0),
            }

    figures = task(packs).validate(Truth(1, 1))
    assert figures["iou"] == pytest.approx(1.0, abs=1e-6)
    assert figures["selection"] == pytest.approx(0.0, abs=1e-4)
    truth = packs.sample(0).landmarks[:, :2]
    assert figures["landmarks"] == pytest.approx(
        100 * 2 * np.sqrt(2) / np.ptp(truth, axis=0).prod() ** 0.5, rel=0.3
    )
