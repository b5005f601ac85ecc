"""The papers' preset on two dozen pictures in the published layout: from the folders to the tables."""

import json

from pipeline import settings
from tests.project import ROOT, fresh
from tests.published import face_300w_lp, npz_model

PICTURES = 24
SYSTEMS = tuple(settings.load((ROOT / "workflow/presets/300w_lp.yaml",), ("systems=null",)).models)
SMALL = ("shards=1", "training={epochs: null, updates: 2, batch_size: 2, validate_every: 2, threads: 1}")


def test_from_300w_lp_and_aflw2000_3d_to_the_tables(tmp_path):
    project, data = fresh(tmp_path / "project"), tmp_path / "data"
    model = face_300w_lp(data / "300W_LP", data / "AFLW2000", PICTURES)
    npz_model(model, data / "bfm/bfm_sim.npz")
    preset = "workflow/presets/300w_lp.yaml"
    done = project.run(
        "snakemake", "--configfile", preset, "-j2", "--config", *SMALL, "--", "tables", FACEMILL_DATA=str(data)
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    value = json.loads((project.path / "results/300w_lp/eval/prn.json").read_text())
    kept = {name: counts["kept"] for name, counts in value["counts"].items()}
    assert kept == {"face_300w_lp": 16, "aflw2000_3d": 8}
    assert value["benchmarks"]["aflw2000_3d"]["evaluated"] == 8
    assert value["benchmarks"]["aflw2000_3d"]["protocols"]["nme68_2d"]["mean_face"]["plain"] > 0
    tables = list((project.path / "results/300w_lp/tables").glob("*.md"))
    assert tables and all("prn" in table.read_text().lower() for table in tables)
    planned = project.run(
        "snakemake", "--configfile", preset, "-n", "--config", "systems=null", "--", "tables", FACEMILL_DATA=str(data)
    )  # fmt: skip
    assert planned.returncode == 0, planned.stdout + planned.stderr
    trained = {
        line.split("model=")[1].split(",")[0] for line in planned.stdout.splitlines() if "model=" in line
    }
    assert trained >= set(SYSTEMS) - {"prn"}
