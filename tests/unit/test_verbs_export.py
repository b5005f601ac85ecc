"""``export``: a model goes out with its card and its notice, or every licence that forbids it is named."""

import pytest

from pipeline.__main__ import main
from pipeline.datasets.aflw2000_3d import LICENCE as AFLW
from pipeline.io.files import read_json, sha256_of, write_json
from pipeline.stages.source import SYNTHETIC_LICENCE
from tests.project import ROOT

SHIPPED = read_json(ROOT / "pipeline/detect/weights/detector.json")["licences"]
BFM = "Basel Face Model 2009: research only, not to be passed on"
CLEAN = {
    "MIT": ["face model procedural", *SHIPPED["MIT"]],
    SYNTHETIC_LICENCE: ["pictures of synth_train", *SHIPPED[SYNTHETIC_LICENCE]],
}
REAL = {BFM: ["face model bfm_sim"], AFLW: ["pictures of aflw2000_train"], "MIT": ["something of ours"]}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A way to leave a trained model with a card that lists these licences."""
    monkeypatch.chdir(tmp_path)

    def leave(licences, seed=0):
        folder = tmp_path / f"results/train/prn/seed{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights.safetensors").write_bytes(b"weights")
        digest = sha256_of(folder / "weights.safetensors")
        card = {"model": "prn", "seed": seed, "licences": licences, "sha256": digest}
        write_json(folder / "card.json", {name: value for name, value in card.items() if value is not None})
        return folder

    return leave


def export(allow, *more):
    return main(["export", "--model", "prn", "--allow", allow, *more])


def test_a_model_of_our_own_pictures_goes_out_for_products(trained, tmp_path, capsys):
    folder = trained(CLEAN)
    assert export("commercial") == 0
    out = tmp_path / "exported/prn_seed0"
    assert sorted(path.name for path in out.iterdir()) == ["NOTICE.txt", "card.json", "weights.safetensors"]
    assert (out / "weights.safetensors").read_bytes() == (folder / "weights.safetensors").read_bytes()
    assert read_json(out / "card.json") == read_json(folder / "card.json") | {"exported_for": "commercial"}
    text = (out / "NOTICE.txt").read_text()
    assert all(licence in text for licence in CLEAN) and text.count("commercial use: yes") == 2
    assert "All licences listed here allow commercial use" in capsys.readouterr().out


def test_a_model_made_with_bfm_and_aflw_is_refused_with_both(trained, tmp_path, capsys):
    trained(REAL)
    assert export("commercial") == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert f"{BFM} (face model bfm_sim)" in text and f"{AFLW} (pictures of aflw2000_train)" in text
    assert "MIT" not in text
    assert not (tmp_path / "exported").exists()


def test_the_same_model_goes_out_for_research_with_a_note(trained, tmp_path, capsys):
    trained(REAL, seed=3)
    assert export("research", "--seed", "3", "--out", "there") == 0
    text = (tmp_path / "there/NOTICE.txt").read_text()
    assert "Exported for research" in text and text.count("commercial use: no") == 2
    assert "Exported for research" in capsys.readouterr().out


@pytest.mark.parametrize("licences", [{"terms that nobody has read": ["weights x"]}, {}, None])
def test_what_nobody_has_read_allows_nothing(trained, licences, capsys):
    trained(licences)
    assert export("commercial") == 1
    text = capsys.readouterr().err
    assert ("terms unknown, which allows nothing" if licences else "its card lists no licences") in text


def test_an_untrained_model_and_a_card_of_other_weights_are_one_line(trained, capsys):
    assert export("commercial") == 1
    assert "type: snakemake -j8 results/train/prn/seed0/weights.safetensors" in capsys.readouterr().err
    (trained(CLEAN) / "weights.safetensors").write_bytes(b"others")
    assert export("research") == 1
    assert "is not the card of" in capsys.readouterr().err
    assert main(["export", "--model", "pnr", "--allow", "research"]) == 1
    assert "Did you mean 'prn'" in capsys.readouterr().err
