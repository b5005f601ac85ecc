"""``data list|verify|fetch`` and the stage ``fetch``, on a small table and a server of this machine."""

import dataclasses
import hashlib

import pytest
from file_server import refused_address, serving

from pipeline.__main__ import main
from pipeline.io import fetch, sources
from pipeline.io.files import read_json
from pipeline.io.sources import Source
from pipeline.io.tables import write_tsv
from tests.project import ROOT

DATA = b"weights" * 1000
SHA = hashlib.sha256(DATA).hexdigest()
TABLE = sources.TABLE
COLUMNS = tuple(field.name for field in dataclasses.fields(Source))


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A way to write the table of sources: id -> what differs from a row of weights in torch's cache."""
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sources, "TABLE", tmp_path / "sources.tsv")
    monkeypatch.chdir(tmp_path)

    def write(**rows):
        cells = []
        for name, changed in rows.items():
            plain = dict.fromkeys(COLUMNS, "") | {
                "id": name,
                "kind": "weights",
                "what": f"the network {name}",
                "file": f"${{TORCH_CACHE}}/{name}.pth",
                "commercial": "unknown",
            }
            cells.append([(plain | changed)[column] for column in COLUMNS])
        write_tsv(sources.TABLE, COLUMNS, cells)
        sources._table.cache_clear()

    yield write
    sources._table.cache_clear()


