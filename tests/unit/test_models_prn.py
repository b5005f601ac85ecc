"""PRN as the paper's authors built it."""

import numpy as np
import torch
from scipy.signal import correlate2d

from pipeline.models.prn import PRN, SameConv, SameDeconv


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
