"""All systems of the default learn and answer on a GPU, and learn the same twice."""

import hashlib
import json

import pytest
import yaml
from test_systems import OVERLAY, SYSTEMS

from tests.project import fresh

pytestmark = pytest.mark.gpu

ON_GPU = yaml.safe_load(OVERLAY)
ON_GPU["datasets"].pop("photos")
ON_GPU["models"]["2dasl"].pop("unlabelled")
ON_GPU["training"] |= {"device": "cuda", "workers": 2}
SIDE_BY_SIDE = ("--resources", "gpu=4", "trainings=4", "-j8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which ``snakemake tables`` has trained and compared every system on a GPU."""
    project = fresh(tmp_path_factory.mktemp("gpu") / "project")
    (project.path / "gpu.yaml").write_text(yaml.safe_dump(ON_GPU), encoding="utf-8")
    done = project.snakemake("tables", options=("gpu.yaml", *SIDE_BY_SIDE))
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def digests(project):
    return {
        name: hashlib.sha256(
            (project.path / f"results/train/{name}/seed0/weights.safetensors").read_bytes()
        ).hexdigest()
        for name in SYSTEMS
    }


def test_every_system_learns_and_answers_there(project):
    results = project.path / "results"
    for name in SYSTEMS:
        for output in (f"train/{name}/seed0/weights.safetensors", f"infer/{name}/seed0/synth_test.h5"):
            host = json.loads((results / f"{output}.run.json").read_text())["host"]
            assert host["gpu"] and host["peak_gpu_memory_mb"] > 0, output
        assert "computes on cuda" in (results / f"logs/train/{name}/0.log").read_text()
        assert (results / f"eval/{name}.json").is_file()


def test_every_system_learns_the_same_twice(project):
    first = digests(project)
    (project.path / "results/train").rename(project.path / "results/train_first")
    targets = [f"results/train/{name}/seed0/weights.safetensors" for name in SYSTEMS]
    done = project.snakemake(*targets, options=("gpu.yaml", *SIDE_BY_SIDE))
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(project) == first
