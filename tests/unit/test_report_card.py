"""Learning curves and model cards: from what trainings and the evaluator leave to what a person reads."""

import json
import re

import cv2
import numpy as np
import pytest
import table_world
import training_world

from pipeline import jobs, registry
from pipeline.io.files import read_json, write_json, write_text
from pipeline.records import FacemillError
from pipeline.settings import load
from pipeline.stages import card as card_stage
from pipeline.stages import learning_curves as curves_stage
from pipeline.tables.figures.learning_curves import learning_curves
from pipeline.tables.figures.page import Page

SETS = [{"name": "faces", "reader": "face_300w_lp", "labels": "annotation", "made": True}]


def history(seed, best=600, parts=("map", "edge")):
    """Losses that fall, and validations that are best at one update."""
    random = np.random.default_rng(seed)
    rows = []
    for update in range(100, 1300, 100):
        each = {name: float(random.uniform(1, 2) * 10 / update / (1 + at)) for at, name in enumerate(parts)}
        rows.append({"update": update, "lr": 1e-3, "loss": sum(each.values()), "parts": each})
        if update % 200 == 0:
            rows.append(
                {"update": update, "validation": {"selection": 5 + abs(update - best) / 100, "xyz": 9.0}}
            )
    return rows


@pytest.fixture
def said(monkeypatch):
    """All words that a page shows outside its panels, and the lines that its panels draw."""
    from matplotlib.axes import Axes

    words, lines = [], []
    text, plot = Page.text, Axes.plot
    monkeypatch.setattr(
        Page, "text", lambda self, word, **more: (words.append(word), text(self, word, **more))[1]
    )
    monkeypatch.setattr(
        Axes,
        "plot",
        lambda self, x, y, *a, **k: (lines.append((np.array(x), np.array(y))), plot(self, x, y, *a, **k))[1],
    )
    return words, lines


def test_curves_show_every_part_seed_and_figure_and_mark_what_was_kept(said):
    words, lines = said
    drawn = learning_curves("prn", {"0": history(0), "4": history(4, best=1000)})
    assert drawn.svg() == learning_curves("prn", {"0": history(0), "4": history(4, best=1000)}).svg()
    assert {"training losses, weighted", "validation: selection", "validation: xyz"} <= set(words)
    curves = [y for x, y in lines if np.size(x) == 12]
    assert len(curves) == 2 * (2 * 3 + 2)
    losses = [record["parts"]["edge"] for record in history(4) if "loss" in record]
    assert any(np.allclose(y, losses) for y in curves)
    marked = [(int(x), float(y)) for x, y in lines if np.size(x) == 1]
    assert marked[:4] == [(600, 5.0), (1000, 5.0), (600, 9.0), (1000, 9.0)]


def test_curves_of_one_part_without_validation_say_so(said):
    words, lines = said
    learning_curves("prn", {"0": [row for row in history(0, parts=("map",)) if "loss" in row]})
    assert "Nothing was held out: there is no validation, and the last weights were kept." in words
    assert len([x for x, _ in lines if len(x) == 12]) == 2


def write_world(root):
    """A trained model of one seed with its record, and its evaluation."""
    training_world.run(root)
    for name in ("card.json", "history.jsonl"):
        write_text(root / f"train/prn/seed3/{name}", (root / "out" / name).read_text())
    record = {"seconds": 41.6, "host": {"processors": 2}}
    write_json(root / "train/prn/seed3/card.json.run.json", record)
    world = table_world.World(root, ["nme68_2d", "head_pose"])
    values = {"a": 2.0, "b": 2.0, "c": 4.0, "d": 4.0, "e": 9.0, "f": None}
    world.add("prn", "test", {"nme68_2d": values, "head_pose": dict.fromkeys(values, "no | pose")})
    write_json(root / "eval/prn.json", world.evaluations["prn"])


