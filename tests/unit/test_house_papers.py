"""The preset of paper scale: each system's network is its paper's, and so is its training, where the paper says it."""

import inspect
from pathlib import Path

import pytest
import yaml

from pipeline import registry, settings
from pipeline.jobs.models import task_of
from pipeline.keywords import keywords_of
from pipeline.training.optim import learning_rate

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = (
    *("prn", "vrn", "vrn_multitask", "vrn_guided", "synergynet", "2dasl"),
    *("direct3d", "lift3d", "fan_depth", "fan_lift"),
)
FRAMES = dict(
    zip(SYSTEMS, ["prn256", *["vrn192"] * 3, *["roi120"] * 2, *["gray224"] * 2, *["fan256"] * 2], strict=True)
)
NOTHING = {"rotation": 0, "translation": 0, "scale": (1, 1), "colour": (1, 1), "occlusion": 0, "flip": 0}
CROPPED = {**NOTHING, "translation": 0.058}
"""224 of 250 px, at random."""
VRN = {"rotation": 45, "translation": 0.078, "scale": (0.85, 1.15), "flip": 0.2, "occlusion": 0}
FAN = {"rotation": 60, "scale": (0.7, 1.3), "colour": (0.7, 1.3), "flip": 0.5, "translation": 0}
PAPERS = {
    "vrn": {
        "optimiser": "rmsprop",
        "momentum": 0,
        "lr": 1e-4,
        "schedule": "milestones",
        "step_factor": 0.1,
        "milestones": [40],
        "augment": VRN,
    },
    "synergynet": {
        **{"optimiser": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "lr": 0.08},
        **{"batch_size": 1024, "epochs": 80, "milestones": [48, 64], "step_factor": 0.2},
        **{"warmup": 0, "warmup_epochs": 5, "warmup_factor": 0.2, "augment": NOTHING},
    },
    "2dasl": {
        **{"optimiser": "sgd", "lr": 5e-5, "critic_lr": 1e-4, "batch_size": 32, "schedule": "exponential"},
        "augment": NOTHING,
    },
    "direct3d": {
        **{"optimiser": "adam", "amsgrad": True, "lr": 1e-3, "batch_size": 32, "epochs": 20},
        **{"schedule": "step", "step_epochs": 10, "step_factor": 0.1, "augment": CROPPED},
    },
    "lift3d": {
        "optimiser": "adam",
        "amsgrad": True,
        "lr": 1e-3,
        "batch_size": 32,
        "epochs": 30,
        "augment": CROPPED,
    },
    "fan_depth": {
        "optimiser": "rmsprop",
        "momentum": 0,
        "lr": 2.5e-4,
        "batch_size": 10,
        "epochs": 110,
        "schedule": "milestones",
        "augment": FAN,
    },
    "fan_lift": {
        "optimiser": "adam",
        "lr": 1e-3,
        "batch_size": 64,
        "epochs": 200,
        "schedule": "exponential",
        "augment": NOTHING,
    },
}
PAPERS |= {"vrn_multitask": PAPERS["vrn"], "vrn_guided": PAPERS["vrn"]}


@pytest.fixture(scope="module")
def config():
    return settings.load([ROOT / "workflow/presets/300w_lp.yaml"], ["systems=null"])


def plain(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_network_and_the_losses_are_the_papers(config, name):
    """All that the default makes small is said anew, and nothing else differs from a network without settings."""
    block = config.models[name]
    network = inspect.signature(registry.MODELS[block.model]).parameters
    made_small = set(settings.load().models[name].settings)
    assert made_small <= set(block.settings)
    own = {"variant": name.removeprefix("vrn_")} if name in ("vrn_multitask", "vrn_guided") else {}
    papers = {key: plain(parameter.default) for key, parameter in network.items()} | own
    assert {key: plain(value) for key, value in block.settings.items()} == {
        k: papers[k] for k in block.settings
    }
    task = task_of(config, name)
    losses = keywords_of(registry.TASKS.module(task), task)
    assert block.task == {key: losses[key].default for key in block.task}
    assert (block.frame, block.train) == (FRAMES[name], ["face_300w_lp"])


@pytest.mark.parametrize("name", PAPERS)
def test_the_training_is_the_papers(config, name):
    training = settings.training_of(config, config.models[name].training).model_dump()
    said = dict(PAPERS[name])
    augment = said.pop("augment", {})
    assert {key: training[key] for key in said} == said
    assert {key: training["augment"][key] for key in augment} == augment


def test_rates_fall_where_the_papers_do(config):
    depth, lift = (
        settings.training_of(config, config.models[name].training) for name in ("fan_depth", "fan_lift")
    )
    epoch = 122_450 / depth.batch_size
    rates = {1: 2.5e-4, 49: 2.5e-4, 51: 1e-4, 71: 5e-5, 91: 1e-5, 101: 5e-6, 109: 5e-6}
    for number, rate in rates.items():
        assert learning_rate(int(number * epoch), int(110 * epoch), epoch, depth) == pytest.approx(rate)
    assert lift.step_epochs * 122_450 / lift.batch_size == pytest.approx(100_000, rel=0.01)


def test_as_it_stands_it_is_prnet(config):
    assert list(settings.load([ROOT / "workflow/presets/300w_lp.yaml"]).models) == ["prn"]
    assert list(config.models) == list(SYSTEMS)


def test_the_preset_of_300w_lp_is_the_paper_and_nothing_of_the_default_shows_through():
    """Spec prn_vrn C.1 and C.4; what the paper leaves open is not asked for."""
    config = settings.load([ROOT / "workflow/presets/300w_lp.yaml"])
    block = config.models["prn"]
    keywords = keywords_of(registry.MODELS.module("prn"), "prn")
    assert {name: keywords[name].default for name in block.settings} == block.settings
    assert set(values_of("models.prn.settings")) <= set(block.settings)
    training = settings.training_of(config, block.training)
    assert (training.batch_size, training.optimiser, training.lr, training.warmup) == (16, "adam", 1e-4, 0)
    assert (training.schedule, training.step_epochs, training.step_factor) == ("step", 5, 0.5)
    augment = training.augment
    assert (augment.rotation, augment.translation, augment.scale, augment.colour) == (
        45,
        0.1,
        (0.9, 1.2),
        (0.6, 1.4),
    )
    assert augment.occlusion > 0 and augment.flip == 0
    assert (block.frame, config.targets[block.target].size, config.detection.detector) == (
        "prn256",
        256,
        "annotation",
    )
    assert block.train == ["face_300w_lp"] and config.evaluation.benchmarks == ["aflw2000_3d"]
    assert all(dataset.synthetic is None for dataset in config.datasets.values())


def values_of(path):
    """A block of config.yaml."""
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    for key in path.split("."):
        values = values[key]
    return values
