"""SynergyNet's task: what a batch holds, what its losses are made of, selection, the pictures' changes, a short run."""

import numpy as np
import pytest
import torch
from params_world import face, save_pack

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.losses.synergy import SynergyLoss
from pipeline.models.synergynet import SynergyNet
from pipeline.morphable.params62 import CAMERA, crop_points
from pipeline.records import FacemillError
from pipeline.registry import TARGETS, TASKS
from pipeline.training.batches import Packs
from pipeline.training.loop import train
from pipeline.training.synergy_photo import REGIONS, jittered, only_a_region
from pipeline.training.synergy_task import SynergyTask
from pipeline.training.task import Setup

SIDE = 32
TARGET = TARGETS["params"](TargetSettings(kind="params", size=SIDE))
OFF = {"rotation": 0, "translation": 0, "scale": (1, 1), "colour": (1, 1), "occlusion": 0}
TRAINING = {"updates": 8, "batch_size": 3, "warmup": 0, "threads": 1, "precision": "fp32"}
STILL = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "region": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("params")
    for seed, (name, samples) in enumerate((("a", 5), ("val", 4)), start=1):
        save_pack(folder / f"{name}.h5", samples, seed, SIDE)
    return folder


def packs(folder, name):
    return Packs([folder / f"{name}.h5"], TARGET, 100)


def task(folder, augment=None, training=None, **keywords):
    settings = TrainingSettings.model_validate({**TRAINING, "augment": augment or OFF, **(training or {})})
    setup = Setup(packs(folder, "a"), packs(folder, "val"), None, face(), TARGET, settings, 7, SIDE)
    return SynergyTask(setup, **keywords)


def network(prepared=None, **settings):
    made = SynergyNet(
        torch.Generator().manual_seed(0), size=SIDE, width=0.125, point_width=0.125, border=1, **settings
    )
    if prepared is not None:
        prepared.require(made)
        prepared.prepare(made)
    return made


def test_it_is_found_by_the_name_that_the_network_says():
    assert TASKS[SynergyNet.task] is SynergyTask


def test_a_batch_is_the_crop_with_its_parameters_and_a_function_of_the_update(folder):
    still = task(folder, **STILL)
    batch = still.batch(2)
    assert batch["image"].shape == (3, 3, SIDE, SIDE) and batch["params"].shape == (3, 62)
    for (row, _), image, params in zip(still.picks(2), batch["image"], batch["params"], strict=True):
        sample = still.packs.sample(row)
        np.testing.assert_allclose(params, sample.stored["params"], rtol=1e-6)
        np.testing.assert_allclose(image, still.image(sample.image), atol=1e-6)
    for other in (task(folder), task(folder, {**OFF, "rotation": 30})):
        assert all(torch.equal(other.batch(2)[name], value) for name, value in other.batch(2).items())
        assert not torch.equal(other.batch(2)["image"], batch["image"])


def test_the_truth_follows_the_picture_in_its_plane(folder):
    turned = task(folder, {**OFF, "rotation": 40, "translation": 0.1, "scale": (0.8, 1.2)}, **STILL)
    params = turned.batch(0)["params"].double().numpy()
    for (row, random), found in zip(turned.picks(0), params, strict=True):
        sample = turned.packs.sample(row)
        _, similarity = turned.augmented(sample, random)
        before = crop_points(sample.stored["params"], face(), SIDE, keypoints=True)
        after = crop_points(found, face(), SIDE, keypoints=True)
        matrix = similarity.matrix(SIDE)
        expected = before[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        np.testing.assert_allclose(after[:, :2], expected, atol=1e-3)
        assert np.abs(expected - before[:, :2]).max() > 1


def test_whitening_is_that_of_the_training_set(folder):
    still = task(folder, **STILL)
    rows = np.stack([still.packs.sample(k).stored["params"] for k in range(5)])
    white = network(still).whiten(torch.from_numpy(rows).float())
    varies = rows.std(axis=0) > 1e-12
    np.testing.assert_allclose(white.mean(dim=0), 0, atol=1e-3)
    np.testing.assert_allclose(white.std(dim=0, correction=0)[varies], 1, atol=1e-3)


@pytest.mark.parametrize("legacy", [False, True])
def test_the_losses_are_those_of_points_and_parameters_from_the_whole_network(folder, legacy):
    made_of = task(folder, landmarks=0.5, legacy_reverse_slice=legacy)
    model = network(made_of, dropout=0.0)
    batch = made_of.batch(0)
    losses = made_of.loss(model, batch)
    out = model(batch["image"])

    def points(raw):
        rows = [crop_points(p, face(), SIDE, keypoints=True) for p in raw.detach().double().numpy()]
        return torch.from_numpy(np.stack(rows)).float()

    first, true = points(model.raw(out["params"])), points(batch["params"])
    refined = model.refine(first, out["features"], out["params"])
    white = model.whiten(batch["params"])
    unit = 120 / SIDE
    expected = SynergyLoss(landmarks=0.5, legacy_reverse_slice=legacy)(
        unit * first, unit * refined, unit * true, out["params"], model.reverse(refined), white
    )
    assert list(losses.parts) == ["landmarks", "refined", "parameters", "reverse", "consistency"]
    for name, value in expected.parts.items():
        assert losses.parts[name].item() == pytest.approx(value.item(), rel=1e-3), name
    losses.total.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_selection_is_the_landmarks_error_in_percent_of_the_box(folder):
    judged = task(folder)
    model = network(judged).eval()
    truths = iter(torch.from_numpy(np.stack([judged.held_out.sample(k).stored["params"] for k in range(4)])))
    shift = torch.zeros(62, dtype=torch.float64)
    shift[CAMERA.start + 3] = 2.0  # px to the right
    model.predict = lambda image: torch.stack([next(truths) + shift for _ in image])
    found = judged.validate(model)
    sizes = []
    for k in range(4):
        points = crop_points(judged.held_out.sample(k).stored["params"], face(), SIDE, keypoints=True)
        sizes.append(np.sqrt(np.prod(np.ptp(points[:, :2], axis=0))))
    assert found == {"selection": pytest.approx(np.mean(200 / np.array(sizes)), rel=1e-3)}


def test_a_short_run_learns(folder, tmp_path):
    settings = {
        "updates": 30,
        "batch_size": 5,
        "optimiser": "adam",
        "lr": 5e-3,
        "log_every": 1,
        "validate_every": 30,
    }
    learns = task(folder, training=settings, **STILL)
    model = network(learns, dropout=0.0)
    trained = train(
        model, learns, learns.training, state_dir=tmp_path / "state", out_dir=tmp_path / "out", key="k"
    )
    losses = [record["loss"] for record in trained.history if "loss" in record]
    assert np.mean(losses[-3:]) < 0.6 * losses[0], losses
    assert np.isfinite(trained.selected["selection"])


def test_colours_vary_about_the_picture_by_the_three_factors():
    image = np.random.default_rng(0).uniform(0.2, 0.8, (3, 8, 8)).astype(np.float32)
    still = jittered(image, 0, 0, 0, np.random.default_rng(1))
    np.testing.assert_allclose(still, image, atol=1e-6)
    luma = np.array([0.299, 0.587, 0.114])

    def factor_of(**spread):
        out = jittered(
            image,
            **{"brightness": 0, "contrast": 0, "saturation": 0, **spread},
            random=np.random.default_rng(4),
        )
        assert out.dtype == np.float32 and not np.allclose(out, image)
        return out

    brighter = factor_of(brightness=0.2)
    ratio = brighter / image
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)
    mean = (luma @ image.reshape(3, -1)).mean()
    ratio = (factor_of(contrast=0.2) - mean) / (image - mean)
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-2)
    gray = np.tensordot(luma, image, axes=1)
    ratio = (factor_of(saturation=0.2) - gray) / (image - gray)
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-2)
    drawn = [jittered(image, 0.4, 0.4, 0.4, np.random.default_rng(k)) for k in range(60)]
    assert all(out.min() >= 0 and out.max() <= 1 for out in drawn)
    levels = np.array([out.mean() for out in drawn]) / image.mean()
    assert 0.6 <= levels.min() < 0.75 and 1.25 < levels.max() <= 1.45


