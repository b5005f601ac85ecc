"""The workflow: every rule complete, every preset plans, the linters content."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import jobs, layout
from pipeline.jobs.slots import cores, slots

ROOT = Path(__file__).resolve().parents[2]
PRESETS = sorted((ROOT / "workflow" / "presets").glob("*.yaml"))
RULES = {
    match["name"]: match["body"]
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for match in re.finditer(r"^rule (?P<name>\w+):\n(?P<body>(?:    .*\n|\n)+)", path.read_text(), re.M)
}


def call(*arguments, **more):
    """Run a tool of this environment from the project's folder."""
    return subprocess.run(
        [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]],
        cwd=ROOT,
        text=True,
        capture_output=True,
        **more,
    )


@pytest.mark.parametrize("name", sorted(set(RULES) - {"all"}))
def test_every_rule_is_complete(name):
    body = RULES[name]
    if "shell:" not in body:
        return
    assert body.lstrip().startswith('"""'), "no docstring"
    for part in ("log:", "benchmark:", "params:", f'code=code("{name}")', f'job=task("{name}")', "{log:q}"):
        assert part in body, f"rule {name} lacks {part}"
    assert "lambda" not in body
    assert "run:" not in body


def test_rule_stage_verb_and_description_have_one_name():
    shell_rules = {name for name, body in RULES.items() if "shell:" in body}
    assert shell_rules == set(layout.PATTERNS) == set(jobs.STAGES)
    for name in shell_rules:
        assert (ROOT / f"pipeline/stages/{name}.py").is_file()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.stem)
def test_every_preset_plans(preset, monkeypatch, tmp_path):
    named = re.findall(r"\$\{FACEMILL_DATA\}/(\S+)", preset.read_text())
    for name in {*named, "aflw2000-dev/images"}:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path))
    done = call("snakemake", "tables", "-n", "--configfile", str(preset))
    assert done.returncode == 0, done.stdout + done.stderr


def test_missing_data_is_one_clear_line(monkeypatch, tmp_path):
    real = str(ROOT / "workflow/presets/aflw2000_real.yaml")
    monkeypatch.delenv("FACEMILL_DATA", raising=False)
    done = call("snakemake", "tables", "-n", "--configfile", real)
    assert done.returncode == 1
    assert "export FACEMILL_DATA=" in done.stdout + done.stderr
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path))
    done = call("snakemake", "tables", "-n", "--configfile", real)
    assert done.returncode == 1
    assert (
        f"face_model.path: expected a file or folder, found nothing at {tmp_path}"
        in done.stdout + done.stderr
    )


def test_the_default_plans_to_the_json():
    done = call("snakemake", "-n", "results/eval/prn.json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_models_own_threads_and_device_reach_its_rule(tmp_path):
    overlay = "models={prn: {training: {threads: 3, workers: 2, device: cuda}, settings: {width: 8}}}"
    own = "datasets={synth_test: {detection: {device: cuda}}}"
    config = (f"results={tmp_path}", "systems=[prn]", overlay, own)
    done = call("snakemake", "-n", "--cores", "8", "--config", *config)
    assert done.returncode == 0, done.stdout + done.stderr
    training = next(part for part in done.stdout.split("\n\n") if "rule train:" in part)
    assert f"threads: {min(8, slots(5, 8, cores()))}" in training
    assert "gpu=1" in training
    detecting = re.findall(r"rule detect:.*?resources: [^\n]*", done.stdout, re.S)
    assert {("dataset=synth_test" in part, "gpu=1" in part) for part in detecting} == {
        (True, True),
        (False, False),
    }


def test_snakemake_lint():
    done = call("snakemake", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakefmt():
    done = call("snakefmt", "--check", "Snakefile", "workflow")
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff():
    for arguments in (("check", "."), ("format", "--check", ".")):
        done = call("ruff", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_model_is_one_clear_message():
    done = call("snakemake", "-n", "--config", "models={prn: {model: pnr}}")
    assert done.returncode == 1
    assert "Did you mean 'prn'" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("crop", "--help"), ("why", "--help")])
def test_help_is_instant(arguments):
    code = (
        f"import sys, runpy; sys.argv = ['pipeline', *{arguments!r}]\n"
        "try: runpy.run_module('pipeline', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'cv2', 'scipy', 'h5py', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_a_training_that_uses_every_core_runs_alone():
    cores = os.cpu_count() or 1
    config = f"training={{threads: {cores}}}"
    target = ("results/eval/prn.json", "--forceall", "--config", "systems=[prn]", config)
    done = call("snakemake", "-n", "--cores", str(cores + 3), *target)
    assert done.returncode == 0, done.stdout + done.stderr
    train = next(part for part in (done.stdout + done.stderr).split("rule ") if part.startswith("train:"))
    assert f"threads: {cores + 3}" in train
