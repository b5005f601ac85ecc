"""Consistency of landmarks and the critic's two sides: values by hand, and where the gradients go."""

import numpy as np
import pytest
import torch

from pipeline.losses.self_supervision import adversarial, consistency, criticism
from pipeline.models.critic import Critic


def landmarks(seed):
    return torch.rand(3, 18, 2, generator=torch.Generator().manual_seed(seed)) * 60


def features(seed):
    return torch.randn(5, 12, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def critic():
    return Critic(12, torch.Generator().manual_seed(1)).eval()


@pytest.mark.parametrize("factors", [None, np.linspace(0, 2, 18)])
def test_consistency_is_the_weighted_mean_square_in_px_of_a_120_px_crop(factors):
    found, expected = landmarks(0), landmarks(1)
    difference = 2 * (found - expected).numpy().astype(np.float64)
    if factors is not None:
        difference *= factors[:, None]
    given = None if factors is None else torch.from_numpy(factors).float()
    assert consistency(found, expected, 60, given).item() == pytest.approx(
        np.square(difference).mean(), rel=1e-6
    )


def test_consistency_s_gradient_is_right_and_reaches_both():
    found, expected = landmarks(0), landmarks(1).requires_grad_()
    found.requires_grad_()
    consistency(found, expected, 60).backward()
    numbers = 2 * 4 * (found - expected).detach() / found.numel()
    torch.testing.assert_close(found.grad, numbers)
    torch.testing.assert_close(expected.grad, -numbers)


def test_the_critic_s_two_sides_are_binary_cross_entropies(critic):
    real, fake = features(0), features(1)
    with torch.no_grad():
        true, false = (1 / (1 + np.exp(-critic(x).double().numpy())) for x in (real, fake))
    expected = (-np.log(true).mean() - np.log(1 - false).mean()) / 2
    assert criticism(critic, real, fake).item() == pytest.approx(expected, rel=1e-5)
    assert adversarial(critic, fake).item() == pytest.approx(-np.log(false).mean(), rel=1e-5)


def test_the_adversarial_gradient_reaches_the_features_alone(critic):
    fake = features(1).requires_grad_()
    adversarial(critic, fake).backward()
    assert fake.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_the_critic_s_gradient_reaches_the_critic_alone(critic):
    real, fake = features(0).requires_grad_(), features(1).requires_grad_()
    criticism(critic, real, fake).backward()
    assert real.grad is None and fake.grad is None
    assert all(parameter.grad.abs().max() > 0 for parameter in critic.parameters())


def test_one_backward_of_the_sum_gives_each_side_its_own_gradient(critic):
    fake = features(1).requires_grad_()
    adversarial(critic, fake).backward()
    alone = fake.grad.clone()
    criticism(critic, features(0), features(1)).backward()
    own = [parameter.grad.clone() for parameter in critic.parameters()]
    fake.grad = None
    critic.zero_grad()
    (adversarial(critic, fake) + criticism(critic, features(0), fake)).backward()
    torch.testing.assert_close(fake.grad, alone)
    for parameter, expected in zip(critic.parameters(), own, strict=True):
        torch.testing.assert_close(parameter.grad, expected)


def test_a_critic_learns_to_tell_them_apart(critic):
    critic.train()
    real, fake = features(0) + 1, features(1) - 1
    optimiser = torch.optim.Adam(critic.parameters(), 1e-3)
    torch.manual_seed(0)
    for _ in range(15):
        optimiser.zero_grad()
        loss = criticism(critic, real, fake)
        loss.backward()
        optimiser.step()
    assert loss < 0.2
    assert (critic.eval()(real) > 0).all() and (critic(fake) < 0).all()


def test_the_same_generator_draws_the_same_critic():
    one, other = (Critic(12, torch.Generator().manual_seed(4)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert sum(p.numel() for p in Critic(50).parameters()) == 50 * 512 + 512 + 513 * 1024 + 1025 * 1024 + 1025
