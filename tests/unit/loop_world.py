"""A task of its own for the training loop: a line behind noisy points, and a run of it; as a script, a long one."""

import hashlib
import sys
import time
from pathlib import Path

import torch

from pipeline.config import TrainingSettings
from pipeline.losses.base import Losses
from pipeline.training.loop import train

SETTINGS = TrainingSettings(
    updates=9,
    batch_size=4,
    lr=0.01,
    warmup=2,
    log_every=2,
    validate_every=3,
    save_every=2,
    threads=1,
    precision="fp32",
)

LONG = 2000
"""Updates of a run that is to be stopped."""


class Line:
    """A task: find the line behind noisy points; `interrupt` is called with the number of each update."""

    samples = 10

    def __init__(self, interrupt=lambda update: None):
        self.interrupt = interrupt

    def batch(self, update):
        self.interrupt(update)
        random = torch.Generator().manual_seed(update)
        x = torch.randn(4, 6, generator=random)
        return {"x": x, "y": x.sum(1, keepdim=True) + 0.1 * torch.randn(4, 1, generator=random)}

    def loss(self, model, batch):
        error = model(batch["x"]) - batch["y"]
        return Losses({"squared": error.square().mean(), "absolute": 0.1 * error.abs().mean()})

    def validate(self, model):
        batch = self.batch(1000)
        return {"selection": float((model(batch["x"]) - batch["y"]).square().mean())}


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    )


def run(folder, task=None, settings=SETTINGS, key="key", model=None):
    return train(
        model or network(),
        task or Line(),
        settings,
        state_dir=folder / "state",
        out_dir=folder / "out",
        key=key,
    )


def digest(folder):
    names = ("weights.safetensors", "history.jsonl")
    return [hashlib.sha256((folder / "out" / name).read_bytes()).hexdigest() for name in names]


class Stop(Exception):
    pass


def stop_at(number):
    def interrupt(update):
        if update == number:
            raise Stop

    return interrupt


if __name__ == "__main__":
    folder = Path(sys.argv[1])

    def take_your_time(update):
        time.sleep(0.02)
        if update == 8:
            (folder / "begun").touch()

    run(folder, Line(take_your_time), SETTINGS.model_copy(update={"workers": 2, "updates": LONG}))
