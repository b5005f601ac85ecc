"""The chain as a whole: what a run leaves behind, what runs again, and what survives a kill."""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.project import TARGET, UNCOVERED

DETECT_AND_ON = {
    *("detect", "crop", "ground_truth", "fingerprint", "leaks", "reap", "pack"),
    *("train", "infer", "score", "evaluate"),
}
DATA_STAGES = {"synthesise", "source", "detect", "crop", "ground_truth", "reap", "pack"}


def digest(path):
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def everything(project):
    """Digest of every result by path; run records, logs and costs differ between two runs and stand apart."""
    results = project.path / "results"
    apart = {"logs", "benchmarks", "state"}
    return {
        str(path.relative_to(results)): digest(path)
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and not path.name.endswith(".run.json")
        and path.relative_to(results).parts[0] not in apart
    }


def test_the_json_balances(base):
    value = json.loads((base.path / TARGET).read_text())
    assert value["model"] == "prn"
    for block in value["benchmarks"].values():
        assert block["evaluated"] + block["failed"] == block["images"]
        for protocol in block["protocols"].values():
            assert set(protocol["bins"]) == {"0-30", "30-60", "60-90"}
            assert protocol["mean_face"]["n"] == protocol["n"]
    for counts in value["counts"].values():
        assert counts["source"] == counts["kept"] + sum(counts["reaped"].values())


def test_nothing_to_do_right_after_a_run(base):
    assert base.planned() == set()
    whole = base.snakemake(options=("-n",))
    assert "Nothing to be done" in whole.stdout + whole.stderr, whole.stdout + whole.stderr
    why = base.pipeline("why", TARGET, "--configfile", "small.yaml")
    assert "is up to date" in why.stdout, why.stdout + why.stderr
    for same in (f"./{TARGET}", str(base.path / TARGET)):
        assert base.pipeline("why", same, "--configfile", "small.yaml").stdout == why.stdout


def test_what_changes_no_byte_of_a_training_makes_nothing_run_again(base):
    assert base.planned("--config", "training={save_every: 1, memory_limit_mb: 0}") == set()


def test_the_digest_of_every_job_covers_what_it_imported(base):
    for path in (base.path / "results").rglob("*.run.json"):
        made = json.loads(path.read_text())
        loaded = {name for name in made["loaded"] if not name.startswith("pipeline.verbs")}
        kernels = {f"pipeline._kernels.{n.split()[1]}" for n in made["code"] if n.startswith("kernel ")}
        missing = (
            {n for n in loaded if not n.startswith("pipeline.jobs")} - UNCOVERED - kernels - set(made["code"])
        )
        assert not missing, f"{made['stage']}: {missing}"


@pytest.mark.parametrize(
    ("name", "before", "after", "expected", "cause"),
    [
        ("pipeline/stages/crop.py", "from __future__", "# a comment\nfrom __future__", set(), None),
        (
            "pipeline/geometry/frames.py",
            "return 90.0 / np.sqrt",
            "return 91.0 / np.sqrt",
            DETECT_AND_ON,
            "code pipeline.geometry.frames changed",
        ),
        (
            "small.yaml",
            "protocols: [nme68_2d, nme68_3d, head_pose]",
            "protocols: [nme68_2d, nme68_3d]",
            {"score", "evaluate"},
            "setting protocols.head_pose",
        ),
        (
            "ext/nms.pyx",
            '"""',
            '"""\n',
            DETECT_AND_ON,
            "code kernel nms changed",
        ),
    ],
    ids=["comment", "constant", "evaluation-setting", "kernel"],
)
def test_what_reruns_and_why(project, name, before, after, expected, cause):
    path = project.path / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    assert project.planned() == expected
    why = project.pipeline("why", TARGET, "--configfile", "small.yaml")
    assert why.returncode == 0, why.stderr
    assert (cause in why.stdout) if cause else ("is up to date" in why.stdout), why.stdout


def test_a_constant_of_the_crop_stage_reruns_crop_and_what_follows(project):
    source = (project.path / "pipeline/stages/crop.py").read_text(encoding="utf-8")
    (project.path / "pipeline/stages/crop.py").write_text(source + "\nMARGIN = 3\n", encoding="utf-8")
    planned = project.planned()
    assert "crop" in planned and "evaluate" in planned
    assert planned.isdisjoint({"synthesise", "source", "detect"})
    why = project.pipeline("why", TARGET, "--configfile", "small.yaml")
    assert "code pipeline.stages.crop changed" in why.stdout


def test_a_stale_kernel_is_refused(project):
    path = project.path / "ext/nms.pyx"
    path.write_text(path.read_text(encoding="utf-8") + "\n# another line\n", encoding="utf-8")
    done = project.pipeline("detect", "--dataset", "synth_test", "--shard", "0", "--configfile", "small.yaml")
    assert done.returncode == 1
    assert "make build" in done.stderr and "Traceback" not in done.stderr


TRAINED = "train/prn/seed0"


def test_two_runs_are_equal_to_the_byte_after_kills(project):
    """A crop shard half written and a training, killed at some step, end in the same bytes as the undisturbed run."""
    before = everything(project)
    for path in ("crop", "ground_truth", "reap", "pack", TRAINED, "infer", "score", "eval", "state"):
        subprocess.run(["rm", "-rf", str(project.path / "results" / path)], check=True)
    assert kill_when(project, "pipeline crop", "crop/**/.*.part")
    assert kill_when(project, "pipeline train", "state/**/state.pt")
    delay = random.uniform(0, 3)
    while not kill_when(project, "pipeline train", "pack/**/*.h5", delay):  # it was over: sooner
        subprocess.run(["rm", "-rf", str(project.path / "results" / TRAINED)], check=True)
        delay /= 2
    project.snakemake("--unlock")
    done = project.snakemake(TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything(project) == before


def kill_when(project, words, pattern, delay=0.0):
    """Start the run; SIGKILL all of it ``delay`` seconds after a job whose command holds ``words`` runs and some
    result matches ``pattern``. Whether that job was still running then."""
    command = [sys.executable, "-m", "snakemake", TARGET, "-j2", "--nolock", "--configfile", "small.yaml"]
    run = subprocess.Popen(
        command,
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    reached = False
    while run.poll() is None and not reached:
        assert time.monotonic() < deadline, f"{words} never ran"
        found = processes(project).values()
        reached = any(words in line for line in found) and any((project.path / "results").glob(pattern))
        time.sleep(0.005)
    time.sleep(delay)
    running = any(words in line for line in processes(project).values())
    while left := processes(project):
        for number in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        run.poll()
        time.sleep(0.02)
    run.wait()
    assert reached, f"the run ended before {words} was seen"
    return running


def processes(project):
    """Number -> command line of every live process whose folder is the project."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(project.path):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found
