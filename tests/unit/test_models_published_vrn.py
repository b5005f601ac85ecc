"""The port's checkpoint of VRN: a file in its format becomes weights of our port."""

import pytest
import torch

from pipeline.io.weights import read_state
from pipeline.models.published import key_table
from pipeline.models.published.vrn import convert
from pipeline.models.vrn import VRN
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError

TABLE = key_table("vrn")


def state():
    """Zeros of the table's shapes, each with its number, and the counts that PyTorch adds; memory is shared."""
    tensors = {
        name: torch.full((1,), float(k)).expand(shape or (1,))
        for k, (name, shape) in enumerate(TABLE.shapes.items())
    }
    counts = {
        name.replace("running_var", "num_batches_tracked"): torch.tensor(3)
        for name in tensors
        if "var" in name
    }
    return tensors | counts


def test_the_public_code_s_names_are_those_of_our_port():
    with torch.device("meta"):
        network = VRN(**convert(state(), "x.pth", None).settings)
    ours = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    learnt = {name: shape for name, shape in ours.items() if not name.endswith("num_batches_tracked")}
    assert list(learnt) == list(TABLE.shapes) and learnt == TABLE.shapes


def test_a_checkpoint_gives_every_tensor_its_place(tmp_path):
    torch.save(state(), tmp_path / "vrn_unguided.pth")
    converted = convert(read_state(tmp_path / "vrn_unguided.pth"), tmp_path / "vrn_unguided.pth", None)
    assert converted.settings == {"graph": "port", "align_corners": True} and converted.source == "vrn"
    assert [float(value.flatten()[0]) for value in converted.tensors.values()] == list(
        range(len(TABLE.shapes))
    )


def test_what_is_missing_is_named():
    lacking = state()
    del lacking["7.1.3.0.weight"]
    with pytest.raises(FacemillError, match=r"missing: 7\.1\.3\.0\.weight"):
        convert(lacking, "x.pth", None)
    with pytest.raises(FacemillError, match="leave --statistics out"):
        convert(state(), "x.pth", Whitening(torch.zeros(62).numpy(), torch.ones(62).numpy()))
