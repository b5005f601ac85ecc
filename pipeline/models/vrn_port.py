"""The graph of VRN-Unguided as its weights were converted to PyTorch, layer by layer under its own names.

Source: github.com/Pani122/3DFaceReconstruction, vrn_unguided.py, a conversion of the Torch7 model of A. Jackson
(github.com/AaronJackson/vrn); written anew here from the spec's table (prn_vrn E.3) and the names in that file. In it
the levels of an hourglass nest in the branch beside the pooled one, so nothing is pooled below S / 8; the textbook's
nest in the pooled branch. It is here for its weights alone.
"""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.models.hourglass import Enlarge, lin

DEPTH = 4


class Parallel(nn.ModuleList):
    """Branches of one input; a list of their outputs."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [branch(x) for branch in self]


class Add(nn.Module):
    """The sum of two branches."""

    def forward(self, parts: list[Tensor]) -> Tensor:
        return parts[0] + parts[1]


def port_layers(features: int, side: int, slices: int, align_corners: bool) -> nn.Sequential:
    """From the picture (B, 3, S, S) to a list with one tensor of logits (B, slices, S, S); the port's sigmoid is left
    out. ``side``: S / 4."""
    quarter, half = features // 4, features // 2
    head = nn.Sequential(
        lin(features, features), nn.Conv2d(features, slices, 1), Enlarge(side, align_corners)
    )
    return nn.Sequential(
        nn.Conv2d(3, quarter, 7, stride=2, padding=3),
        nn.BatchNorm2d(quarter),
        nn.ReLU(),
        _residual(quarter, half, quarter),
        nn.MaxPool2d(2),
        _residual(half, half, quarter),
        _residual(half, features, half),
        Parallel([nn.Identity(), _stack(features)]),
        Add(),
        Parallel([nn.Identity(), _stack(features)]),
        Add(),
        Parallel([head]),
    )


def _residual(inputs: int, outputs: int, middle: int) -> nn.Sequential:
    convolutions = ((inputs, middle, 1), (middle, middle, 3), (middle, outputs, 1))
    main = nn.Sequential()
    for coming, going, kernel in convolutions:
        main.extend(
            [nn.BatchNorm2d(coming), nn.ReLU(), nn.Conv2d(coming, going, kernel, padding=kernel // 2)]
        )
    skip = nn.Identity() if inputs == outputs else nn.Sequential(nn.Conv2d(inputs, outputs, 1))
    return nn.Sequential(Parallel([main, skip]), Add())


def _residuals(features: int, count: int) -> list[nn.Module]:
    return [_residual(features, features, features // 2) for _ in range(count)]


def _level(features: int, level: int) -> nn.Sequential:
    """The block of one level, and the residual block behind it."""
    beside = _residuals(features, 3)
    if level > 1:
        beside.append(_level(features, level - 1))
    pooled = [nn.MaxPool2d(2), *_residuals(features, 6 if level > 1 else 9), nn.Upsample(scale_factor=2)]
    branches = Parallel([nn.Sequential(*beside), nn.Sequential(*pooled)])
    return nn.Sequential(branches, Add(), *_residuals(features, 1))


def _stack(features: int) -> nn.Sequential:
    return nn.Sequential(*_level(features, DEPTH), lin(features, features), lin(features, features))
