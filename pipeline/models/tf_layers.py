"""TensorFlow's 4x4 convolutions with SAME padding, plain and transposed, as PRN has them (spec prn_vrn C.2).

Source: tensorflow.org, tf.nn, "Notes on padding"; written from that description.
Licence of this file: MIT.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 4
CENTRE = 2
"""Of a stride-1 transposed convolution's kernel, held turned: the tap that meets the same pixel."""


class SameConv(nn.Conv2d):
    """4x4 convolution without bias and with TensorFlow's SAME padding: of the three rows (or columns) of zeros that
    stride 1 needs, one stands before and two after; stride 2 on an even side needs one on each side."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__(inputs, outputs, KERNEL, stride, padding=stride // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (1, 2, 1, 2)) if self.stride == (1, 1) else x)


class SameDeconv(nn.Module):
    """4x4 transposed convolution without bias, SAME: the gradient of ``SameConv``. Stride 2 doubles the side; stride 1
    cuts the full output by one row (and column) at the start and by two at the end.

    At stride 1 that is a convolution with the kernel turned by 180 degrees, after two rows of zeros before and one
    behind, and is held and computed as one (bf16 updates at 96 on a busy CPU: 1 and 17 % less processor time in two
    pairs of runs; in fp32 7 % more in one pair). TensorFlow's kernels (height, width, out, in) come in as
    ``kernel.transpose(2, 3, 0, 1)[:, :, ::-1, ::-1]`` at stride 1 and as ``kernel.transpose(3, 2, 0, 1)`` at stride 2.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.stride = stride
        if stride == 1:
            self.conv = nn.Conv2d(inputs, outputs, KERNEL, bias=False)
        else:
            self.conv = nn.ConvTranspose2d(inputs, outputs, KERNEL, stride, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (2, 1, 2, 1)) if self.stride == 1 else x)