def test_the_legacy_colours_are_those_of_a_picture_taken_for_its_mirror_in_colour(folder):
    image = np.random.default_rng(0).uniform(0.2, 0.8, (3, 8, 8)).astype(np.float32)
    ours, legacy = (
        task(folder, region=0.0, legacy_bgr_colours=legacy).disturbed(image, np.random.default_rng(2))
        for legacy in (False, True)
    )
    swapped = jittered(image[::-1], 0.4, 0.4, 0.4, np.random.default_rng(2))[::-1]
    np.testing.assert_array_equal(legacy, swapped)
    assert np.abs(ours - legacy).max() > 0.01


@pytest.mark.parametrize(
    ("region", "corner", "size"),
    [
        ("upper left", (0, 0), (6, 6)),
        ("upper right", (0, 6), (6, 6)),
        ("lower left", (6, 0), (6, 6)),
        ("lower right", (6, 6), (6, 6)),
        ("left", (0, 0), (12, 6)),
        ("right", (0, 6), (12, 6)),
        ("centre", (3, 3), (6, 6)),
    ],
)
def test_one_region_is_kept(region, corner, size):
    image = np.random.default_rng(0).uniform(0.1, 1, (3, 12, 12)).astype(np.float32)
    expected = np.zeros_like(image)
    part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    expected[:, *part] = image[:, *part]
    np.testing.assert_array_equal(only_a_region(image, region), expected)
    legacy = only_a_region(image, region, legacy_lower_right=True)
    if region == "lower right":  # the public code keeps the upper left quarter
        np.testing.assert_array_equal(legacy, only_a_region(image, "upper left"))
    else:
        np.testing.assert_array_equal(legacy, expected)


def test_regions_come_as_often_as_asked_and_all_of_them(folder):
    always = task(folder, region=1.0, **{k: v for k, v in STILL.items() if k != "region"})
    image = np.ones((3, 8, 8), np.float32)
    random = np.random.default_rng(0)
    kept = {always.disturbed(image, random)[0].tobytes() for _ in range(60)}
    assert kept == {only_a_region(image, region)[0].tobytes() for region in REGIONS}
    seldom = task(folder, region=0.3, **{k: v for k, v in STILL.items() if k != "region"})
    share = np.mean([seldom.disturbed(image, random).min() == 0 for _ in range(400)])
    assert 0.2 < share < 0.4


def test_what_cannot_be_learned_is_refused(folder):
    with pytest.raises(FacemillError, match=r"set training\.augment\.flip=0"):
        task(folder, {**OFF, "flip": 0.5})
    with pytest.raises(FacemillError, match=r"task\.contrast: expected a share from 0 to 1, found 1\.5"):
        task(folder, contrast=1.5)
    with pytest.raises(FacemillError, match=r"training\.batch_size: expected 2 or more"):
        task(folder, training={"batch_size": 1})
    bare = network()
    with pytest.raises(FacemillError, match="refine and reverse"):
        plain = torch.nn.Module()
        plain.register_buffer("param_mean", bare.param_mean)
        plain.register_buffer("param_std", bare.param_std)
        plain.size = SIDE
        task(folder).require(plain)
