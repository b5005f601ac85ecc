"""2DASL's losses: what each part is, what it moves, and what the critic sees."""

import numpy as np
import pytest
import torch
from dasl_world import SIDE, gradients, network, save_packs, task
from params_world import face

from pipeline.losses.params import Vdc, Wpdc
from pipeline.losses.points18 import eighteen
from pipeline.morphable.params62 import crop_points
from pipeline.training import dasl_task


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_packs(tmp_path_factory.mktemp("params"))


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
