"""Verbs that are no stage look for the same files, and refuse the same kernels, as the stages do."""

import safetensors.torch
import torch

from pipeline import _kernels
from pipeline.__main__ import main
from pipeline.io.files import read_json, write_json
from pipeline.stages import ship

WEIGHTS = ("evaluate", "--model", "prn", "--weights", "mine.safetensors", "--protocol", "nme68_2d")


def test_a_picture_is_drawn_from_the_models_own_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["picture", "--model", "prn", "--benchmark", "synth_test", "--out", "chain.png"]
    assert main([*arguments, "--set", "models.prn.training.seeds=[3]"]) == 1
    assert "no input results/score/prn/seed3/synth_test.tsv" in capsys.readouterr().err


def test_a_given_checkpoint_is_not_scored_by_stale_kernels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(WEIGHTS) == 1
    assert "no input mine.safetensors" in capsys.readouterr().err
    monkeypatch.setattr(_kernels, "source_digest", lambda name: "another")
    assert main(WEIGHTS) == 1
    assert "make build" in capsys.readouterr().err


def test_a_shipped_card_says_from_which_seed_its_pictures_were_drawn(tmp_path, monkeypatch):
    trained, package = tmp_path / "shipped/fan", tmp_path / "package"
    trained.mkdir(parents=True)
    safetensors.torch.save_file({"a": torch.ones(3)}, trained / "weights.safetensors")
    write_json(trained / "card.json", {"parameters": 3, "seed": 0})
    whole = ship.ship
    monkeypatch.setattr(ship, "ship", lambda *arguments: whole(*arguments, package))
    assert main(["ship", "fan", "--set", f"results={tmp_path}", "--set", "seed=7001"]) == 0
    card = read_json(package / "fan.json")
    assert (card["pictures_seed"], card["seed"], card["precision"]) == (7001, 0, "float16")
