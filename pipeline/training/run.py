"""Everything that changes during a training, and all that its resumable state holds."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch

from pipeline.config import TrainingSettings
from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.training.optim import critic_optimiser, make_optimiser


class Run:
    """One training as it stands after ``update`` updates.

    Attributes:
        model: what is trained; critic: a task's discriminator, if it has one. Both where they stay.
        averaged: the model with averaged weights; the model itself where none are asked for.
        history: losses and validations in their order; best: update, figures and weights of the best validation.
    """

    def __init__(
        self, model: torch.nn.Module, critic: torch.nn.Module | None, settings: TrainingSettings
    ) -> None:
        self.model, self.critic, self.settings = model, critic, settings
        self.optimiser = make_optimiser([p for p in model.parameters() if p.requires_grad], settings)
        self.critic_optimiser = critic_optimiser(critic, settings) if critic is not None else None
        self.averaged = copy.deepcopy(model) if settings.ema else model
        self.update = 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {"update": 0, "figures": {}, "weights": {}}

    @property
    def modules(self) -> list[torch.nn.Module]:
        """All that holds weights, each once."""
        averaged = [self.averaged] if self.settings.ema else []
        return [self.model, *averaged, *([self.critic] if self.critic is not None else [])]

    @property
    def learning(self) -> list[torch.nn.Parameter]:
        """The parameters that learn, of model and critic."""
        optimisers = (self.optimiser, self.critic_optimiser)
        return [p for each in optimisers if each for group in each.param_groups for p in group["params"]]

    @property
    def exhausted(self) -> bool:
        """Whether the last ``patience`` validations brought nothing better."""
        since = sum(
            "validation" in record and record["update"] > self.best["update"] for record in self.history
        )
        return self.settings.patience is not None and since >= self.settings.patience

    def set_rate(self, rate: float) -> None:
        """Set the model's learning rate; the critic's is fixed."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def forget_gradients(self) -> None:
        """Before a backward pass."""
        for parameter in self.learning:
            parameter.grad = None

    def step(self) -> None:
        """After a backward pass: clip the model's gradients, let model and critic step, and let the averaged weights
        follow the model's, sooner at the beginning of a run."""
        if self.settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimiser.step()
        if self.critic_optimiser:
            self.critic_optimiser.step()
        self.update += 1
        if not self.settings.ema:
            return
        decay = min(self.settings.ema, (1 + self.update) / (10 + self.update))
        for mean, value in zip(
            self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def log(self, losses: Losses, rate: float) -> dict[str, Any]:
        """Append the losses of the last batch to the history."""
        parts = {name: float(value.detach()) for name, value in losses.parts.items()}
        self.history.append(
            {"update": self.update, "lr": rate, "loss": float(losses.total.detach()), "parts": parts}
        )
        return self.history[-1]

    def select(self, figures: dict[str, float]) -> dict[str, float]:
        """Append a validation to the history; keep the weights if they are the best so far.

        Raises FacemillError where patience has nothing to judge by.
        """
        if self.settings.patience is not None and "selection" not in figures:
            raise FacemillError(
                "training.patience: expected held-out faces to judge by, found none; raise datasets.<id>.validation "
                "of a training set, or set training.patience=null"
            )
        self.history.append({"update": self.update, "validation": figures})
        before = self.best["figures"].get("selection", math.inf)
        if figures.get("selection", -math.inf) < before or not self.best["weights"]:
            weights = {name: value.detach().clone() for name, value in self.averaged.state_dict().items()}
            self.best = {"update": self.update, "figures": figures, "weights": weights}
        return figures

    def state(self) -> dict[str, Any]:
        """All of it, for ``save_state``."""
        return {
            "update": self.update,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict() if self.settings.ema else {},
            "optimiser": self.optimiser.state_dict(),
            "critic": self.critic.state_dict() if self.critic is not None else {},
            "critic_optimiser": self.critic_optimiser.state_dict() if self.critic_optimiser else {},
            "history": self.history,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of ``state``."""
        self.update, self.history, self.best = state["update"], state["history"], state["best"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.settings.ema:
            self.averaged.load_state_dict(state["averaged"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
