"""The tables of sources and licences hold together, and a model's licences are those of all that went into it."""

import ast
import re
import urllib.parse

import numpy as np
import pytest

from pipeline import jobs, settings
from pipeline.datasets import aflw, licences
from pipeline.detect import loading
from pipeline.io import published, sources
from pipeline.io.files import read_json, write_json
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.jobs.data import located
from pipeline.morphable import load_face_model
from pipeline.records import SOURCE_COLUMNS, FacemillError
from pipeline.stages import source as source_stage
from pipeline.stages import train
from pipeline.verbs import export
from tests.project import ROOT

ROWS = list(sources.sources().values())
WORDS = {"yes", "no", "unknown"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_source_is_complete(row):
    assert re.fullmatch(r"\w+", row.id)
    assert row.kind in {"data set", "face model", "weights"}
    assert row.what and row.licence and row.citation
    assert row.file or row.folder
    assert {row.commercial, row.redistribution} <= WORDS
    assert urllib.parse.urlsplit(row.address).scheme in {"http", "https"}
    assert row.direct or row.steps
    for place in filter(None, (row.file, row.folder)):
        assert place.startswith(("${FACEMILL_DATA}/", "${TORCH_CACHE}/")) and ".." not in place
    assert re.fullmatch(r"|[0-9a-f]{64}", row.sha256) and re.fullmatch(r"|\d+", row.size)


def test_ids_and_places_are_told_apart():
    assert len(sources.sources()) == len(read_tsv(sources.TABLE))
    places = [row.file for row in ROWS if row.file]
    assert len(set(places)) == len(places)


def test_the_weights_that_detection_looks_for_are_those_of_the_table():
    of_detectors = {name for names in published.LIBRARY_DETECTORS.values() for name in names}
    assert published.FILES.keys() == {"2dfan", "3dfan", "depth"} | of_detectors
    assert published.FILES["3dfan"].url.endswith("/3DFAN4-7835d9f11d.pth.tar")


def test_the_crops_that_the_reader_of_aflw_takes_have_a_row_of_their_own():
    raw, crops = sources.source("aflw"), sources.source("aflw_3ddfa")
    assert raw.steps.endswith(crops.id) and crops.licence == raw.licence == aflw.LICENCE
    for folder in ("test.data", "test.configs"):
        assert folder in crops.steps
    assert sources.providing("${FACEMILL_DATA}/aflw_3ddfa") == [crops]


def test_an_unknown_source_is_named_with_what_was_meant():
    with pytest.raises(FacemillError, match=r"unknown source '3dfam'.*Did you mean '3dfan'"):
        sources.source("3dfam")


def texts_in_code():
    """Every licence that a reader, a face model or a stage writes, found in the source."""
    for room in ("datasets", "morphable", "stages"):
        for path in sorted((ROOT / "pipeline" / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = isinstance(node, ast.Assign) and any(
                    isinstance(t, ast.Name) and t.id.upper().endswith("LICENCE") for t in node.targets
                )
                given = isinstance(node, ast.keyword) and node.arg == "licence"
                if (named or given) and isinstance(node.value, ast.Constant):
                    yield f"{path.stem}", node.value.value


@pytest.mark.parametrize(("where", "licence"), sorted(set(texts_in_code())))
def test_every_licence_that_the_code_writes_is_in_the_tables(where, licence):
    assert licence in licences.verdicts()


def test_verdicts_are_of_whole_texts():
    assert licences.verdict("MIT") == "yes"
    assert licences.verdict("Basel Face Model 2009: research only, not to be passed on") == "no"
    for text in ("MIT ", "mit", "MIT; but not for that", "", "own picture"):
        assert licences.verdict(text) == "unknown"
    assert set(licences.verdicts().values()) <= WORDS


def test_one_text_has_one_verdict(monkeypatch):
    import dataclasses

    rows = {"a": ROWS[0], "b": dataclasses.replace(ROWS[0], commercial="yes")}
    monkeypatch.setattr(sources, "sources", lambda: rows)
    licences.verdicts.cache_clear()
    try:
        with pytest.raises(FacemillError, match="in one row and not in another"):
            licences.verdicts()
    finally:
        monkeypatch.undo()
        licences.verdicts.cache_clear()


def card_of(config, tmp_path, model="prn", rows=None):
    """The licences in the card of a model, without training it: by the job's own settings and its pictures' rows."""
    job = jobs.job(config, "train", model=model, seed=0)
    tables = []
    for path in job.inputs["source"]:
        tables.append(tmp_path / path.rsplit("/", 1)[1])
        licence = (rows or {}).get(tables[-1].stem, source_stage.SYNTHETIC_LICENCE)
        write_tsv(tables[-1], SOURCE_COLUMNS, [["x"] * 7 + [licence]])
    files = {key: [str(located(path)) for path in job.inputs[key]] for key in ("weights", "drawings")}
    inputs = {"source": tables, **files}
    face = load_face_model(config.face_model.id, config.face_model.path)
    return train._licences(inputs, job.settings, face)


def test_the_default_is_made_of_nothing_but_our_own(tmp_path):
    found = card_of(settings.load(), tmp_path)
    networks = {"box detector of synth_train": "detector", "landmark network of synth_train": "fan"}
    expected = {"MIT": {"face model procedural"}, source_stage.SYNTHETIC_LICENCE: {"pictures of synth_train"}}
    for what, name in networks.items():
        for licence, parts in read_json(loading.SHIPPED / f"{name}.json")["licences"].items():
            expected[licence] |= {f"{what}: {part}" for part in parts}
    assert found == {licence: sorted(parts) for licence, parts in expected.items()}
    assert {licences.verdict(text) for text in found} == {"yes"}


def test_fetched_weights_stand_under_their_sources_licence(tmp_path):
    config = settings.load((), ["detection.fan_weights=library", f"results={tmp_path}/results"])
    assert jobs.job(config, "detect", dataset="synth_train", shard=0).inputs["fetched"] == [
        f"{tmp_path}/results/fetch/3dfan.json"
    ]
    write_json(tmp_path / "results/fetch/3dfan.json", {"source": "3dfan"})
    licence = sources.source("3dfan").licence
    assert card_of(config, tmp_path)[licence] == ["landmark network of synth_train: weights 3dfan"]


def test_charts_and_masks_are_known_by_their_bytes_and_forbid_what_their_terms_forbid(tmp_path, monkeypatch):
    """PRNet's mask under any name, a user's own mask and charts of the face model and of a data set's own."""
    import dataclasses

    chart = load_face_model("procedural")
    for name in ("one", "two"):
        np.savez(tmp_path / f"{name}.npz", uv=chart.uv, uv_triangles=chart.uv_triangles)
    for name in ("weights", "face"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    prnet = sources.source("prnet_weight_mask")
    row = dataclasses.replace(prnet, sha256=licences.sha256_of(tmp_path / "weights.png"))
    rows = {**sources.sources(), row.id: row}
    monkeypatch.setattr(sources, "sources", lambda: rows)
    overlay = [
        f"face_model.chart={tmp_path}/one.npz",
        f"datasets.synth_train.face_model={{id: procedural, chart: {tmp_path}/two.npz}}",
        f"training.weights_png={tmp_path}/weights.png",
    ]
    found = card_of(settings.load((), overlay), tmp_path)
    assert found[row.licence] == ["training.weights_png: prnet_weight_mask"]
    assert found["file of unknown terms"] == [
        "chart of the face model of synth_train: two.npz",
        "chart of the face model: one.npz",
    ]
    forbidding = list(export.forbids({"licences": found}))
    assert len(forbidding) == 2 and all("terms unknown, which allows nothing" in text for text in forbidding)
    own = settings.load((), [*overlay[2:], f"models.prn.training.weights_face_png={tmp_path}/face.png"])
    assert card_of(own, tmp_path)["file of unknown terms"] == ["training.weights_face_png: face.png"]


def test_weights_are_known_by_their_card_or_their_bytes(tmp_path, monkeypatch):
    import dataclasses

    plain = tmp_path / "renamed.pth"
    plain.write_bytes(b"published")
    row = dataclasses.replace(sources.source("mb05"), sha256=licences.sha256_of(plain))
    monkeypatch.setattr(sources, "sources", lambda: {"mb05": row})
    (tmp_path / "other.pth").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    warm = tmp_path / "out/weights.safetensors"
    warm.write_bytes(b"trained")
    write_json(tmp_path / "out/card.json", {"licences": {"MIT": ["face model procedural"]}})
    files = [(plain, "labeller"), (tmp_path / "other.pth", "box detector"), (warm, "warm start")]
    assert licences.joined(licences.of_weights((str(path), what) for path, what in files)) == {
        row.licence: ["labeller: weights mb05"],
        "MIT": ["warm start: face model procedural"],
        "weights of unknown terms": ["box detector: weights other.pth"],
    }


def test_a_data_sets_own_face_model_and_a_warm_start_are_in_the_job():
    overlay = [
        "datasets.synth_train.face_model={id: npz, path: model.npz}",
        "training.init_from=start/weights.safetensors",
    ]
    job = jobs.job(settings.load((), overlay), "train", model="prn", seed=0)
    assert job.inputs["face_model"] == ["model.npz"]
    assert job.settings["face_models"] == [
        {"id": "npz", "path": "model.npz", "chart": None, "dataset": "synth_train"}
    ]
    assert job.inputs["weights"][-1] == "start/weights.safetensors"
    assert job.settings["weights_did"][-1] == "warm start"
    assert len(job.inputs["weights"]) == len(job.settings["weights_did"]) == 3
