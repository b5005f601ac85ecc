"""The loop on a task of its own: budget, selection, precision, and a run that goes on where it was stopped."""

import hashlib
import json
import os
import signal
from contextlib import nullcontext
from typing import ClassVar

import pytest
import safetensors.torch
import torch

from pipeline.config import TrainingSettings
from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.training.checkpoints import load_state
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


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_two_runs_are_equal_to_the_byte(tmp_path, ema):
    settings = SETTINGS.model_copy(update={"ema": ema, "recalibrate": 2})
    for name in ("a", "b"):
        run(tmp_path / name, settings=settings)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("optimiser", ["adam", "rmsprop", "sgd"])
def test_a_run_stopped_twice_ends_as_one_left_alone(tmp_path, ema, optimiser):
    settings = SETTINGS.model_copy(update={"ema": ema, "optimiser": optimiser, "recalibrate": 2})
    run(tmp_path / "whole", settings=settings)
    for number in (4, 7):
        with pytest.raises(Stop):
            run(tmp_path / "broken", Line(stop_at(number)), settings)
    assert load_state(tmp_path / "broken/state", "key")["update"] == 6
    run(tmp_path / "broken", settings=settings)
    assert digest(tmp_path / "whole") == digest(tmp_path / "broken")


def test_a_resumed_run_does_not_repeat_what_is_done(tmp_path):
    with pytest.raises(Stop):
        run(tmp_path, Line(stop_at(7)))
    asked = []
    run(tmp_path, Line(asked.append))
    assert min(asked) == 6


def test_the_state_of_another_key_is_not_resumed(tmp_path):
    with pytest.raises(Stop):
        run(tmp_path, Line(stop_at(7)))
    asked = []
    run(tmp_path, Line(asked.append), key="other")
    assert min(asked) == 0


def test_sigterm_saves_and_exits_non_zero(tmp_path):
    def interrupt(update):
        if update == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a", Line(interrupt))
    assert stopped.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    assert load_state(tmp_path / "a/state", "key")["update"] in (3, 4, 5)
    assert not (tmp_path / "a/out").exists()
    run(tmp_path / "a")
    run(tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_the_state_folder_is_gone_and_history_holds_no_times(tmp_path):
    trained = run(tmp_path)
    assert not (tmp_path / "state").exists()
    lines = [json.loads(line) for line in (tmp_path / "out/history.jsonl").read_text().splitlines()]
    assert lines == trained.history
    logged = [line["update"] for line in lines if "loss" in line]
    assert logged == [2, 4, 6, 8, 9]
    assert [line["update"] for line in lines if "validation" in line] == [3, 6, 9]
    assert set(lines[0]) == {"update", "lr", "loss", "parts"}
    assert lines[0]["loss"] == pytest.approx(sum(lines[0]["parts"].values()))


def test_the_best_validated_weights_are_kept(tmp_path):
    class Scripted(Line):
        def __init__(self):
            super().__init__()
            self.seen, self.scores = [], iter([3.0, 1.0, 2.0])

        def validate(self, model):
            self.seen.append({name: value.clone() for name, value in model.state_dict().items()})
            return {"selection": next(self.scores)}

    task, model = Scripted(), network()
    trained = run(tmp_path, task, model=model)
    assert trained.selected == {"update": 6, "selection": 1.0}
    assert all(torch.equal(value, task.seen[1][name]) for name, value in model.state_dict().items())


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
    assert trained.run["updates_here"] == 4
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


def test_the_seed_decides_what_random_layers_draw(tmp_path):
    settings = SETTINGS.model_copy(update={"updates": 2})
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        model = torch.nn.Sequential(torch.nn.Dropout(0.5), network())
        more = {"state_dir": tmp_path / name / "state", "out_dir": tmp_path / name / "out"}
        train(model, Line(), settings, key="key", seed=seed, **more)
        digests.append(digest(tmp_path / name))
    assert digests[0] == digests[1] != digests[2]


def test_without_a_selection_the_last_weights_are_kept(tmp_path):
    task = Line()
    task.validate = lambda model: {}
    assert run(tmp_path, task).selected == {"update": 9}


def test_epochs_replace_updates(tmp_path):
    trained = run(tmp_path, settings=SETTINGS.model_copy(update={"epochs": 2.0}))
    assert trained.history[-1]["update"] == 5


def test_averaged_weights_follow_the_weights_of_the_run(tmp_path):
    class Watched(Line):
        seen: ClassVar[list] = []

        def loss(self, model, batch):
            self.seen.append(model[0].weight.detach().clone())
            return super().loss(model, batch)

    plain, averaged = network(), network()
    settings = SETTINGS.model_copy(update={"validate_every": 100})
    run(tmp_path / "a", Watched(), settings, model=plain)
    run(tmp_path / "b", settings=settings.model_copy(update={"ema": 0.6}), model=averaged)
    expected = Watched.seen[0]
    for update, weight in enumerate([*Watched.seen[1:], plain[0].weight.detach()], 1):
        decay = min(0.6, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * weight
    torch.testing.assert_close(averaged[0].weight.detach(), expected)


def test_recalibration_gives_the_statistics_of_further_batches(tmp_path):
    model = network()
    settings = SETTINGS.model_copy(update={"recalibrate": 3, "validate_every": 100})
    run(tmp_path, settings=settings, model=model)
    task = Line()
    with torch.no_grad():
        means = [model[0](task.batch(update)["x"]).mean(0) for update in (9, 10, 11)]
    torch.testing.assert_close(model[1].running_mean, torch.stack(means).mean(0))
    assert model[1].momentum == 0.1


def test_bf16_autocast_reaches_the_task(tmp_path):
    class Typed(Line):
        def loss(self, model, batch):
            self.dtype = model[0](batch["x"]).dtype
            return super().loss(model, batch)

    task = Typed()
    run(tmp_path, task, SETTINGS.model_copy(update={"precision": "bf16"}))
    assert task.dtype == torch.bfloat16


def test_a_loss_that_is_not_finite_is_one_clear_line(tmp_path):
    task = Line()
    task.loss = lambda model, batch: Losses({"squared": model(batch["x"]).sum() * float("nan")})
    with pytest.raises(FacemillError, match=r"loss of update 1 is nan.*training\.lr"):
        run(tmp_path, task)


def test_a_batch_of_one_face_for_a_batch_norm_over_single_values_is_one_clear_line(tmp_path):
    task = Line()
    batch = task.batch
    task.batch = lambda update: {name: values[:1] for name, values in batch(update).items()}
    with pytest.raises(FacemillError, match=r"training\.batch_size: expected two faces or more a process"):
        run(tmp_path, task)
    task.loss = lambda model, batch: (_ for _ in ()).throw(ValueError("another"))
    with pytest.raises(ValueError, match="another"):
        run(tmp_path, task)


def test_a_damaged_state_says_what_to_delete(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state/state.pt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(FacemillError, match=r"state.pt.*delete it"):
        run(tmp_path)


def test_progress_shows_position_rate_and_time_left(tmp_path, capsys):
    run(tmp_path)
    lines = [line for line in capsys.readouterr().err.splitlines() if "loss" in line]
    assert lines[0].startswith("update 2/9  loss ")
    assert "samples/s" in lines[0] and lines[0].endswith("left")
