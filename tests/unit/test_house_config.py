"""The configuration says the same in its classes, its schema and the shipped YAML, and speaks when it is wrong."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pipeline import registry, settings
from pipeline.keywords import constant_of
from pipeline.records import FacemillError

ROOT = Path(__file__).resolve().parents[2]
LEARNT = "datasets: [synth_train]"
PRESETS = sorted((ROOT / "workflow" / "presets").glob("*.yaml"))


def test_schema_file_is_the_schema_of_the_classes():
    shipped = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())
    assert shipped == settings.schema(), (
        "type: python -m pipeline schema > workflow/schemas/config.schema.json"
    )


def test_config_yaml_has_every_key_and_no_other():
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    parsed = settings.as_values(settings.parse(values))
    assert sorted(keys(parsed)) == sorted(keys(values))


def keys(values, prefix=""):
    """Dotted paths of all values; free-form blocks count as one value."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        if (isinstance(value, dict) and key not in {"settings", "task", "training"}) or path == "training":
            yield from keys(value, f"{path}.")
        else:
            yield path


def test_every_value_of_config_yaml_says_what_it_is_or_when_to_change_it():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    values = [line for line in lines if re.match(r"\s*[\w<]+:\s+[^&*#\s]", line)]
    assert len(values) > 100
    assert [line for line in values if "#" not in line] == []


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.stem)
def test_presets_are_valid(preset):
    settings.load([preset])


def test_systems_leaves_the_other_models_out():
    more = ["models.other={train: [synth_train], target: posmap96, settings: {size: 96}}"]
    assert "other" in settings.load((), more).models
    assert list(settings.load((), [*more, "systems=[prn]"]).models) == ["prn"]


def test_set_reaches_any_value_and_is_checked():
    assert settings.load((), ["training.lr=1e-4"]).training.lr == pytest.approx(1e-4)
    assert (
        settings.load((), ["datasets.synth_test.synthetic.pictures=7"])
        .datasets["synth_test"]
        .synthetic.pictures
        == 7
    )
    with pytest.raises(FacemillError, match=r"training\.lr: input should be greater than 0"):
        settings.load((), ["training.lr=-1"])
    with pytest.raises(FacemillError, match="expected key=value"):
        settings.load((), ["training.lr"])
    with pytest.raises(FacemillError, match="is not YAML"):
        settings.load((), ["training.seeds=[1"])


def test_what_is_no_config_file_is_one_line(tmp_path):
    with pytest.raises(FacemillError, match="cannot be read as a config file: Is a directory"):
        settings.load([tmp_path])
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG")
    with pytest.raises(FacemillError, match=r"picture\.yaml is not YAML"):
        settings.load([tmp_path / "picture.yaml"])


def test_a_number_without_a_point_is_one_among_free_keywords_too():
    config = settings.load((), ["models.prn.settings.bn_momentum=1e-2"])
    assert config.models["prn"].settings["bn_momentum"] == pytest.approx(0.01)


def test_what_a_class_says_of_itself_is_found_in_its_bases_too():
    module = registry.DATASETS.module
    found = {name: constant_of(module(name), name, "parameters") for name in registry.DATASETS}
    without = ["aflw", "aflw_lfpa", "bu4dfe", "florence", "photos", "scans", "youtube_faces"]
    assert sorted(name for name, value in found.items() if value is False) == without
    assert {name: getattr(registry.DATASETS[name], "parameters", None) for name in found} == found


def test_a_size_left_out_is_the_networks_own_default():
    values = settings.read_yaml(settings.DEFAULT)
    values["models"]["prn"]["settings"] = {}
    with pytest.raises(FacemillError, match=r"settings\.size: .*posmap96, 96, found 256"):
        settings.parse(values)
    values["targets"]["posmap96"]["size"] = 256
    settings.parse(values)


def test_the_side_of_the_map_is_the_targets_and_that_of_the_input_is_free():
    settings.load(assignments=["models.prn.settings.size=192", "models.prn.settings.map_size=96"])


def test_texts_of_the_command_line_become_the_numbers_of_keywords():
    values = settings.read_yaml(settings.DEFAULT)
    overlay = {"models": {"prn": {"settings": {"width": "8", "open_tail": "false", "bn_momentum": "1e-2"}}}}
    found = settings.parse(settings.merge(values, overlay)).models["prn"].settings
    assert found == {"width": 8, "size": 96, "open_tail": False, "bn_momentum": 0.01}


def test_null_on_the_command_line_is_null():
    values = settings.read_yaml(settings.DEFAULT)
    overlay = {"training": {"epochs": "null"}, "datasets": {"synth_other": "null"}}
    found = settings.parse(settings.merge(values, overlay))
    assert found.training.epochs is None and "synth_other" not in found.datasets


def test_an_unknown_key_in_a_shipped_networks_training_is_refused():
    values = settings.read_yaml(settings.DEFAULT)
    block = {"task": "fan", "datasets": ["synth_train"], "training": {"lrr": 1}}
    with pytest.raises(FacemillError, match="lrr"):
        settings.parse(settings.merge(values, {"shipped": {"fan": block}}))


def test_an_overlay_merges_dicts_replaces_lists_and_removes_by_null(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "datasets: {synth_test: {synthetic: {pictures: 9}}}\nevaluation: {protocols: [nme68_2d]}\n"
    )
    config = settings.load([overlay])
    assert config.datasets["synth_test"].synthetic.pictures == 9
    assert config.evaluation.protocols == ["nme68_2d"]
    assert len(config.datasets) == 2
    overlay.write_text(f"models: {{{', '.join(f'{name}: null' for name in config.models)}}}\n")
    with pytest.raises(FacemillError, match="models"):
        settings.load([overlay])


def test_the_papers_schedules_can_be_set():
    synergynet = (
        "training={optimiser: sgd, nesterov: true, lr: 0.08, weight_decay: 5e-4, schedule: milestones, "
        "milestones: [48, 64], step_factor: 0.2, warmup: 0, warmup_epochs: 5, epochs: 80, batch_size: 1024}"
    )
    assert settings.load((), [synergynet, "systems=[prn]"]).training.milestones == [48, 64]


def test_a_file_is_read_as_it_is_now_and_its_readers_share_nothing(tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text("training: {lr: 1}\n", encoding="utf-8")
    settings.read_yaml(path)["training"]["lr"] = 2
    assert settings.read_yaml(path) == {"training": {"lr": 1}}
    path.write_text("training: {lr: 3}\n", encoding="utf-8")
    assert settings.read_yaml(path) == {"training": {"lr": 3}}
