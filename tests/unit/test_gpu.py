"""What a GPU computes is what the CPU does."""

import pytest
import torch
from test_models_every import VARIANTS, predicted, settled

from pipeline.losses.volume import CHUNK, volume_entropy, volume_overlap
from pipeline.training.precision import Precision

pytestmark = pytest.mark.gpu


def close(found, expected, share):
    reach = float(expected.max() - expected.min())
    torch.testing.assert_close(found.cpu(), expected, atol=share * reach, rtol=0)


@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_every_network_answers_there_as_here(name, settings):
    model, given = settled(name, settings, 4)
    expected = predicted(model, given)
    with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
        found = predicted(model.to("cuda"), [one.to("cuda") for one in given])
    assert set(found) == set(expected)
    found.pop("landmarks", None)  # the place of the largest cell of a heat-map, which rounding may move
    for key, value in found.items():
        close(value, expected[key], 1e-3)


def volumes():
    random = torch.Generator().manual_seed(4)
    logits = 4 * torch.randn(2, 20, 6, 5, generator=random)
    ends = torch.rand(2, 1, 6, 5, 2, generator=random) * 9
    runs = torch.cat([ends.sort(-1).values, 10 + ends.sort(-1).values], dim=1)
    return logits, runs


def test_the_loss_of_volumes_and_its_gradient(monkeypatch):
    monkeypatch.setitem(CHUNK, "cuda", 200)
    logits, runs = volumes()
    results = []
    for device in ("cpu", "cuda"):
        leaf = logits.detach().clone().to(device).requires_grad_()
        loss = volume_entropy(leaf, runs.to(device))
        loss.backward()
        results.append([loss.detach(), leaf.grad, *volume_overlap(leaf.detach(), runs.to(device))])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-5, atol=1e-8)


def test_batches_are_placed_there_in_the_layout():
    placed = Precision("cuda", True, True).place(torch.rand(2, 3, 8, 8))
    assert placed.device.type == "cuda" and placed.is_contiguous(memory_format=torch.channels_last)
