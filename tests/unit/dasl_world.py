"""2DASL's task on small packs of parameters."""

import torch
from params_world import face, save_pack

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.models.two_dasl import TwoDASL
from pipeline.registry import TARGETS
from pipeline.training.batches import Packs
from pipeline.training.dasl_task import DaslTask
from pipeline.training.task import Setup

SIDE = 32
TARGET = TARGETS["params"](TargetSettings(kind="params", size=SIDE))
OFF = {"rotation": 0, "translation": 0, "scale": (1, 1), "colour": (1, 1), "occlusion": 0}
TRAINING = {"updates": 8, "batch_size": 3, "warmup": 0, "threads": 1, "precision": "fp32"}


def save_packs(folder):
    """Three packs: a to learn from, b without looking at its truth, val to choose by."""
    for seed, (name, samples) in enumerate((("a", 5), ("b", 4), ("val", 4)), start=1):
        save_pack(folder / f"{name}.h5", samples, seed)
    return folder


def packs(folder, *names, limit=100):
    return Packs([folder / f"{name}.h5" for name in names], TARGET, limit)


def setup(folder, unlabelled=None, augment=None, points=True, **training):
    settings = TrainingSettings.model_validate({**TRAINING, "augment": augment or OFF, **training})
    other = packs(folder, unlabelled) if unlabelled else None
    return Setup(
        packs(folder, "a"), packs(folder, "val"), other, face(), TARGET, settings, 7, SIDE, points=points
    )


def task(folder, unlabelled=None, augment=None, training=None, **keywords):
    return DaslTask(setup(folder, unlabelled, augment, **(training or {})), **keywords)


def network(prepared=None, seed=0):
    made = TwoDASL(torch.Generator().manual_seed(seed), size=SIDE, width=2, blocks=(1, 1, 1, 1))
    if prepared is not None:
        prepared.require(made)
        prepared.prepare(made)
    return made


def gradients(module, total):
    module.zero_grad()
    total.backward(retain_graph=True)
    return [None if p.grad is None else p.grad.clone() for p in module.parameters()]
