"""What the machine offers for training: device, number formats, memory layout, threads. Detected, not assumed."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from pipeline.config import TrainingSettings
from pipeline.records import FacemillError

_MALLOC_OPTIONS = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1), "M_TOP_PAD": (-2, 256 << 20)}
_NARROWEST_CHANNELS_LAST = 16


@dataclass(frozen=True)
class Precision:
    """How a training computes: ``device`` ("cpu", "cuda"), bf16 autocast or float32, and the layout of images."""

    device: str
    bf16: bool
    channels_last: bool

    def autocast(self) -> AbstractContextManager:
        """The context of forward passes: bf16 autocast, or nothing."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bf16)

    @property
    def layout(self) -> torch.memory_format:
        """Memory format of the model and of batches of images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """``tensor`` on the device, images (4 axes) in the layout."""
        layout = self.layout if tensor.dim() == 4 else torch.preserve_format
        return tensor.to(self.device, non_blocking=True, memory_format=layout)

    def __str__(self) -> str:
        """What a log says of it, as "cuda in bf16, channels last"."""
        numbers, place = "bf16" if self.bf16 else "float32", "last" if self.channels_last else "first"
        return f"{self.device} in {numbers}, channels {place}"


def choose(settings: TrainingSettings, model: torch.nn.Module) -> Precision:
    """The precision that the settings ask for, ``auto`` decided by this machine.

    Raises FacemillError where the settings ask for what the machine has not.
    """
    cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not cuda:
        raise FacemillError(
            "training.device is 'cuda', but torch sees no CUDA device; set training.device=auto"
        )
    device = "cuda" if cuda and settings.device in ("auto", "cuda") else "cpu"
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and _gains_by_bf16(device))
    channels_last = settings.channels_last == "on" or (
        settings.channels_last == "auto" and _channels_last_is_safe(model)
    )
    return Precision(device, bf16, channels_last)


def prepare_process(threads: int) -> None:
    """Fixes what else the numbers or the speed depend on: thread count, deterministic algorithms, the allocator.

    glibc gives every large tensor back to the system and faults it in again at the next step; it is told to keep them
    (nothing is done where the C library has no ``mallopt``).
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    if sys.platform.startswith("linux"):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        for option, value in _MALLOC_OPTIONS.values() if mallopt else ():
            mallopt(option, value)


def _gains_by_bf16(device: str) -> bool:
    """Whether the device computes faster in bf16. On Intel's processors only matrix units (AMX) do: the products of
    their AVX-512 are no faster in bf16 than in float32, and the conversions come on top."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    has = getattr(torch.cpu, "get_capabilities", dict)()
    vectors = has.get("avx512_bf16") and "intel" not in str(has.get("cpu_name")).lower()
    return bool(has.get("amx_bf16") or vectors)


def _channels_last_is_safe(model: torch.nn.Module) -> bool:
    """False for a strided 1x1 convolution of few channels, whose fp32 backward pass in channels_last corrupts memory
    on the CPU (torch 2.13)."""
    return not any(
        isinstance(layer, torch.nn.Conv2d)
        and layer.kernel_size == (1, 1)
        and layer.stride != (1, 1)
        and layer.in_channels < _NARROWEST_CHANNELS_LAST
        for layer in model.modules()
    )
