"""Published weights are seen to once, before any job that reads them, and only where the config asks for them."""

import re
import sys
from pathlib import Path

import pytest

from tests.project import TARGET, fresh

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from file_server import refused_address, serving

LIBRARY = "detection={fan_weights: library}"
NOTE = "results/fetch/3dfan.json"
DATA = b"a network" * 1000


@pytest.fixture
def project(tmp_path):
    """A project without results, whose torch looks for weights in an empty folder."""
    return fresh(tmp_path / "project")


def planned(project, *options):
    """How often each rule would run for the JSON."""
    done = project.snakemake(TARGET, options=("-n", *options))
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M)
    return {rule: int(count) for rule, count in counts}


def at(project, address):
    """Let the table say that the published FAN stands at an address of this machine."""
    table = project.path / "pipeline/datasets/sources.tsv"
    text = table.read_text(encoding="utf-8")
    changed = re.sub(r"https://\S+/3DFAN4-\S+\.pth\.tar", f"{address}/fan", text)
    changed = changed.replace("3DFAN4-7835d9f11d.pth.tar", "fan.pth.tar")
    assert changed != text
    table.write_text(changed, encoding="utf-8")


def run(project):
    """Snakemake as far as the note, with torch's cache in the project."""
    options = [NOTE, "-j2", "--configfile", "small.yaml", "--config", LIBRARY]
    cache = {"TORCH_HOME": str(project.path / "torch"), "no_proxy": "127.0.0.1"}
    return project.run("snakemake", *options, **cache)


def test_all_detections_wait_for_one_fetch(project):
    with_library = planned(project, "--config", LIBRARY)
    assert with_library["fetch"] == 1 and with_library["detect"] == 4
    assert "fetch" not in planned(project)


def test_a_run_fetches_what_is_missing_and_nothing_that_is_there(project):
    with serving({"/fan": DATA}) as server:
        at(project, server.address)
        done = run(project)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (project.path / "torch/hub/checkpoints/fan.pth.tar").read_bytes() == DATA
        (project.path / NOTE).unlink()
        assert run(project).returncode == 0
        assert server.asked == [("/fan", 0)]
        assert "Nothing to be done" in run(project).stderr


def test_without_a_network_the_log_says_in_one_line_what_to_do(project):
    at(project, refused_address())
    done = run(project)
    assert done.returncode == 1
    log = (project.path / "results/logs/fetch/3dfan.log").read_text()
    assert log.count("\n") == 1 and "Connection refused" in log
    assert f"put the file into {project.path}/torch/hub/checkpoints" in log
    assert "python -m pipeline data fetch 3dfan" in log
