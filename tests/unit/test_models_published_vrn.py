"""The published conversion of VRN's weights: its names, and what becomes of them."""

import pytest
import torch

from pipeline.io.sources import source
from pipeline.models.published import key_table
from pipeline.records import FacemillError
from pipeline.registry import MODELS, PUBLISHED


def published():
    """One tensor of every name; each has its place in the table as its value, without the memory of one."""
    shapes = key_table("vrn").shapes
    return {
        f"module.{n}": torch.tensor(float(k)).expand(shape) for k, (n, shape) in enumerate(shapes.items())
    }


def test_every_published_tensor_is_one_of_the_ports():
    found = published() | {"module.1.num_batches_tracked": torch.tensor(3)}
    converted = PUBLISHED["vrn"](found, "vrn_unguided.pth", None)
    with torch.device("meta"):
        network = MODELS["vrn"](**converted.settings)
    own = {n: v.shape for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    assert {name: value.shape for name, value in converted.tensors.items()} == own
    assert [float(value.flatten()[0]) for value in converted.tensors.values()] == list(range(len(own)))
    assert sum(parameter.numel() for parameter in network.parameters()) == 19_184_968
    assert source(converted.source).commercial == "no"


def test_missing_and_strange_tensors_are_named():
    found = published()
    del found["module.7.1.0.0.3.0.1.6.0.0.3.weight"]
    with pytest.raises(
        FacemillError, match=r"the 1644 tensors.*missing: 7\.1\.0\.0\.3\.0\.1\.6\.0\.0\.3\.weight$"
    ):
        PUBLISHED["vrn"](found, "vrn.pth", None)
    with pytest.raises(FacemillError, match=r"left over: 12\.weight$"):
        PUBLISHED["vrn"](published() | {"12.weight": torch.zeros(1)}, "vrn.pth", None)
    with pytest.raises(FacemillError, match="leave --statistics out"):
        PUBLISHED["vrn"](published(), "vrn.pth", object())
