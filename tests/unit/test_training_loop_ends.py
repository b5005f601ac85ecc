"""The loop's ends and its second player: patience, and a critic with an optimiser of its own."""

from contextlib import nullcontext

import pytest
import safetensors.torch
import torch
from loop_world import SETTINGS, Line, Stop, digest, network, run, stop_at

from pipeline.losses.base import Losses
from pipeline.records import FacemillError


class Worse(Line):
    """Its validations give 3, 1, 2, then ever worse ones."""

    def validate(self, model):
        self.scores = getattr(self, "scores", [])
        self.scores.append([3.0, 1.0, 2.0, *[9.0] * 9][len(self.scores)])
        return {"selection": self.scores[-1]}


def test_patience_ends_a_run_and_keeps_its_best_weights(tmp_path):
    settings = SETTINGS.model_copy(update={"validate_every": 1, "patience": 2, "recalibrate": 1})
    trained = run(tmp_path, Worse(), settings)
    assert trained.selected == {"update": 2, "selection": 1.0}
    assert trained.ended == {"update": 4, "updates": 9, "by": "patience"}
    assert trained.history[-1] == {"update": 4, "validation": {"selection": 9.0}}
    longer = run(tmp_path, Worse(), settings.model_copy(update={"patience": 8}))
    assert longer.ended == {"update": 9, "updates": 9, "by": "budget"}


def test_a_run_that_patience_ended_stays_ended_when_it_was_killed_before_its_files(tmp_path, monkeypatch):
    def full(*_):
        raise Stop

    settings = SETTINGS.model_copy(update={"validate_every": 1, "save_every": 1, "patience": 2})
    monkeypatch.setattr("pipeline.training.loop.save_weights", full)
    with pytest.raises(Stop):
        run(tmp_path, Worse(), settings)
    monkeypatch.undo()
    asked = []
    trained = run(tmp_path, Line(asked.append), settings)
    assert asked == [] and trained.ended == {"update": 4, "updates": 9, "by": "patience"}
    assert trained.selected == {"update": 2, "selection": 1.0}


def test_patience_without_anything_to_judge_by_is_refused(tmp_path):
    task = Line()
    task.validate = lambda model: {}
    with pytest.raises(FacemillError, match=r"training\.patience: expected held-out faces"):
        run(tmp_path, task, SETTINGS.model_copy(update={"patience": 1}))


class Judged(Line):
    """The line with a discriminator in its losses."""

    def __init__(self, interrupt=lambda update: None):
        super().__init__(interrupt)
        torch.manual_seed(3)
        self.critic = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))

    def loss(self, model, batch):
        error = model(batch["x"]) - batch["y"]
        parts = {"squared": error.square().mean(), "critic": self.critic(error).square().mean()}
        return Losses(parts)


def test_a_critic_steps_with_an_adam_of_its_own_and_is_no_part_of_the_weights(tmp_path):
    settings = SETTINGS.model_copy(update={"updates": 3, "optimiser": "sgd", "critic_lr": 0.125})
    task, model = Judged(), network()
    before = [parameter.detach().clone() for parameter in task.critic.parameters()]
    run(tmp_path, task, settings.model_copy(update={"updates": 1}), model=model)
    for old, new in zip(before, task.critic.parameters(), strict=True):
        moved = (new.detach() - old).abs()
        assert bool(((moved < 1e-6) | ((moved - 0.125).abs() < 1e-3)).all()) and moved.max() > 0.1
    weights = safetensors.torch.load_file(tmp_path / "out/weights.safetensors")
    assert set(weights) == set(model.state_dict())


@pytest.mark.parametrize("settings", [{}, {"precision": "bf16", "ema": 0.9, "optimiser": "sgd"}])
def test_a_run_with_critic_and_dropout_stopped_twice_ends_as_one_left_alone(tmp_path, settings):
    def dropping():
        return torch.nn.Sequential(network(), torch.nn.Dropout(0.2), torch.nn.Linear(1, 1))

    torch.manual_seed(0)
    first = dropping().state_dict()
    critics = []
    for name, stops in (("whole", ()), ("broken", (4, 7))):
        for number in (*stops, None):
            model = dropping()
            model.load_state_dict(first)
            task = Judged(stop_at(number))
            torch.rand(number or 1)
            with pytest.raises(Stop) if number else nullcontext():
                run(tmp_path / name, task, SETTINGS.model_copy(update=settings), model=model)
        critics.append(task.critic.state_dict())
    assert digest(tmp_path / "whole") == digest(tmp_path / "broken")
    assert all(torch.equal(value, critics[1][name]) for name, value in critics[0].items())
