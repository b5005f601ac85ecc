"""Packs, batches and the train stage on position maps of a dome."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import training_world as world
from target_cases import model as dome

from pipeline.config import AugmentSettings, TargetSettings, TrainingSettings
from pipeline.records import FacemillError
from pipeline.registry import TARGETS
from pipeline.stages import train as stage
from pipeline.targets.weights import weight_mask
from pipeline.training.batches import Packs, chosen
from pipeline.training.checkpoints import initial_network, load_weights
from pipeline.training.job import resume_key
from pipeline.training.posmap_task import PosmapTask, require_symmetric
from pipeline.training.task import Setup

TARGET = TARGETS["posmap"](TargetSettings(kind="posmap", size=world.SIDE))
OFF = AugmentSettings(rotation=0, translation=0, scale=(1, 1), colour=(1, 1), occlusion=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    world.job(folder)
    return folder


def packs(folder, names=("a", "b"), limit=100):
    return Packs([folder / f"{name}.h5" for name in names], TARGET, limit)


def task(folder, **training):
    settings = TrainingSettings.model_validate({**world.TRAINING, **training})
    weights = np.ones((world.SIDE, world.SIDE))
    weights[:4] = 0
    return PosmapTask(setup(packs(folder), packs(folder, ["val"]), settings, 3), weights)


def setup(train, held_out, settings, seed=0):
    return Setup(train, held_out, None, dome(), TARGET, settings, seed, world.SIDE)


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "out").iterdir())
    }


def test_packs_follow_one_another_whether_in_memory_or_not(folder):
    whole, lazy = packs(folder), packs(folder, limit=0)
    assert len(whole) == len(lazy) == 7
    for index in range(7):
        for one, other in zip(whole[index], lazy[index], strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    second = packs(folder, ["b"])
    np.testing.assert_array_equal(whole[5][0], second[1][0])
    with pytest.raises(IndexError):
        whole[7]
    assert len(packs(folder, [])) == 0


def test_every_epoch_is_another_permutation_of_all_samples():
    drawn = [row for update in range(12) for row in chosen(update, 4, 7, seed=1)]
    epochs = [drawn[k : k + 7] for k in range(0, 42, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 3
    assert drawn[:4] != [row for row in chosen(0, 4, 7, seed=2)] or drawn[4:8] != chosen(1, 4, 7, seed=2)
    with pytest.raises(FacemillError, match="at least one training sample"):
        chosen(0, 4, 0, seed=1)


def test_a_batch_depends_on_seed_and_update_alone(folder):
    first, second = task(folder), task(folder)
    second.batch(4)
    one, other = first.batch(5), second.batch(5)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["image"], first.batch(6)["image"])
    assert one["image"].shape == one["target"].shape == (3, 3, world.SIDE, world.SIDE)
    assert one["image"].min() >= 0 and one["image"].max() <= 1


def test_targets_are_positions_over_1_1_times_the_side_held_within_0_and_1(folder):
    plain = task(folder, augment=OFF.model_dump())
    row = chosen(0, 3, 7, seed=3)[0]
    positions = packs(folder)[row][1]
    target = plain.batch(0)["target"][0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(target, np.clip(positions / (1.1 * world.SIDE), 0, 1), atol=1e-6)
    shifted = task(folder, augment={**OFF.model_dump(), "scale": (3.0, 3.0)}).batch(0)["target"]
    assert shifted.min() == 0 and shifted.max() == 1


def test_validation_is_the_weighted_distance_in_percent_of_the_true_maps_box(folder):
    subject = task(folder)
    held = packs(folder, ["val"])
    offset = np.array([3.0, 4.0, 12.0], np.float32)

    class Oracle(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            maps = np.stack([held[k][1] for k in range(2)]) + offset
            maps[:, :4] = 99
            return torch.from_numpy(maps).permute(0, 3, 1, 2) / (1.1 * world.SIDE)

    figures = subject.validate(Oracle())
    boxes = [held[k][1][4:, :, :2].reshape(-1, 2) for k in range(2)]
    share = np.mean([100 / np.sqrt(np.ptp(box, axis=0).prod()) for box in boxes])
    assert figures["selection"] == pytest.approx(5 * share, rel=1e-4)
    assert figures["xyz"] == pytest.approx(13 * share, rel=1e-4)


def test_nothing_is_selected_without_held_out_faces(folder):
    settings = TrainingSettings.model_validate(world.TRAINING)
    empty = PosmapTask(setup(packs(folder), packs(folder, []), settings), np.ones((32, 32)))
    assert empty.validate(initial_network("prn", {"width": 1, "size": 32}, 0)) == {}


def test_mirroring_is_refused_on_a_chart_that_is_not_symmetric():
    require_symmetric(dome(), world.SIDE)
    bent = dome()
    bent.mean[:, 0] += 0.3 * bent.mean[:, 1]
    with pytest.raises(FacemillError, match=r"augment\.flip.*set it to 0"):
        require_symmetric(bent, world.SIDE)


def test_the_loss_is_weighted_by_the_chart_or_by_the_users_mask(folder, tmp_path):
    settings = TrainingSettings.model_validate(world.TRAINING)
    made = [packs(folder), packs(folder, ["val"])]
    own = PosmapTask(setup(*made, settings))
    mask = weight_mask(dome(), world.SIDE)
    torch.testing.assert_close(own.criterion.weights, torch.from_numpy(mask / mask.sum()))
    grey, face = np.full((32, 32), 48, np.uint8), np.zeros((32, 32), np.uint8)
    face[:, 8:24] = 255
    names = {"weights_png": str(tmp_path / "mask.png"), "weights_face_png": str(tmp_path / "face.png")}
    for path, picture in zip(names.values(), (grey, face), strict=True):
        cv2.imwrite(path, picture)
    plain = settings.model_copy(update={"weights_png": names["weights_png"]})
    theirs = PosmapTask(setup(*made, plain))
    torch.testing.assert_close(theirs.criterion.weights, torch.full((32, 32), 1 / 1024))
    masked = PosmapTask(setup(*made, settings.model_copy(update=names)))
    expected = torch.from_numpy(face / face.sum(dtype=np.float64)).float()
    torch.testing.assert_close(masked.criterion.weights, expected)


def test_the_stage_writes_weights_history_and_a_card_equal_to_the_byte(tmp_path):
    upkeep = {"save_every": 1, "memory_limit_mb": 0, "workers": 2}
    for name, more in {"a": {}, "b": {}, "other upkeep": upkeep}.items():
        (tmp_path / name).mkdir()
        world.run(tmp_path / name, **more)
    assert digests(tmp_path / "a") == digests(tmp_path / "b") == digests(tmp_path / "other upkeep")
    assert sorted(digests(tmp_path / "a")) == ["card.json", "history.jsonl", "weights.safetensors"]
    card = json.loads((tmp_path / "a/out/card.json").read_text())
    network = initial_network("prn", card["settings"], 0)
    assert load_weights(tmp_path / "a/out/weights.safetensors", network)["model"] == "prn"
    assert card["parameters"] == sum(p.numel() for p in network.parameters())
    assert card["samples"] == {"train": 7, "val": 2}
    assert card["licences"] == {"CC0": ["pictures of domes"], "none": ["face model dome"]}
    assert card["sha256"] == digests(tmp_path / "a")["weights.safetensors"]
    assert card["training"]["updates"] == 7 and card["selected"]["selection"] > 0
    assert not (tmp_path / "a/state").exists()


def test_a_warm_start_begins_where_the_weights_are(tmp_path):
    world.run(tmp_path)
    first = (tmp_path / "out/weights.safetensors").read_bytes()
    start = tmp_path / "start.safetensors"
    start.write_bytes(first)
    world.run(tmp_path, init_from=str(start), updates=1, lr=1e-9)
    warm, origin = (initial_network("prn", {"width": 1, "size": 32}, 9) for _ in range(2))
    load_weights(tmp_path / "out/weights.safetensors", warm)
    load_weights(start, origin)
    torch.testing.assert_close(warm.last.conv.weight, origin.last.conv.weight, atol=1e-6, rtol=0)


def test_a_network_of_another_side_than_its_target_is_one_clear_line(tmp_path):
    arguments = world.job(tmp_path)
    arguments["settings"]["network"]["size"] = 64
    with pytest.raises(FacemillError, match=r"settings\.size.*64.*32"):
        stage.load_face_model = lambda **block: dome()
        stage.run(**arguments)


def test_a_map_may_have_another_side_than_the_input(tmp_path):
    arguments = world.job(tmp_path, updates=2)
    arguments["settings"]["network"] |= {"size": 64, "map_size": 32}
    stage.load_face_model = lambda **block: dome()
    stage.run(**arguments)
    network = initial_network("prn", arguments["settings"]["network"], 0)
    load_weights(tmp_path / "out/weights.safetensors", network)
    assert (network.size, network.map_size) == (64, 32)
    history = [json.loads(line) for line in (tmp_path / "out/history.jsonl").read_text().splitlines()]
    assert all(np.isfinite(row.get("position", 0)) for row in history)
    arguments["settings"]["network"]["map_size"] = 128
    with pytest.raises(FacemillError, match=r"settings\.map_size.*128.*32"):
        stage.run(**arguments)


def test_only_settings_that_decide_the_weights_are_part_of_the_resume_key(tmp_path):
    settings = world.job(tmp_path)["settings"]

    def key(name=None, value=None):
        training = {**settings["training"], **({name: value} if name else {})}
        return resume_key({**settings, "training": training}, 3, "0123", ["a"])

    same = {"log_every": 9, "tensorboard": True, "save_every": 1, "memory_limit_mb": 1, "workers": 2}
    assert {key(name, value) for name, value in same.items()} == {key()}
    other = {"lr": 0.5, "validate_every": 9, "threads": 7, "updates": 9, "weights_face_png": "f.png"}
    assert len({key(), *(key(name, value) for name, value in other.items())}) == 1 + len(other)
    assert len({key(), resume_key(settings, 4, "0123", ["a"]), resume_key(settings, 3, "4", ["a"])}) == 3


def test_killed_at_any_step_it_goes_on_and_ends_with_the_same_bytes(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    world.run(tmp_path / "whole")
    script = Path(world.__file__)
    fatal = sorted(np.random.default_rng().choice(np.arange(1, 7), 3, replace=False))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "killed"), *map(str, fatal), "-1"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(script.parents[2])},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[-9, -9, -9, 0]", done.stderr
    assert digests(tmp_path / "whole") == digests(tmp_path / "killed")
