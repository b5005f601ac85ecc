"""Two processes that train together on the CPU: one network, one history, one end for both."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import torch
import training_world
from evaluation_cases import model_file
from safetensors.torch import load_file

from pipeline.config import TrainingSettings
from pipeline.jobs import Job
from pipeline.losses.base import Losses
from pipeline.provenance import ROOT
from pipeline.records import FacemillError
from pipeline.training.checkpoints import load_state
from pipeline.training.loop import train
from pipeline.training.processes import Processes, joined
from pipeline.verbs import processes as verb

SETTINGS = TrainingSettings(
    updates=6,
    batch_size=8,
    lr=0.02,
    warmup=0,
    log_every=2,
    validate_every=3,
    save_every=2,
    threads=1,
    precision="fp32",
)


class Shared:
    """A line behind noisy points, with a discriminator that reads the errors; makes its share of each batch."""

    samples = 40

    def __init__(self, disturb=lambda task, update: None):
        self.share, self.disturb = (0, 1), disturb
        torch.manual_seed(5)
        self.critic = torch.nn.Linear(1, 1)

    def batch(self, update):
        self.disturb(self, update)
        rank, world = self.share
        random = torch.Generator().manual_seed(update)
        x, noise = torch.randn(8, 6, generator=random), torch.randn(8, 1, generator=random)
        return {"x": x[rank::world], "y": (x.sum(1, keepdim=True) + 0.1 * noise)[rank::world]}

    def loss(self, model, batch):
        error = model(batch["x"]) - batch["y"]
        return Losses({"squared": error.square().mean(), "critic": 0.1 * self.critic(error).square().mean()})

    def validate(self, model):
        return {"selection": float((model(torch.ones(1, 6)) - 6).square())}


def network(norm=False):
    torch.manual_seed(0)
    middle = torch.nn.BatchNorm1d(8) if norm else torch.nn.Tanh()
    return torch.nn.Sequential(torch.nn.Linear(6, 8), middle, torch.nn.Linear(8, 1))


def run(folder, model, task, **changed):
    settings = SETTINGS.model_copy(update=changed)
    return train(model, task, settings, state_dir=folder / "state", out_dir=folder / "out", key="key")


def together(work):
    """Call ``work(rank)`` in two processes as torchrun would start them; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(2):
        if child := os.fork():
            children.append(child)
            continue
        code = 99
        try:
            common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
            os.environ |= {**common, "RANK": str(rank), "TORCHELASTIC_RUN_ID": "test"}
            os.environ["GLOO_SOCKET_IFNAME"] = "lo"
            work(rank)
            code = 0
        except SystemExit as end:
            code = end.code
        finally:
            os._exit(code)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.parametrize(
    "changed", [{}, {"ema": 0.9, "optimiser": "sgd", "nesterov": True, "clip_norm": 0.5}]
)
def test_two_processes_learn_what_one_learns_from_the_whole_batch(tmp_path, changed):
    def work(rank):
        model, task = network(), Shared()
        try:
            run(tmp_path / "two", model, task, processes=2, **changed)
        finally:
            torch.save([model.state_dict(), task.critic.state_dict(), task.share], tmp_path / f"{rank}.pt")

    assert together(work) == [0, 0]
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert [share for *_, share in found] == [(0, 2), (1, 2)]
    task = Shared()
    alone = run(tmp_path / "one", network(), task, **changed)
    written = [load_file(tmp_path / name / "out/weights.safetensors") for name in ("one", "two")]
    for name, value in written[0].items():
        torch.testing.assert_close(written[1][name], value, atol=1e-6, rtol=1e-5)
    for name, value in task.critic.state_dict().items():
        torch.testing.assert_close(found[0][1][name], value, atol=1e-6, rtol=1e-5)
        assert torch.equal(found[0][1][name], found[1][1][name])
    history = [json.loads(line) for line in (tmp_path / "two/out/history.jsonl").read_text().splitlines()]
    assert [record["update"] for record in history] == [record["update"] for record in alone.history]
    for one, two in zip(alone.history, history, strict=True):
        assert two.get("loss", 0) == pytest.approx(one.get("loss", 0), rel=1e-4)


