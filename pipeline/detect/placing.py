"""Where the networks of detection compute, and in which numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.config import DetectionSettings
from pipeline.detect.loading import LoadedNetwork
from pipeline.records import FacemillError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def device_of(setting: str) -> str:
    """ "cpu" or "cuda" for `device`: auto takes a GPU that is there; FacemillError for one that is not."""
    there = torch.cuda.is_available()
    if setting == "cuda" and not there:
        raise FacemillError(
            "detection.device: cuda, but torch sees no CUDA device; set detection.device=auto"
        )
    return "cuda" if there and setting in ("auto", "cuda") else "cpu"


class Placed(nn.Module):
    """A network on a device and in a precision; its inputs and outputs stay float32 on the CPU."""

    def __init__(self, module: nn.Module, device: str, dtype: torch.dtype):
        super().__init__()
        self.module = module.to(device, dtype)
        self.device, self.dtype = device, dtype

    def forward(self, *inputs: Tensor) -> Any:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            return _home(self.module(*(x.to(self.device, self.dtype) for x in inputs)))


def placed(network: LoadedNetwork, settings: DetectionSettings) -> LoadedNetwork:
    """The network where `device` and `precision` want it; on the CPU in fp32 as it is."""
    device, dtype = device_of(settings.device), DTYPES[settings.precision]
    if (device, dtype) == ("cpu", torch.float32):
        return network
    return replace(network, module=Placed(network.module, device, dtype).eval())


def _home(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.to("cpu", torch.float32)
    return type(outputs)(map(_home, outputs))
