"""What every registered network promises the chain: its answer's form by target, its file, the papers' counts."""

import pytest
import test_models_registry as registry
import torch

from pipeline.keywords import constant_of
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.models.tddfa import MobileNetV1
from pipeline.registry import MODELS
from pipeline.training.checkpoints import load_weights, save_weights

SLICES, FRAME = 200, 192
VARIANTS = [
    *((name, {}) for name in MODELS),
    ("prn", {"encoder": "vgg", "map_size": 64}),
    ("prn", {"encoder": "mobilenet", "size": 64, "map_size": 32}),
    ("vrn", {"variant": "multitask", "stacks": 2}),
    ("vrn", {"variant": "guided"}),
    ("vrn", {"graph": "port", "stacks": 2, "depth": 4, "blocks": 3}),
]
"""Every registered network, small, and the variants whose answers or layers are others."""


def kind_of(name):
    return constant_of(MODELS.module(name), name, "target") or "posmap"


def forms(kind, model):
    """The shapes that an answer of this kind has for one face, by name."""
    side = model.size
    return {
        "posmap": {"answer": (3, getattr(model, "map_size", side), getattr(model, "map_size", side))},
        "params": {"answer": (62,)},
        "landmarks": {"answer": (68, 3)},
        "volume": {"volume": (SLICES * side // FRAME, side, side), "landmarks": (68, 2)},
    }[kind]


def settled(name, settings, count):
    """A network in evaluation mode whose batch norms have seen its inputs, and these."""
    model = registry.build(name, **settings)
    given = registry.inputs(model, count)
    with torch.no_grad():
        for _ in range(3):
            model(*given)
    return model.eval(), given


def predicted(model, given):
    with torch.no_grad():
        out = getattr(model, "predict", model)(*given)
    return out if isinstance(out, dict) else {"answer": out}


@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_its_answer_has_the_form_of_its_target_and_its_file_brings_it_back(name, settings, tmp_path):
    model, other = (registry.build(name, seed, **settings).eval() for seed in (0, 5))
    given = registry.inputs(model, 3)
    answer = predicted(model, given)
    wanted = forms(kind_of(name), model)
    assert set(answer) <= set(wanted) and next(iter(wanted)) in answer
    for key, value in answer.items():
        assert tuple(value.shape) == (3, *wanted[key]) and value.dtype == torch.float32
        assert torch.isfinite(value).all()
    save_weights(tmp_path / "weights.safetensors", model.state_dict(), {"model": name})
    assert load_weights(tmp_path / "weights.safetensors", other) == {"model": name}
    for key, value in predicted(other, given).items():
        assert torch.equal(value, answer[key])


@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_what_is_predicted_of_a_face_does_not_depend_on_its_company(name, settings):
    model, given = settled(name, settings, 8)
    together = predicted(model, given)
    alone = [predicted(model, [one[k : k + 1] for one in given]) for k in range(8)]
    for key, value in together.items():
        found = torch.cat([answer[key] for answer in alone])
        torch.testing.assert_close(found, value, atol=1e-5 * float(value.max() - value.min()), rtol=0)


PAPERS = {
    "PRN": (lambda: MODELS["prn"](), 13_353_618),
    "VRN, published port": (lambda: MODELS["vrn"](graph="port"), 19_184_968),
    "2DASL": (lambda: MODELS["2dasl"](), 23_638_206),
    "SynergyNet in training": (lambda: MODELS["synergynet"](), 4_075_265),
    "direct3d": (lambda: MODELS["direct3d"](), 44_560_124),
    "lift3d": (lambda: MODELS["lift3d"](), 44_595_892),
    "FAN-4": (lambda: FAN(stacks=4), 23_820_176),
    "FAN's depth network": (lambda: DepthNetwork(), 58_496_388),
    "mb05": (lambda: MobileNetV1(width=0.5), 850_398),
}


@pytest.mark.parametrize(("build", "count"), PAPERS.values(), ids=PAPERS)
def test_without_arguments_it_has_the_papers_numbers(build, count):
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build().parameters()) == count


def test_synergynet_at_inference_is_its_backbone_and_heads():
    with torch.device("meta"):
        model = MODELS["synergynet"]()
    parts = [*model.backbone.parameters(), *model.heads.parameters()]
    assert sum(parameter.numel() for parameter in parts) == 2_303_294
