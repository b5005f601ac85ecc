"""2DASL's task: batches, stages, what each part of its loss changes, the critic, selection."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from params_world import face, save_pack

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.losses.params import Vdc, Wpdc
from pipeline.losses.points18 import eighteen
from pipeline.models.two_dasl import TwoDASL
from pipeline.morphable.params62 import crop_points
from pipeline.records import FacemillError
from pipeline.registry import TARGETS, TASKS
from pipeline.seeding import rng
from pipeline.training import dasl_task
from pipeline.training.augment import Similarity, draw_similarity
from pipeline.training.batches import Packs
from pipeline.training.dasl_task import UNCONFIRMED, DaslTask
from pipeline.training.task import Setup

SIDE = 32
TARGET = TARGETS["params"](TargetSettings(kind="params", size=SIDE))
OFF = {"rotation": 0, "translation": 0, "scale": (1, 1), "colour": (1, 1), "occlusion": 0}
TRAINING = {"updates": 8, "batch_size": 3, "warmup": 0, "threads": 1, "precision": "fp32"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("params")
    for seed, (name, samples) in enumerate((("a", 5), ("b", 4), ("val", 4)), start=1):
        save_pack(folder / f"{name}.h5", samples, seed)
    return folder


def packs(folder, *names, limit=100):
    return Packs([folder / f"{name}.h5" for name in names], TARGET, limit)


def setup(folder, unlabelled=None, augment=None, points=True, **training):
    settings = TrainingSettings.model_validate({**TRAINING, "augment": augment or OFF, **training})
    other = packs(folder, unlabelled) if unlabelled else None
    return Setup(
        packs(folder, "a"), packs(folder, "val"), other, face(), TARGET, settings, 7, SIDE, points=points
    )


def task(folder, unlabelled=None, augment=None, training=None, **keywords):
    return DaslTask(setup(folder, unlabelled, augment, **(training or {})), **keywords)


def network(prepared=None, seed=0):
    made = TwoDASL(torch.Generator().manual_seed(seed), size=SIDE, width=2, blocks=(1, 1, 1, 1))
    if prepared is not None:
        prepared.require(made)
        prepared.prepare(made)
    return made


def gradients(module, total):
    module.zero_grad()
    total.backward(retain_graph=True)
    return [None if p.grad is None else p.grad.clone() for p in module.parameters()]


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


def test_the_supervised_parts_are_wpdc_and_vdc_of_the_answers(folder):
    made = task(folder, self_critic=0, wpdc=3, vdc=2, vdc_sampled=0)
    model = network(made).eval()
    for update, layer, weight in ((0, Wpdc, 3), (7, Vdc, 2 * (120 / SIDE) ** 2)):
        batch = made.batch(update)
        target = (batch["params"] - model.param_mean) / model.param_std
        answer = model(batch["image"], batch["shown"])
        args = (answer, target, model.param_mean, model.param_std)
        expected = weight * layer(face(), SIDE)(*args, *([batch["vertices"]] if layer is Wpdc else []))
        part = made.loss(model, batch).parts[layer.__name__.lower()]
        assert part.item() == pytest.approx(expected.item(), rel=1e-5)


def test_vdc_of_a_sample_takes_the_keypoints_and_as_many(folder):
    made = task(folder, vdc_sampled=1)
    model = network(made).eval()
    batch = made.batch(7)
    assert batch["vertices"].shape == (1,)
    answer = model(batch["image"], batch["shown"])
    target = (batch["params"] - model.param_mean) / model.param_std
    expected = Vdc(face(), SIDE)(answer, target, model.param_mean, model.param_std, batch["vertices"])
    expected = expected.item() * (120 / SIDE) ** 2
    assert made.loss(model, batch).parts["vdc"].item() == pytest.approx(expected, rel=1e-5)


def projected(model, white):
    raw = (white * model.param_std + model.param_mean).detach().double().numpy()
    return torch.from_numpy(np.stack([crop_points(p, face(), SIDE, keypoints=True) for p in raw])).float()


@pytest.mark.parametrize("point_weights", ["published", "uniform"])
def test_the_consistencies_are_those_of_two_passes(folder, point_weights):
    weights = {"consistency_2d": 2.0, "consistency_3d": 3.0, "cycle": 5.0}
    made = task(folder, self_critic=0, point_weights=point_weights, **weights)
    model = network(made).eval()
    batch = made.batch(0)
    image, shown, detected = (batch[f"unlabelled_{name}"] for name in ("image", "shown", "points"))
    first = projected(model, model(image, shown))
    second = projected(model, model(image, first[..., :2]))
    factors = torch.tensor(dasl_task.PUBLISHED)[:, None] if point_weights == "published" else 1

    def plane(points):
        return ((eighteen(points[..., :2]) - eighteen(detected)) * factors * 120 / SIDE).square().mean() / 18

    parts = made.loss(model, batch).parts
    assert parts["consistency_2d"].item() == pytest.approx(2 * plane(first).item(), rel=1e-3)
    assert parts["cycle"].item() == pytest.approx(5 * plane(second).item(), rel=1e-3)
    expected = 3 * ((first - second) * 120 / SIDE).square().mean()
    assert parts["consistency_3d"].item() == pytest.approx(expected.item(), rel=1e-3)
    assert parts["consistency_3d"] > 0


def test_the_truth_of_unlabelled_faces_is_not_seen(folder):
    made = task(folder)
    batch = made.batch(0)
    assert not {"unlabelled_params", "unlabelled_truth"} & set(batch)
    model = network(made).eval()
    before = made.loss(model, batch).parts
    batch["params"] = batch["params"] * 1.01
    after = made.loss(model, batch).parts
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "wpdc" in changed and not {"consistency_2d", "consistency_3d", "cycle"} & changed


@pytest.mark.parametrize("part", ["wpdc", "consistency_2d", "consistency_3d", "cycle", "self_critic"])
def test_every_part_moves_the_network_and_none_the_critic(folder, part):
    made = task(folder)
    model = network(made).eval()
    loss = made.loss(model, made.batch(0)).parts[part]
    found = gradients(model, loss)
    assert all(g is not None and torch.isfinite(g).all() for g in found) and any(g.any() for g in found)
    assert all(parameter.grad is None for parameter in made.critic.parameters())


def test_the_critic_s_own_loss_moves_the_critic_alone(folder):
    made = task(folder)
    model = network(made).eval()
    losses = made.loss(model, made.batch(0))
    own = gradients(made.critic, losses.parts["critic"])
    assert all(g is not None and g.any() for g in own)
    assert all(parameter.grad is None for parameter in model.parameters())
    model.zero_grad()
    together = gradients(made.critic, losses.total)
    for one, other in zip(own, together, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("sees", "inputs"), [("landmarks+coefficients", 86), ("coefficients", 50), ("expression", 10)]
)
def test_the_critic_sees_what_it_should(folder, sees, inputs):
    made = task(folder, critic_sees=sees)
    seen = []
    made.critic.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    model = network(made).eval()
    batch = made.batch(0)
    made.loss(model, batch)
    target = (batch["params"] - model.param_mean) / model.param_std
    fake, real, again = seen
    assert real.shape == (3, inputs) and torch.equal(fake, again)
    torch.testing.assert_close(real[:, -10:], target[:, 52:])
    torch.testing.assert_close(
        fake[:, -10:], model(batch["unlabelled_image"], batch["unlabelled_shown"])[:, 52:]
    )
    if inputs == 86:
        assert real[:, :36].abs().max() < 1.2
        torch.testing.assert_close((real[:, 26:28] + 1) * SIDE / 2, batch["points"][:, 30])


def test_without_its_weight_there_is_no_critic_and_no_second_pass(folder):
    made = task(folder, self_critic=0, consistency_3d=0, cycle=0)
    calls = []
    model = network(made)
    model.register_forward_hook(lambda *_: calls.append(1))
    assert made.critic is None
    assert set(made.loss(model, made.batch(0)).parts) == {"wpdc", "consistency_2d"} and len(calls) == 1


def test_the_same_seed_draws_the_same_critic(folder):
    one, other = task(folder).critic.state_dict(), task(folder).critic.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


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
        ({"wpdc": 0.0}, "task.wpdc: expected a positive weight"),
        ({"cycle": -1.0}, "task.cycle: expected a weight that is not negative"),
        ({"vdc_share": 1.5}, "task.vdc_share: expected a share"),
        ({"point_weights": "equal"}, "expected published or uniform, found 'equal'"),
        ({"critic_sees": "all"}, "expected landmarks.coefficients, coefficients, expression, found 'all'"),
    ],
)
def test_impossible_keywords_are_refused(folder, keywords, message):
    with pytest.raises(FacemillError, match=message):
        task(folder, **keywords)


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
