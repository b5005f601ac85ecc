"""The stage table on what its job names: trained models and predictions that were given, in one table."""

import csv
import json

from table_world import World, spread_out

from pipeline.jobs import evaluation
from pipeline.settings import DEFAULT, merge, parse, read_yaml
from pipeline.stages import table
from pipeline.tables.results import results_of

THEIRS = {
    "systems": ["prn"],
    "evaluation": {"protocols": ["nme68_2d"], "given": {"theirs": {"synth_test": "theirs.npz"}}},
}


def made(tmp_path):
    """Inputs and settings of the job of a table, with files of a small run in the inputs' places."""
    config = parse(merge(read_yaml(DEFAULT), THEIRS))
    inputs, settings, _ = evaluation.table(config, table="models")
    world = World(tmp_path, settings["protocols"])
    for model, values in (("prn", spread_out(4.0)), ("theirs", spread_out(3.0))):
        world.add(model, "synth_test", {"nme68_2d": values})
        (tmp_path / f"{model}.json").write_text(json.dumps(world.evaluations[model]))
    assert [path.rsplit("/", 1)[-1] for path in inputs["evaluations"]] == ["prn.json", "theirs.json"]
    inputs["evaluations"] = [str(tmp_path / path.rsplit("/", 1)[-1]) for path in inputs["evaluations"]]
    assert len(inputs["scores"]) == len(world.runs) == 2
    return {**inputs, "scores": [run.scores for run in world.runs]}, settings


def test_predictions_that_were_given_stand_beside_the_models_of_the_chain(tmp_path):
    inputs, settings = made(tmp_path)
    results = results_of(inputs, settings)
    assert [run.model for run in results.of("synth_test")] == ["prn", "theirs"]
    assert results.of("synth_test", "theirs")[0].predictions is None
    outputs = {form: str(tmp_path / f"table.{form}") for form in ("markdown", "csv", "latex")}
    parts = {"inputs": inputs, "outputs": outputs, "settings": settings, "attributes": {}}
    for name, column in (("models", "model"), ("prn_table1", "model"), ("comparison", "second")):
        table.run(**parts, wildcards={"table": name})
        with open(outputs["csv"], encoding="utf-8") as file:
            assert "theirs" in {row[column] for row in csv.DictReader(file)}
        for form in ("markdown", "latex"):
            assert "theirs" in (tmp_path / f"table.{form}").read_text(encoding="utf-8")
