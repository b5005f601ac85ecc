"""The networks of 68 landmarks in 3D: the project's counts, how outputs are put together, and their units."""

import numpy as np
import pytest
import torch

from pipeline.losses.landmarks import landmark_mse
from pipeline.models.fan_depth import DepthNetwork, FanDepth
from pipeline.models.fan_lift import FanLift
from pipeline.models.heatmaps import decode, from_cells
from pipeline.models.landmark_trunk import Trunk, normalised, pixels
from pipeline.models.lift3d import Lift3D
from pipeline.records import FacemillError
from pipeline.registry import MODELS

COUNTS = {"direct3d": 44_560_124, "lift3d": 44_595_892, "fan_depth": 23_820_176 + 58_496_388}
SMALL = {"size": 48, "width": 2, "hidden": 16}
FAN_DEPTH = {"size": 64, "stacks": 1, "features": 16, "blocks": (1, 1, 1, 1), "width": 4}


def drawn(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", COUNTS)
def test_without_settings_it_is_the_published_network(name):
    with torch.device("meta"):
        network = MODELS[name]()
    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[name]
    assert all(p.numel() == 0 or p.device.type == "meta" for p in network.parameters())


def test_the_parts_of_lift3d_have_the_counts_of_the_description():
    with torch.device("meta"):
        network = MODELS["lift3d"]()
        martinez = MODELS["fan_lift"]()
    assert sum(p.numel() for p in network.plane.parameters()) == 44_492_056
    assert sum(p.numel() for p in network.lift.parameters()) == 103_836
    assert network.size == 224 and network.plane.head[0].in_features == 43_264
    layers = 136 * 1024 + 1024, 4 * (1024 * 1024 + 1024), 1024 * 204 + 204
    assert sum(p.numel() for p in martinez.parameters()) == sum(layers) + 5 * 2 * 1024


def test_x_and_y_come_from_the_2d_network_and_z_from_the_lifter():
    network = Lift3D(**SMALL).eval()
    image = drawn(3, 1, 48, 48)
    answer = network(image)
    plane = network.plane(image)
    torch.testing.assert_close(answer["xyz"][..., :2].flatten(1), plane)
    torch.testing.assert_close(answer["xyz"][..., 2], network.lift(plane))
    torch.testing.assert_close(answer["plane2d"], answer["xyz"][..., :2])


def test_the_legacy_order_reads_both_parts_as_one_run_of_x_y_z():
    right = Lift3D(torch.Generator().manual_seed(3), **SMALL).eval()
    legacy = Lift3D(torch.Generator().manual_seed(3), **SMALL, legacy_order=True).eval()
    image = drawn(2, 1, 48, 48)
    wrong, plane = legacy(image), right.plane(image)
    assert set(wrong) == {"xyz"}
    torch.testing.assert_close(wrong["xyz"].flatten(1)[:, :136], plane)
    torch.testing.assert_close(wrong["xyz"][:, 45, 0], plane[:, 135])
    torch.testing.assert_close(wrong["xyz"].flatten(1)[:, 136:], right(image)["xyz"][..., 2])
    torch.testing.assert_close(wrong["xyz"][:, 44], plane[:, 132:135])


@pytest.mark.parametrize("legacy", [False, True])
def test_a_loss_of_x_and_y_trains_the_2d_network_alone_unless_the_order_is_wrong(legacy):
    network = Lift3D(**SMALL, legacy_order=legacy)
    found = network(drawn(4, 1, 48, 48))["xyz"][..., :2]
    landmark_mse(found, torch.zeros_like(found)).backward()
    reached = network.lift[-1].weight.grad is not None and bool(network.lift[-1].weight.grad.abs().max() > 0)
    assert reached == legacy


def test_a_frozen_2d_network_stays_while_the_lifter_learns():
    network = Lift3D(**SMALL, frozen_2d=True).train()
    before = {name: value.clone() for name, value in network.plane.state_dict().items()}
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 0.01)
    image = drawn(4, 1, 48, 48)
    lifted = network.lift[-1].weight.detach().clone()
    torch.testing.assert_close(network(image)["plane2d"], network(image)["plane2d"], rtol=0, atol=0)
    for _ in range(2):
        optimiser.zero_grad()
        network(image)["xyz"].square().mean().backward()
        optimiser.step()
    assert all(torch.equal(before[name], value) for name, value in network.plane.state_dict().items())
    assert not torch.equal(lifted, network.lift[-1].weight)


def test_units_are_50_px_of_a_224_crop_from_pixel_100():
    points = torch.tensor([[100.0, 150.0, 50.0]])
    torch.testing.assert_close(normalised(points, 224), torch.tensor([[0.0, 1.0, -1.0]]))
    half = torch.tensor([[(100.5 / 2) - 0.5, (150.5 / 2) - 0.5, 25.0]])
    torch.testing.assert_close(normalised(half, 112), torch.tensor([[0.0, 1.0, -1.0]]), atol=1e-6, rtol=0)
    for size in (224, 96):
        torch.testing.assert_close(pixels(normalised(points, size), size), points, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["direct3d", "lift3d"])
def test_predictions_are_px_of_the_input(name):
    network = MODELS[name](**SMALL).eval()
    image = drawn(2, 1, 48, 48)
    torch.testing.assert_close(network.predict(image), pixels(network(image)["xyz"], 48))
    assert network.predict(image).shape == (2, 68, 3)


