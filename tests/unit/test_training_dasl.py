"""2DASL's task: batches, stages, what each part of its loss changes, the critic, selection."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from dasl_world import OFF, SIDE, network, packs, save_packs, setup, task
from params_world import face

from pipeline.config import TargetSettings
from pipeline.morphable.params62 import crop_points
from pipeline.records import FacemillError
from pipeline.registry import TARGETS, TASKS
from pipeline.seeding import rng
from pipeline.training.augment import Similarity, draw_similarity
from pipeline.training.dasl_task import UNCONFIRMED, DaslTask
from pipeline.training.task import Setup


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_packs(tmp_path_factory.mktemp("params"))


def test_the_registry_finds_it():
    assert TASKS["2dasl"] is DaslTask


def test_a_batch_is_a_function_of_seed_and_update_with_truth_where_the_crop_has_it(folder):
    one, other = task(folder, "b"), task(folder, "b")
    batch = one.batch(2)
    assert {name: tuple(value.shape) for name, value in batch.items()} == {
        "image": (3, 3, SIDE, SIDE),
        "points": (3, 68, 2),
        "shown": (3, 68, 2),
        "params": (3, 62),
        "vertices": (70,),
        "unlabelled_image": (3, 3, SIDE, SIDE),
        "unlabelled_points": (3, 68, 2),
        "unlabelled_shown": (3, 68, 2),
    }
    other.batch(0)
    again = other.batch(2)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["image"], one.batch(3)["image"])
    for parameters, points in zip(batch["params"].double().numpy(), batch["points"].numpy(), strict=True):
        true = crop_points(parameters, face(), SIDE, keypoints=True)[:, :2]
        assert 0.05 < np.abs(points - true).mean() < 1


@pytest.mark.parametrize("unlabelled", ["b", None])
def test_unlabelled_faces_are_others_in_an_order_of_their_own(folder, unlabelled):
    made = task(folder, unlabelled)
    batches = [made.batch(update) for update in range(4)]
    labelled = {image.sum().item() for batch in batches for image in batch["image"]}
    others = {image.sum().item() for batch in batches for image in batch["unlabelled_image"]}
    assert len(labelled) == 5 and (labelled.isdisjoint(others) if unlabelled else labelled == others)
    assert any(not torch.equal(batch["image"], batch["unlabelled_image"]) for batch in batches)


def test_processes_share_out_both_halves(folder):
    whole, parts = task(folder, "b"), [task(folder, "b") for _ in range(2)]
    for rank, part in enumerate(parts):
        part.share = (rank, 2)
    batch, shares = whole.batch(1), [part.batch(1) for part in parts]
    for name in ("image", "params", "unlabelled_image"):
        assert torch.equal(batch[name][0::2], shares[0][name]) and torch.equal(
            batch[name][1::2], shares[1][name]
        )


def test_points_and_truth_follow_the_augmentation(folder):
    augment = {**OFF, "rotation": 40, "translation": 0.1, "scale": (0.8, 1.2)}
    plain, turned = task(folder).batch(0), task(folder, augment=augment).batch(0)
    assert (plain["points"] - turned["points"]).abs().mean() > 1
    for batch in (plain, turned):
        for parameters, points in zip(batch["params"].double().numpy(), batch["points"].numpy(), strict=True):
            true = crop_points(parameters, face(), SIDE, keypoints=True)[:, :2]
            assert np.abs(points - true).mean() < 1


def test_a_target_of_another_side_is_scaled_to_the_network_s(folder):
    made = setup(folder)
    for size in (SIDE, 48):
        scaled = DaslTask(replace(made, size=size))
        batch = scaled.batch(0)
        assert batch["image"].shape[-1] == size
        for parameters, points in zip(batch["params"].double().numpy(), batch["points"].numpy(), strict=True):
            true = crop_points(parameters, face(), size, keypoints=True)[:, :2]
            assert np.abs(points - true).mean() < 0.8 * size / 48
    shapes = batch["params"][:, 12:]
    assert torch.equal(shapes, DaslTask(made).batch(0)["params"][:, 12:])


def test_jitter_and_dropout_change_what_is_shown_and_nothing_else(folder):
    plain, rough = task(folder).batch(0), task(folder, jitter=0.05, dropout=0.3).batch(0)
    assert torch.equal(plain["shown"], plain["points"])
    for name in ("image", "points", "params", "unlabelled_points"):
        assert torch.equal(plain[name], rough[name])
    hidden = rough["shown"].isnan().all(-1)
    assert 0.15 < hidden.float().mean() < 0.45
    moved = (rough["shown"] - rough["points"])[~hidden]
    assert moved.std().item() == pytest.approx(0.05 * SIDE, rel=0.2)
    assert rough["unlabelled_shown"].isnan().any()
    assert torch.isfinite(network()(rough["image"], rough["shown"])).all()


def test_the_whitening_is_that_of_the_augmented_training_set(folder):
    spread = []
    for augment in (None, {**OFF, "scale": (0.5, 2.0)}):
        made = task(folder, augment=augment)
        prepared = network(made)
        rows = [made.truth(made.packs.sample(row), _similarity(made, row)) for row in range(5)]
        torch.testing.assert_close(prepared.param_mean, torch.from_numpy(np.mean(rows, 0)).float())
        torch.testing.assert_close(prepared.param_std, torch.from_numpy(np.std(rows, 0)).float())
        spread.append(prepared.param_std[10])
    assert spread[1] > 2 * spread[0]


def _similarity(made, row):
    return draw_similarity(made.training.augment, rng("whitening", made.seed, row))


def test_the_stages_follow_the_number_of_the_update(folder):
    made = task(folder, vdc_share=0.25)
    kinds = ["unlabelled_image" in made.batch(update) for update in range(10)]
    assert kinds == [True] * 6 + [False] * 4
    assert "unlabelled_image" in task(folder, vdc_share=0).batch(7)
    by_epochs = task(folder, training={"epochs": 6, "updates": 1}, vdc_share=0.5)
    assert by_epochs.second_stage == 5
    model = network(made)
    assert set(made.loss(model, made.batch(0)).parts) == {
        "wpdc",
        "consistency_2d",
        "consistency_3d",
        "cycle",
        "self_critic",
        "critic",
    }
    assert set(made.loss(model, made.batch(6)).parts) == {"vdc"}


@pytest.mark.parametrize("size", [SIDE, 48])
def test_selection_is_the_error_of_the_landmarks_in_per_cent_of_the_true_box(folder, size):
    made = DaslTask(replace(setup(folder), size=size))
    model = network(made).eval()
    still = Similarity(0, 1, (0, 0), False)
    truths = [made.truth(made.held_out.sample(row), still) for row in range(4)]
    answers = []
    model.predict = lambda image, points: answers.pop(0)
    moved = [truth.copy() for truth in truths]
    for shift, parameters in enumerate(moved):
        parameters[3] += shift
    boxes = [np.ptp(crop_points(t, face(), size, keypoints=True)[:, :2], axis=0) for t in truths]
    expected = np.mean([100 * shift / np.sqrt(w * h) for shift, (w, h) in enumerate(boxes)])
    stacked = torch.from_numpy(np.stack(moved))
    answers.extend([stacked[:3], stacked[3:]])
    assert made.validate(model)["selection"] == pytest.approx(expected, rel=1e-4)
    made.held_out = packs(folder)
    assert made.validate(model) == {}


def test_it_learns(folder):
    made = task(folder, vdc_share=0.5, training={"updates": 60, "batch_size": 5})
    model = network(made)
    optimisers = [
        torch.optim.Adam(model.parameters(), 0.01),
        torch.optim.Adam(made.critic.parameters(), 1e-4),
    ]
    torch.manual_seed(0)
    seen = []
    for update in range(60):
        losses = made.loss(model.train(), made.batch(update))
        for optimiser in optimisers:
            optimiser.zero_grad()
        losses.total.backward()
        for optimiser in optimisers:
            optimiser.step()
        seen.append({name: part.item() for name, part in losses.parts.items()})
    assert seen[29]["wpdc"] < 0.6 * seen[0]["wpdc"]
    assert seen[59]["vdc"] < 0.5 * seen[30]["vdc"]


def test_bf16_loses_little(folder):
    made = task(folder)
    model = network(made).eval()
    batch = made.batch(0)
    plain = made.loss(model, batch).parts
    with torch.autocast("cpu", torch.bfloat16):
        coarse = made.loss(model, batch).parts
    assert all(value.dtype == torch.float32 for value in coarse.values())
    assert coarse["wpdc"].item() == pytest.approx(plain["wpdc"].item(), rel=0.05)


def test_what_nobody_confirms_are_keywords_with_a_reason():
    keywords = {
        p.name for p in inspect.signature(DaslTask.__init__).parameters.values() if p.kind == p.KEYWORD_ONLY
    }
    assert set(UNCONFIRMED) < keywords and all(len(reason) > 20 for reason in UNCONFIRMED.values())


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"wpdc": 0.0}, "task.wpdc: expected a positive number"),
        ({"cycle": -1.0}, "task.cycle: expected a weight that is not negative"),
        ({"vdc_share": 1.5}, "task.vdc_share: expected a share"),
        ({"point_weights": "equal"}, "expected published or uniform, found 'equal'"),
        ({"critic_sees": "all"}, "expected landmarks.coefficients, coefficients, expression, found 'all'"),
    ],
)
def test_impossible_keywords_are_refused(folder, keywords, message):
    with pytest.raises(FacemillError, match=message):
        task(folder, **keywords)


def test_patience_needs_a_training_without_a_second_stage(folder):
    with pytest.raises(FacemillError, match=r"training\.patience: expected null .* task\.vdc_share=0"):
        task(folder, training={"patience": 2})
    task(folder, training={"patience": 2}, vdc_share=0.0)


def test_mirrors_and_networks_that_do_not_fit_are_refused(folder):
    with pytest.raises(FacemillError, match=r"training.augment.flip: expected 0 .* found 0.5"):
        task(folder, augment={**OFF, "flip": 0.5})
    with pytest.raises(FacemillError, match=r"param_mean and param_std"):
        task(folder).require(torch.nn.Linear(1, 1))
    with pytest.raises(FacemillError, match="takes the detected landmarks"):
        DaslTask(setup(folder, points=False)).require(network())
    posmap = TARGETS["posmap"](TargetSettings(kind="posmap", size=SIDE))
    made = setup(folder)
    with pytest.raises(FacemillError, match="expected a target of the kind params"):
        DaslTask(Setup(made.packs, made.held_out, None, face(), posmap, made.training, 0, SIDE))
