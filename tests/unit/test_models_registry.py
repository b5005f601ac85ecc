"""Every registered network builds, keeps its shapes, learns, and is the same after a round trip."""

from functools import partial

import numpy as np
import pytest
import torch

from pipeline.models.inputs import network_input
from pipeline.records import FacemillError
from pipeline.registry import MODELS

SMALL = {
    "prn": {"width": 2, "size": 32, "bn_momentum": 0.5},
    "direct3d": {"width": 2, "size": 48, "hidden": 16, "dropout": 0.0},
    "lift3d": {"width": 2, "size": 48, "hidden": 64, "dropout": 0.0},
    "fan_depth": {"size": 64, "stacks": 1, "features": 16, "blocks": (1, 1, 1, 1), "width": 4},
    "fan_lift": {"size": 48, "hidden": 32, "dropout": 0.0},
    "2dasl": {"width": 4, "size": 32, "blocks": (1, 1, 1, 1)},
    "tddfa": {"width": 0.125, "size": 48},
    "vrn": {"features": 8, "stacks": 1, "depth": 1, "blocks": 1, "size": 24},
    "synergynet": {"width": 0.125, "point_width": 0.125, "size": 48, "border": 2, "dropout": 0.0},
}
"""Keywords that make a network small enough for a test; one that is not here is built as it comes."""
FACES = {"lift3d": 8}
"""In a batch to learn by heart, where row upon row of batch norms over two faces leaves nothing but signs."""
PART_OF = {"plane2d": "xyz"}
"""Answers that are part of another, and so have its truth."""
RATES = {"synergynet": 0.001}
"""Learning rates, where a step of 0.01 for each of a head's 1280 weights is too long."""


def synergynet_in_training(model, image):
    """What its task asks of it beside a forward pass: refined landmarks, and what is read from them."""
    out = model(image)
    random = torch.Generator().manual_seed(3)
    points = torch.rand(len(image), 68, 3, generator=random) * model.size
    refined = model.refine(points, out["features"], out["params"])
    return {**out, "refined": refined, "read": model.reverse(refined)}


IN_TRAINING = {"synergynet": synergynet_in_training}
"""For networks whose training asks for more than a forward pass."""


def build(name, seed=0, **more):
    return MODELS[name](torch.Generator().manual_seed(seed), **{**SMALL.get(name, {}), **more})


def inputs(model, count, seed=1):
    """Crops, and detected landmarks where the network takes them."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(count, getattr(model, "channels", 3), model.size, model.size, generator=random)
    if not getattr(model, "points", False):
        return (image,)
    return image, torch.rand(count, 68, 2, generator=random) * model.size


def answers(model, given, ask=None):
    """The tensors of a forward pass, or of what is asked instead, by name."""
    out = (ask or model)(*given)
    return out if isinstance(out, dict) else {"answer": out}


def flat(model, given, ask=None):
    """All that is answered of each face, (B, n)."""
    return torch.cat([value.flatten(1) for value in answers(model, given, ask).values()], dim=1)


@pytest.fixture(params=list(MODELS))
def name(request):
    return request.param


def test_maps_have_the_shape_and_range_of_normalised_positions():
    model = build("prn")
    out = model(*inputs(model, 2))
    assert out.shape == (2, 3, model.size, model.size)
    assert out.dtype == torch.float32
    assert out.min() > 0 and out.max() < 1


def test_every_answer_is_float32_and_has_a_row_for_each_face(name):
    model = build(name)
    for value in answers(model, inputs(model, 2)).values():
        assert value.dtype == torch.float32 and len(value) == 2


def test_every_parameter_gets_a_finite_gradient(name):
    model = build(name)
    ask = partial(IN_TRAINING[name], model) if name in IN_TRAINING else None
    flat(model, inputs(model, 2), ask).square().sum().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_one_batch_can_be_learned_by_heart(name):
    """Numbers from 0.2 to 0.7 for each channel, in another order over the faces for each; a network that answers the
    same to all, the best it can do without looking, is five times too far off."""
    model = build(name)
    given = inputs(model, FACES.get(name, 2))
    levels = torch.linspace(0.2, 0.7, len(given[0]))
    random = torch.Generator().manual_seed(2)

    def truth_of(value):
        orders = torch.rand(value.shape[:2], generator=random).argsort(0)
        return levels[orders][(...,) + (None,) * (value.dim() - 2)]

    truths = {key: truth_of(value) for key, value in answers(model, given).items()}
    truths |= {key: truths[whole] for key, whole in PART_OF.items() if key in truths}
    blind = len(truths) * float(levels.var(correction=0))
    optimiser = torch.optim.Adam(model.parameters(), RATES.get(name, 0.01))
    losses = []
    for _ in range(80):
        found = answers(model, given)
        loss = sum((found[key] - truth).square().mean() for key, truth in truths.items())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * blind, (blind, losses)


def test_the_state_comes_back_and_decides_the_output(name):
    first, second = build(name, 0), build(name, 5)
    given = inputs(first, 2)
    for model in (first, second):
        with torch.no_grad():
            for _ in range(5):
                model(*given)
        model.eval()
    assert not torch.equal(flat(first, given), flat(second, given))
    second.load_state_dict(first.state_dict())
    assert torch.equal(flat(first, given), flat(second, given))


def test_the_same_seed_draws_the_same_weights_whatever_was_drawn_before(name):
    first = build(name, 7).state_dict()
    torch.rand(3)
    second = build(name, 7).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_face_does_not_depend_on_its_company(name):
    """To 1e-5 of the answers' range."""
    model = build(name)
    given = inputs(model, 8)
    with torch.no_grad():
        for _ in range(5):
            model(*given)
        model.eval()
        together = flat(model, given)
        alone = torch.cat([flat(model, [one[k : k + 1] for one in given]) for k in range(8)])
    torch.testing.assert_close(together, alone, atol=1e-5 * float(together.max() - together.min()), rtol=0)


def test_network_input_scales_by_pixel_edges_and_to_one():
    ramp = np.broadcast_to((np.arange(64, dtype=np.uint8) * 4)[None, :, None], (64, 64, 3))
    out = network_input(np.ascontiguousarray(ramp), 32)
    assert out.shape == (3, 32, 32) and out.dtype == np.float32
    np.testing.assert_allclose(out[0, 5, 4:28] * 255, 4 * (2 * np.arange(4, 28) + 0.5), atol=1e-3)
    same = network_input(np.full((32, 32, 3), 255, np.uint8), 32)
    assert (same == 1).all()


@pytest.mark.parametrize("keywords", [{"size": 80}, {"size": 0}, {"width": 0}])
def test_an_impossible_prn_is_refused_with_the_setting_to_change(keywords):
    with pytest.raises(FacemillError, match=f"set settings.{next(iter(keywords))}"):
        MODELS["prn"](**keywords)