def test_lifting_follows_the_points_wherever_and_however_large_they_are():
    network = FanLift(size=64, hidden=32).eval()
    points = 10 + 30 * drawn(2, 68, 2)
    image = torch.zeros(2, 3, 64, 64)
    found = network.predict(image, points)
    moved = network.predict(image, 2 * points + torch.tensor([5.0, -3.0]))
    torch.testing.assert_close(
        moved[..., :2], 2 * found[..., :2] + torch.tensor([5.0, -3.0]), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(moved[..., 2], 2 * found[..., 2], atol=1e-3, rtol=0)
    assert (found[..., :2] - points).norm(dim=-1).max() < 15
    torch.testing.assert_close(network.predict(image + 1, points), found)


def test_landmarks_that_all_lie_in_one_place_give_finite_numbers():
    assert torch.isfinite(
        FanLift(size=64, hidden=8).eval().predict(torch.zeros(1, 3, 64, 64), torch.ones(1, 68, 2))
    ).all()


@pytest.mark.parametrize(("activation", "sigma"), [("linear", 1.75), ("linear", 1.0), ("softmax", 1.0)])
def test_fan_depth_reads_its_maps_between_the_cells(activation, sigma):
    network = FanDepth(**FAN_DEPTH, activation=activation).eval()
    places = 4 + 8 * drawn(1, 68, 2)
    span = torch.arange(16)
    logits = (-((span - places[..., None]) ** 2) / (2 * sigma**2)).unbind(-2)
    logits = logits[1][..., :, None] + logits[0][..., None, :]
    network.fan.forward = lambda image: [logits.exp() if activation == "linear" else logits]
    found = network.predict(drawn(1, 3, 64, 64))
    torch.testing.assert_close(found[..., :2], (places + 0.5) * 4 - 0.5, atol=0.3, rtol=0)


@pytest.mark.parametrize("depth_size", [None, 32])
def test_the_depth_network_sees_crop_and_gaussians_at_its_own_size(depth_size):
    network = FanDepth(**FAN_DEPTH, depth_size=depth_size).eval()
    seen = []
    network.depth.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    points = 16 + 30 * drawn(1, 68, 2)
    network(torch.full((1, 3, 64, 64), 0.25), points)
    side = depth_size or 64
    assert seen[0].shape == (1, 71, side, side)
    torch.testing.assert_close(seen[0][:, :3], torch.full((1, 3, side, side), 0.25))
    planes = seen[0][0, 3:].double().numpy()
    centre = np.stack(
        [(planes.sum(1) * np.arange(side)).sum(1), (planes.sum(2) * np.arange(side)).sum(1)], -1
    )
    wanted = (points[0].numpy() + 0.5) * side / 64 - 0.5
    np.testing.assert_allclose(centre / planes.sum((1, 2))[:, None], wanted, atol=0.02)
    assert 0.5 < planes.max() <= 1


def test_depth_leaves_the_heatmaps_alone():
    network = FanDepth(**FAN_DEPTH)
    network(drawn(2, 3, 64, 64))["z"].square().sum().backward()
    assert all(p.grad is None for p in network.fan.parameters())
    assert any(p.grad.abs().max() > 0 for p in network.depth.parameters())


def test_stacks_are_as_many_as_asked_for_and_the_last_is_the_answer():
    network = FanDepth(**FAN_DEPTH | {"stacks": 3}).eval()
    image = drawn(1, 3, 64, 64)
    answer = network(image)
    assert [answer[f"heatmaps_{k}"].shape for k in (1, 2, 3)] == [(1, 68, 16, 16)] * 3
    from_last = from_cells(decode(answer["heatmaps_3"], 4), 4)
    torch.testing.assert_close(network.predict(image)[..., :2], from_last, atol=1e-4, rtol=0)
    assert network.predict(image).shape == (1, 68, 3)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("direct3d", {"size": 20}),
        ("direct3d", {"width": 0}),
        ("lift3d", {"hidden": 0}),
        ("lift3d", {"dropout": 1.0}),
        ("fan_depth", {"size": 96}),
        ("fan_depth", {"blocks": (1, 1)}),
        ("fan_depth", {"depth_size": 48}),
        ("fan_depth", {"activation": "relu"}),
        ("fan_lift", {"hidden": 0}),
        ("fan_lift", {"dropout": -0.1}),
    ],
)
def test_impossible_settings_are_refused_by_name(name, keywords):
    with pytest.raises(FacemillError, match=f"set settings.{next(iter(keywords))}"):
        MODELS[name](**keywords)


def test_bf16_keeps_the_digits_of_coordinates():
    torch.manual_seed(0)
    network = Trunk(204, size=48, width=4, hidden=32, dropout=0.0).eval()
    hidden = drawn(1, 32)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(drawn(1, 1, 48, 48)).dtype == torch.float32
    network.head = network.blocks = torch.nn.Identity()
    exact = network(hidden)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(hidden), exact)


def test_a_small_depth_network_pools_all_of_its_few_cells():
    assert DepthNetwork((1, 1, 1, 1), 4, 5)(torch.rand(2, 8, 64, 64)).shape == (2, 5)
