"""The loop on a task of its own: budget, selection, precision, and a run that goes on where it was stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import loop_world
import pytest
import torch
from loop_world import SETTINGS, Line, Stop, digest, network, run, stop_at

from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.training.checkpoints import load_state
from pipeline.training.loop import train


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


def test_batches_of_processes_make_the_same_bytes(tmp_path):
    for name, workers in (("a", 0), ("b", 2)):
        settings = SETTINGS.model_copy(update={"workers": workers, "recalibrate": 2})
        drawing = torch.nn.Sequential(torch.nn.Dropout(0.5), network())
        run(tmp_path / name, settings=settings, model=drawing)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_what_fails_in_a_process_that_makes_batches_ends_the_run_and_is_named(tmp_path):
    def interrupt(update):
        if update == 5:
            raise FacemillError("no such face")

    with pytest.raises(FacemillError) as refused:
        run(tmp_path, Line(interrupt), SETTINGS.model_copy(update={"workers": 2}))
    assert str(refused.value) == "no such face"


def test_sigterm_to_all_of_its_processes_saves_all_the_same(tmp_path):
    """As a scheduler sends it, to the whole group."""
    script = Path(loop_world.__file__)
    child = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(script.parents[2])},
        start_new_session=True,
    )
    while not (tmp_path / "begun").exists():
        assert child.poll() is None
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGTERM)
    assert child.wait() == 143
    assert 0 < load_state(tmp_path / "state", "key")["update"] < loop_world.LONG