def test_a_card_joins_trainings_licences_and_results(tmp_path, monkeypatch):
    write_world(tmp_path)
    curves = {name: str(tmp_path / f"train/prn/curves.{name}") for name in ("svg", "png")}
    wildcards = {"model": "prn"}
    inputs = {"history": [str(tmp_path / "train/prn/seed3/history.jsonl")]}
    curves_stage.run(
        inputs=inputs, outputs=curves, settings={"seeds": [3]}, wildcards=wildcards, attributes={}
    )
    assert cv2.imread(curves["png"]).shape[1] == 1600
    outputs = {"markdown": str(tmp_path / "cards/prn.md"), "card": str(tmp_path / "cards/prn.json")}
    inputs = {
        "cards": [str(tmp_path / "train/prn/seed3/card.json")],
        "evaluation": str(tmp_path / "eval/prn.json"),
        "curves": curves["png"],
    }
    settings = {"seeds": [3], "about": registry.MODELS.said("prn"), "sets": SETS}
    made = {
        "inputs": inputs,
        "outputs": outputs,
        "settings": settings,
        "wildcards": wildcards,
        "attributes": {},
    }
    card_stage.run(**made)
    page, card = (tmp_path / "cards/prn.md").read_text(), read_json(outputs["card"])
    trained = read_json(inputs["cards"][0])
    picture = re.search(r"!\[[^]]+\]\((.+?)\)", page)[1]
    assert (tmp_path / "cards" / picture).resolve() == tmp_path / "train/prn/curves.png"
    assert "Original code: github.com/yfeng95/PRNet" in page
    for value in (
        "42 s, 2 processors",
        "7 of 7",
        f"{trained['parameters']:,} parameters",
        trained["data_digest"][:16],
    ):
        assert value in page, value
    assert "| test | nme68_2d | 5.00 % | 5.00 % to 5.00 % | – | 20.00 % | 5 | 1 |" in page
    assert "| test | head_pose | – | – | – | 20.00 deg | 0 | 1 |" in page
    terms = {text: each["commercial"] for text, each in card["licences"].items()}
    assert terms == {"CC0": "unknown", "none": "unknown"} and card["commercial"] == "unknown"
    limits = card["limits"]
    assert "Not for products: some terms are unknown (see the licences)." in limits
    assert "On test 1 of 6 pictures have no usable prediction." in limits
    assert "One seed: how much trainings differ is not known." in limits
    assert any(each.startswith("It has seen rendered faces only") for each in limits)
    assert "On test nothing under head_pose: no | pose." in limits
    assert "goes from 2.00 % at 0-30 degrees of yaw to 9.00 % at 60-90." in " ".join(limits)
    tables = [line for line in page.splitlines() if line.startswith("| test")]
    assert len({line.count("|") for line in tables}) == 1
    (tmp_path / "train/prn/seed3/card.json.run.json").unlink()
    card_stage.run(**made)
    assert read_json(outputs["card"])["seeds"]["3"]["time"] is None


def test_a_damaged_history_is_one_line(tmp_path):
    (tmp_path / "h").write_text("{\n")
    with pytest.raises(FacemillError, match=r"h: expected a JSON record in each line"):
        curves_stage.read_history(tmp_path / "h")


def test_the_card_of_a_model_waits_for_all_its_seeds_and_says_what_its_sets_are():
    config = load((), ["training.seeds=[0, 2]"])
    job = jobs.job(config, "card", model="prn")
    assert [path.split("/")[-2] for path in job.inputs["cards"]] == ["seed0", "seed2"]
    assert job.settings["sets"] == [
        {"name": "synth_train", "reader": "face_300w_lp", "labels": "annotation", "made": True}
    ]
    assert "What we changed" in job.settings["about"]
    curves = jobs.job(config, "learning_curves", model="prn")
    assert curves.outputs["svg"] == "results/train/prn/curves.svg" and len(curves.inputs["history"]) == 2
    assert json.loads(curves.as_json())["settings"] == {"seeds": [0, 2]}