def test_both_end_with_the_same_weights_and_statistics_however_often_they_were_stopped(tmp_path):
    def stop_one(task, update):
        if task.share[0] == 1 and update == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    def work(disturb=lambda task, update: None):
        def of(rank):
            model = network(norm=True)
            more = {"ema": 0.9, "recalibrate": 2, "processes": 2}
            try:
                run(tmp_path / "broken", model, Shared(disturb), **more)
            finally:
                torch.save(model.state_dict(), tmp_path / f"{rank}.pt")

        return of

    assert together(work(stop_one)) == [143, 143]
    stopped = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    state = load_state(tmp_path / "broken/state", "key")
    assert state["update"] in (3, 4, 5) and not (tmp_path / "broken/out").exists()
    for name, value in state["model"].items():
        assert torch.equal(stopped[0][name], value) and torch.equal(stopped[1][name], value), name
    assert together(work()) == [0, 0]
    broken = load_file(tmp_path / "broken/out/weights.safetensors")
    (tmp_path / "broken").rename(tmp_path / "once")
    assert together(work()) == [0, 0]
    whole = load_file(tmp_path / "broken/out/weights.safetensors")
    assert all(torch.equal(broken[name], value) for name, value in whole.items())


def test_a_loss_that_diverges_in_one_process_ends_both_with_one_message(tmp_path, capfd):
    class Diverging(Shared):
        def loss(self, model, batch):
            found = super().loss(model, batch)
            factor = float("nan") if self.share[0] == 1 else 1.0
            return Losses({name: value * factor for name, value in found.parts.items()})

    def work(rank):
        try:
            run(tmp_path, network(), Diverging(), processes=2)
        except FacemillError as error:
            assert rank == 0
            (tmp_path / "said").write_text(str(error))

    assert together(work) == [0, 0]
    assert "loss of update 1 is nan" in (tmp_path / "said").read_text()


def test_patience_of_the_first_process_ends_both(tmp_path):
    class Worsening(Shared):
        def validate(self, model):
            assert self.share[0] == 0
            self.count = getattr(self, "count", 0) + 1
            return {"selection": float(self.count)}

    more = {"patience": 2, "validate_every": 1, "processes": 2}
    assert together(lambda rank: run(tmp_path, network(), Worsening(), **more)) == [0, 0]
    history = [json.loads(line) for line in (tmp_path / "out/history.jsonl").read_text().splitlines()]
    assert history[-1] == {"update": 3, "validation": {"selection": 3.0}}


def test_gradients_that_one_process_lacks_count_as_zero():
    def work(rank):
        with joined(2, "cpu") as group:
            parameters = [torch.nn.Parameter(torch.zeros(3)) for _ in range(3)]
            parameters[0].grad = torch.full((3,), 1.0 + rank)
            if rank == 1:
                parameters[1].grad = torch.full((3,), 4.0)
            group.average_gradients(parameters)
            grads = [parameter.grad for parameter in parameters]
            assert grads[0].tolist() == [1.5] * 3 and grads[1].tolist() == [2.0] * 3 and grads[2] is None
            assert group.any(rank == 1) and not group.any(False)

    assert together(work) == [0, 0]


def test_what_cannot_be_shared_and_wrong_numbers_are_refused(monkeypatch):
    with pytest.raises(FacemillError, match="expected 1 for the task object"):
        Processes(0, 2).share_out(object())
    found_one = r"expected 2 processes, found 1; type python -m pipeline train"
    with pytest.raises(FacemillError, match=found_one), joined(2, "cpu"):
        pass
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(FacemillError, match=r"expected 1 processes, found 3"), joined(1, "cpu"):
        pass


@pytest.mark.slow
def test_the_verb_trains_in_two_processes_and_leaves_one_record(tmp_path):
    made = training_world.job(tmp_path, processes=2, batch_size=4)
    made["settings"]["face_model"] = {"id": "npz", "path": str(model_file(tmp_path))}
    made.pop("attributes")
    todo = Job(stage="train", modules=("pipeline.stages.train",), **made)

    def start(job, **more):
        command = [sys.executable, "-m", "pipeline", "train", "--job", job.as_json()]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, **more)

    done = start(todo)
    said = done.communicate()[1]
    assert done.returncode == 0, said
    assert len([line for line in said.splitlines() if line.startswith("update 7/7  loss")]) == 1, said
    record = json.loads((tmp_path / "out/weights.safetensors.run.json").read_text())
    assert record["settings"]["training"]["processes"] == 2
    assert json.loads((tmp_path / "out/card.json").read_text())["training"]["processes"] == 2

    made["settings"]["training"] |= {"updates": 100_000, "save_every": 100_000}
    killed = start(Job(stage="train", modules=("pipeline.stages.train",), **made))
    for line in killed.stderr:
        if line.startswith("update"):
            break
    killed.terminate()
    assert killed.wait(60) == 143
    assert torch.load(tmp_path / "state/state.pt")["update"] > 0


def test_the_verb_starts_what_its_job_asks_for_once(monkeypatch):
    def todo(**settings):
        return Job("train", {}, {}, {}, settings, ())

    assert verb.wanted(todo()) == 1
    assert verb.wanted(todo(training={"processes": 3})) == 3
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    assert verb.wanted(todo(training={"processes": 3})) == 1
