"""What precision: auto means on which processor."""

import pytest
import torch

from pipeline.config import TrainingSettings
from pipeline.training.precision import choose

VECTORS = {"avx512_bf16": True, "amx_bf16": False}


@pytest.mark.parametrize(
    ("capabilities", "bf16"),
    [
        (VECTORS | {"cpu_name": "AMD EPYC"}, True),
        (VECTORS, True),
        (VECTORS | {"cpu_name": "Intel Xeon"}, False),
        ({"avx512_bf16": True, "amx_bf16": True, "cpu_name": "Intel Xeon"}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "cpu_name": "AMD EPYC"}, False),
        ({}, False),
    ],
)
def test_auto_is_bf16_where_the_processor_is_faster_with_it(monkeypatch, capabilities, bf16):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    network = torch.nn.Linear(1, 1)
    settings = TrainingSettings(device="cpu")
    assert choose(settings, network).bf16 == bf16
    assert choose(settings.model_copy(update={"precision": "bf16"}), network).bf16
    assert not choose(settings.model_copy(update={"precision": "fp32"}), network).bf16


def test_auto_is_float32_without_a_way_to_ask(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not choose(TrainingSettings(device="cpu"), torch.nn.Linear(1, 1)).bf16
