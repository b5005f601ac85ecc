"""PRN as the paper's authors built it."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from pipeline.models.prn import PRN
from pipeline.models.prn_encoders import build_encoder
from pipeline.models.tf_layers import SameConv, SameDeconv
from pipeline.records import FacemillError


def test_without_arguments_it_is_the_papers_network():
    model = PRN()
    kernels = sum(p.numel() for p in model.parameters() if p.dim() == 4)
    norms = sum(p.numel() for p in model.parameters() if p.dim() == 1)
    buffers = sum(b.numel() for n, b in model.named_buffers() if n.endswith(("mean", "var")))
    assert (kernels, norms, buffers) == (13_341_728, 11_890, 11_890)
    assert kernels + norms == 13_353_618
    norm = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert (norm.momentum, norm.eps) == (0.001, 1e-3)


def test_encoder_and_decoder_have_the_papers_sides_and_channels():
    model, seen = PRN(width=16, size=32).eval(), []
    for layer in [model.stem, *model.encoder, *model.decoder]:
        if not isinstance(layer, torch.nn.BatchNorm2d | torch.nn.ReLU):
            layer.register_forward_hook(lambda _, __, out: seen.append((out.shape[1], out.shape[2])))
    with torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    assert seen[:11] == [(16, 32)] + [
        (c, s) for c, s in zip((32, 64, 128, 256, 512), (16, 8, 4, 2, 1), strict=True) for _ in "12"
    ]
    assert seen[11:] == (
        [(512, 1)]
        + [(256, 2)] * 3
        + [(128, 4)] * 3
        + [(64, 8)] * 3
        + [(32, 16)] * 2
        + [(16, 32)] * 2
        + [(3, 32)] * 2
    )


def delta(side=6, row=2, column=3):
    image = torch.zeros(1, 1, side, side)
    image[0, 0, row, column] = 1
    return image


def kernel():
    return torch.arange(1.0, 17.0).reshape(1, 1, 4, 4)


def test_stride_1_convolution_pads_one_before_and_two_after():
    layer = SameConv(1, 1, 1)
    layer.weight.data = kernel()
    out = layer(delta())[0, 0].detach().numpy()
    expected = np.zeros((6, 6))
    for i in range(4):
        for j in range(4):
            expected[2 + 1 - i, 3 + 1 - j] = kernel()[0, 0, i, j]
    np.testing.assert_array_equal(out, expected)


def test_stride_2_convolution_pads_one_on_each_side():
    layer = SameConv(1, 1, 2)
    layer.weight.data = kernel()
    image = np.arange(36.0).reshape(6, 6) ** 1.5
    full = correlate2d(np.pad(image, 1), kernel()[0, 0].numpy(), mode="valid")
    out = layer(torch.from_numpy(image[None, None]).float())[0, 0].detach().numpy()
    np.testing.assert_allclose(out, full[::2, ::2], rtol=1e-5)


def test_stride_1_deconvolution_cuts_one_at_the_start_and_two_at_the_end():
    layer = SameDeconv(1, 1, 1)
    layer.conv.weight.data = kernel().flip(2, 3)
    full = torch.nn.functional.conv_transpose2d(delta(), kernel())
    torch.testing.assert_close(layer(delta()), full[:, :, 1:-2, 1:-2])


def test_deconvolutions_are_the_gradients_of_the_convolutions():
    random = torch.Generator().manual_seed(0)
    for stride in (1, 2):
        forward, backward = SameConv(2, 3, stride), SameDeconv(3, 2, stride)
        weight = forward.weight.data
        backward.conv.weight.data = weight.transpose(0, 1).flip(2, 3) if stride == 1 else weight
        image = torch.rand(1, 2, 8, 8, generator=random, requires_grad=True)
        out = forward(image)
        signal = torch.rand(out.shape, generator=random)
        (gradient,) = torch.autograd.grad(out, image, signal)
        torch.testing.assert_close(backward(signal), gradient)


def test_width_8_learns_in_contiguous_layout_only():
    from pipeline.config import TrainingSettings
    from pipeline.training.precision import choose

    settings = TrainingSettings(precision="fp32")
    assert not choose(settings, PRN(width=8, size=32)).channels_last
    assert choose(settings, PRN(width=16, size=32)).channels_last


def test_an_open_tail_hands_every_coordinate_through():
    inputs = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))

    def shares(**keywords):
        model, seen = PRN(width=2, size=32, **keywords), []
        model.decoder[-4].register_forward_hook(lambda _, __, out: seen.append(out))
        out = model(inputs)
        before, after = seen[0].detach().flatten(2), out.detach().flatten(2)
        return [torch.corrcoef(torch.stack([before[0, k], after[0, k]]))[0, 1].item() for k in range(3)]

    assert min(shares(open_tail=True)) > 0.9
    assert min(shares()) < 0.9
    assert sum(p.numel() for p in PRN(width=2, open_tail=True).parameters()) == sum(
        p.numel() for p in PRN(width=2).parameters()
    )


NORM = {"momentum": 0.1, "eps": 1e-3}


def test_the_default_draws_the_weights_that_it_always_drew():
    model = PRN(torch.Generator().manual_seed(3), width=2, size=32)
    for layer, place, drawn in (
        (model.stem[0], (0, 0, 0), [-0.2715, -0.2160, -0.1173, -0.2591]),
        (model.decoder[0].conv, (5, 7, 2), [-0.0105, 0.0391, 0.0171, -0.0090]),
        (model.last.conv, (2, 1, 3), [0.0796, 0.2183, -0.0417, 0.0932]),
    ):
        np.testing.assert_allclose(layer.weight[place].detach(), drawn, atol=1e-4)


@pytest.mark.parametrize(
    ("encoder", "own", "whole"),
    [
        ("residual", 3_587_872, 13_353_618),
        ("vgg", 14_718_912, 24_484_658),  # the 13 convolutions of VGG-16 and their batch norms
        (
            "mobilenet",
            818_592,
            10_584_338,
        ),  # 3DDFA_V2's half-width MobileNet, 850,398 with its last layer of 62
    ],
)
def test_every_encoder_has_its_papers_layers_and_meets_the_same_decoder(encoder, own, whole):
    with torch.device("meta"):
        model = PRN(encoder=encoder)
        features = model.encoder(model.stem(torch.zeros(1, 3, 256, 256)))
    parts = [*model.stem.parameters(), *model.encoder.parameters()]
    assert sum(p.numel() for p in parts) == own
    assert sum(p.numel() for p in model.parameters()) == whole
    assert features.shape == (1, 512, 8, 8)


def test_vgg_and_mobilenet_are_their_papers_tables():
    stem, blocks = build_encoder("vgg", 16, NORM)
    convolutions = [m for m in (*stem.modules(), *blocks.modules()) if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    stem, blocks = build_encoder("mobilenet", 32, NORM)
    convolutions = [m for m in (*stem.modules(), *blocks.modules()) if isinstance(m, torch.nn.Conv2d)]
    pointwise = [c.out_channels for c in convolutions if c.kernel_size == (1, 1)]
    assert pointwise == [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    alone = [c for c in convolutions if c.groups > 1]
    assert [c.stride[0] for c in alone] == [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    assert all(c.groups == c.in_channels == c.out_channels for c in alone)


@pytest.mark.parametrize("encoder", ["residual", "vgg", "mobilenet"])
@pytest.mark.parametrize(("size", "map_size"), [(64, 32), (32, 64), (64, 64), (32, 128)])
def test_map_and_input_may_have_different_sides(encoder, size, map_size):
    model = PRN(width=2, size=size, map_size=map_size, encoder=encoder)
    out = model(torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)))
    assert out.shape == (2, 3, map_size, map_size)
    assert (model.size, model.map_size) == (size, map_size)
    out.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_smaller_or_larger_map_drops_or_adds_the_finest_levels_alone():
    with torch.device("meta"):
        counts = {m: sum(p.numel() for p in PRN(map_size=m).parameters()) for m in (64, 128, 256, 512)}
    assert counts == {64: 13_294_290, 128: 13_342_034, 256: 13_353_618, 512: 13_361_874}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"map_size": 96}, "times or over a power of two.*found 96 for an input of 64.*settings.map_size"),
        ({"map_size": 0}, "found 0"),
        ({"encoder": "vg"}, "unknown encoder 'vg'; known: residual, vgg, mobilenet. Did you mean 'vgg'"),
        ({"size": 48}, "multiple of 32; found 48"),
        ({"width": 0}, "found 0; set settings.width"),
    ],
)
def test_settings_that_no_network_has_are_refused(settings, message):
    with pytest.raises(FacemillError, match=message):
        PRN(**{"width": 2, "size": 64, **settings})
