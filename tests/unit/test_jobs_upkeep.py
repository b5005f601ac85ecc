"""What changes no byte of a training reaches it beside its job, and makes nothing stale."""

import os
import subprocess
import sys

import pytest
import yaml

from pipeline.config import UPKEEP, TrainingSettings
from pipeline.jobs import Job, job
from pipeline.settings import ROOT, load

CHANGED = {"memory_limit_mb": 1, "save_every": 2, "tensorboard": True, "workers": 3}
SHIPPED = ROOT / "workflow" / "presets" / "shipped.yaml"


def jobs(*assignments):
    config = load([SHIPPED], assignments)
    return job(config, "train", model="prn", seed=0), job(config, "train_shipped", shipped="fan")


def test_upkeep_is_no_param_of_a_training_and_reaches_its_stage():
    own = [
        f"{block}.{name}={value}"
        for block in ("training", "shipped.fan.training")
        for name, value in CHANGED.items()
    ]
    for before, after in zip(jobs(), jobs(*own), strict=True):
        assert before.as_json() == after.as_json() and before.settings_digest == after.settings_digest
        assert not UPKEEP & set(after.settings["training"]) and "upkeep" not in after.as_json()
        handed = Job.from_json(after.as_json(), after.upkeep_as_json())
        assert handed == after and set(CHANGED) == UPKEEP
        training = TrainingSettings.model_validate(handed.all_settings["training"])
        assert {name: getattr(training, name) for name in CHANGED} == CHANGED


def test_what_decides_the_weights_is_a_param():
    assert jobs()[0].as_json() != jobs("training.log_every=3")[0].as_json()
    assert jobs()[0].as_json() != jobs("training.lr=3e-4")[0].as_json()


def test_a_job_without_upkeep_shows_its_stage_the_settings_alone():
    source = job(load(), "source", dataset="synth_train")
    assert source.upkeep == {} and source.all_settings == source.settings


@pytest.mark.parametrize("rule", ["train", "shipped"])
def test_the_rules_hand_it_on(rule):
    text = (ROOT / "workflow" / "rules" / f"{rule}.smk").read_text(encoding="utf-8")
    assert "--job {params.job:q} --upkeep {resources.upkeep:q}" in text
    assert "        trainings=1,\n" in text


def test_two_trainings_at_a_time_but_on_a_cluster():
    limits = {
        name: yaml.safe_load((ROOT / "workflow/profiles" / name / "config.yaml").read_text(encoding="utf-8"))
        for name in ("default", "slurm")
    }
    assert "trainings=2" in limits["default"]["resources"]
    assert "trainings" not in str(limits["slurm"])


def test_threads_that_wait_sleep_unless_the_user_says_otherwise():
    """The variable must stand before torch is loaded, which reads it once."""
    code = (
        "import os, sys, pipeline.__main__; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
    )
    own_words = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    clean = {key: value for key, value in os.environ.items() if key not in own_words}
    cases = [({}, "10000"), ({"OMP_WAIT_POLICY": "active"}, "None"), ({"GOMP_SPINCOUNT": "7"}, "7")]
    for own, expected in cases:
        said = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=clean | own, capture_output=True, text=True
        )
        assert said.stdout == f"{expected} False\n", said.stderr