def put(tmp_path, name, data=DATA):
    """A file in torch's cache."""
    path = tmp_path / "torch/hub/checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_list_says_what_is_here_and_where(table, tmp_path, capsys):
    table(
        net={}, faces={"kind": "data set", "file": "", "folder": "${FACEMILL_DATA}/faces", "commercial": "no"}
    )
    path = put(tmp_path, "net.pth")
    (tmp_path / "data/faces").mkdir(parents=True)
    assert main(["data", "list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["id", "kind", "commercial", "here", "what"]
    assert lines[1] == ["net", "weights", "unknown", str(path), "the", "network", "net"]
    assert lines[2][:5] == ["faces", "data", "set", "no", "no"]
    (tmp_path / "data/faces/a.jpg").write_bytes(b"")
    main(["data", "list", "faces"])
    assert str(tmp_path / "data/faces") in capsys.readouterr().out


def test_list_works_without_the_users_folder(table, monkeypatch, capsys):
    table(faces={"file": "", "folder": "${FACEMILL_DATA}/faces"})
    monkeypatch.delenv("FACEMILL_DATA")
    assert main(["data", "list"]) == 0
    assert "no (FACEMILL_DATA is not set)" in capsys.readouterr().out


def test_verify_compares_what_is_here(table, tmp_path, capsys):
    table(good={"sha256": SHA}, bad={"sha256": SHA}, long={"size": "3"}, plain={}, gone={"sha256": SHA})
    for name in ("good", "long", "plain"):
        put(tmp_path, f"{name}.pth")
    bad = put(tmp_path, "bad.pth", b"another")
    assert main(["data", "verify"]) == 1
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert set(lines) == {"good", "bad", "long", "plain"}
    assert "has the published sha256" in lines["good"]
    assert f"{bad} is another file: expected a sha256 that begins {SHA[:16]}" in lines["bad"]
    assert "expected 3 bytes, found 7000" in lines["long"]
    assert "nobody has computed its sha256" in lines["plain"]
    assert main(["data", "verify", "good"]) == 0
    assert main(["data", "verify", "good", "gone"]) == 1
    assert (
        "gone: expected it here, found no; type: python -m pipeline data fetch gone"
        in capsys.readouterr().out
    )


def test_fetch_gets_what_it_can_and_says_what_a_person_does(table, tmp_path, capsys):
    with serving({"/net": DATA, "/faces.zip": DATA}) as server:
        table(
            net={"address": f"{server.address}/net"},
            gone={"address": f"{server.address}/gone"},
            faces={
                "address": f"{server.address}/faces.zip",
                "file": "${FACEMILL_DATA}/faces.zip",
                "steps": "then type: unzip ${FACEMILL_DATA}/faces.zip",
            },
            form={
                "address": "http://example.org",
                "file": "",
                "folder": "${FACEMILL_DATA}/f",
                "steps": "register at {address}",
            },
        )
        assert main(["data", "fetch", "net", "gone", "faces", "form"]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert f"net: {tmp_path}/torch/hub/checkpoints/net.pth, 7000 bytes" in lines
        assert any(line.startswith("gone: cannot fetch gone.pth") and "404" in line for line in lines)
        assert "faces: then type: unzip ${FACEMILL_DATA}/faces.zip" in lines
        assert "form: register at http://example.org" in lines
        assert main(["data", "fetch", "net", "faces"]) == 0
        assert [path for path, _ in server.asked].count("/net") == 1
        assert main(["data", "verify", "net", "faces"]) == 0
    assert "has the sha256 of its first fetch" in capsys.readouterr().out


def test_fetch_without_ids_gets_the_weights_that_the_config_reads(table, tmp_path, capsys):
    with serving({"/fan": DATA}) as server:
        table(
            **{"3dfan": {"address": f"{server.address}/fan"}, "other": {"address": f"{server.address}/other"}}
        )
        assert main(["data", "fetch"]) == 0
        assert "the config names nothing that a source provides" in capsys.readouterr().out
        assert main(["data", "fetch", "--set", "detection.fan_weights=library"]) == 0
        assert server.asked == [("/fan", 0)]


def test_fetch_finds_the_paths_of_a_config_at_which_the_table_puts_something(table, tmp_path, capsys):
    """Of each kind of path, with its variable or without; nothing of the user's own files is asked for."""
    (tmp_path / "mine.yaml").write_text(
        f"""
face_model: {{id: bfm2009, path: "${{FACEMILL_DATA}}/bfm", chart: "${{FACEMILL_DATA}}/bfm/BFM_UV.mat"}}
datasets:
  photos:
    reader: photos
    root: "${{FACEMILL_DATA}}/faces/train"
    labels: tddfa
    detection: {{detector: faceboxes, weights: {tmp_path}/data/w/boxes.pth}}
labelling: {{weights: "${{FACEMILL_DATA}}/w/../w/label.pth", statistics: "${{FACEMILL_DATA}}/w/mine.npz"}}
training: {{weights_png: "${{FACEMILL_DATA}}/mask.png"}}
"""
    )
    places = {"boxes": "w/boxes.pth", "label": "w/label.pth", "mask": "mask.png", "near": "w/boxes2.pth"}
    with serving({f"/{name}": DATA for name in places}) as server:
        rows = {
            name: {"file": f"${{FACEMILL_DATA}}/{place}", "address": f"{server.address}/{name}"}
            for name, place in places.items()
        }
        form = {"address": "http://example.org", "steps": "register at {address}"}
        rows["model"] = form | {"file": "${FACEMILL_DATA}/bfm/model.mat", "kind": "face model"}
        rows["faces"] = form | {"file": "", "folder": "${FACEMILL_DATA}/faces"}
        rows["face"] = form | {"file": "", "folder": "${FACEMILL_DATA}/face"}
        table(**rows)
        assert main(["data", "fetch", "--configfile", "mine.yaml"]) == 1
        lines = [line.split(": ") for line in capsys.readouterr().out.splitlines()]
        assert [line[0] for line in lines] == ["boxes", "faces", "label", "mask", "model"]
        assert lines[1][1] == lines[4][1] == "register at http://example.org"
        assert sorted(path for path, _ in server.asked) == ["/boxes", "/label", "/mask"]


def test_fetch_for_the_photos_preset_gets_its_detector_and_its_labeller(table, tmp_path, monkeypatch, capsys):
    """With the table as it is and an empty folder of the user's."""
    monkeypatch.undo()
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path / "empty"))
    sources._table.cache_clear()
    asked = []
    monkeypatch.setattr(fetch, "fetch", lambda row: asked.append(row.id) or TABLE)
    assert main(["data", "fetch", "--configfile", str(ROOT / "workflow/presets/photos.yaml")]) == 0
    assert {"faceboxes", "mb05"} <= set(asked)


def test_the_stage_leaves_a_note_that_is_the_same_whether_it_had_to_fetch(table, tmp_path, capsys):
    with serving({"/fan": DATA}) as server:
        table(**{"3dfan": {"address": f"{server.address}/fan"}})
        notes = []
        for _ in range(2):
            assert main(["fetch", "--source", "3dfan"]) == 0, capsys.readouterr().err
            notes.append((tmp_path / "results/fetch/3dfan.json").read_bytes())
        assert server.asked == [("/fan", 0)]
    assert notes[0] == notes[1]
    assert read_json(tmp_path / "results/fetch/3dfan.json") == {
        "source": "3dfan",
        "file": "3dfan.pth",
        "size": 7000,
        "sha256": SHA,
    }


def test_the_stage_without_a_network_is_one_line_with_file_folder_and_command(table, tmp_path, capsys):
    table(**{"3dfan": {"address": refused_address()}})
    assert main(["fetch", "--source", "3dfan"]) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "cannot fetch 3dfan.pth" in text and f"put the file into {tmp_path}/torch/hub/checkpoints" in text
    assert "python -m pipeline data fetch 3dfan" in text
    assert not (tmp_path / "results/fetch/3dfan.json").exists()


def test_the_stage_refuses_what_stands_behind_a_form(table, capsys):
    table(form={"address": "http://example.org", "steps": "register"})
    assert main(["fetch", "--source", "form"]) == 1
    assert "type: python -m pipeline data fetch form" in capsys.readouterr().err
