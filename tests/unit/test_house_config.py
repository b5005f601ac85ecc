"""The configuration says the same in its classes, its schema and the shipped YAML, and speaks when it is wrong."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pipeline import registry, settings
from pipeline.jobs.truth import truth_of
from pipeline.keywords import constant_of, keywords_of
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


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("trainign.lr=1", "unknown key 'trainign'.*Did you mean 'training'"),
        ("training.batch_sise=1", "unknown key 'batch_sise'.*Did you mean 'batch_size'"),
        ("datasets.synth_test.synthetic.picture=1", "unknown key 'picture'.*Did you mean 'pictures'"),
        ("models.prn.model=pnr", "unknown model 'pnr'.*Did you mean 'prn'"),
        ("models.prn.target=posmap69", "unknown target 'posmap69'.*Did you mean 'posmap96'"),
        ("models.prn.settings.widht=8", "unknown setting 'widht'.*Did you mean 'width'"),
        ("models.prn.training.lrr=8", r"models\.prn\.training\.lrr: unknown key 'lrr'.*Did you mean 'lr'"),
        ("models.prn.training.augment.flp=1", r"training\.augment\.flp: unknown key.*Did you mean 'flip'"),
        (
            "shipped.fan={task: fan, datasets: [synth_train], training: {lrr: 1}}",
            r"shipped\.fan\.training\.lrr",
        ),
        ("models.prn.training.loss=posmap_nrm", "unknown loss 'posmap_nrm'.*Did you mean 'posmap_norm'"),
        ("training.loss=posmap_nrm", r"^config: training\.loss: unknown loss 'posmap_nrm'.*'posmap_norm'\?$"),
        ("training.weights_face_png=face.png", r"prn\.training\.weights_face_png: .*found no weights_png$"),
        ("training.seeds=[1, 0, 1]", r"training\.seeds: expected each number once, found \[1, 0, 1\]"),
        (
            "training.augment.scale=[1.2, 0.9]",
            r"augment\.scale: expected the smaller number first, found \[1\.2",
        ),
        (
            "training.augment.colour=[1.2, 0.9]",
            r"training\.augment\.colour: expected the smaller number first",
        ),
        (
            "models.prn.training.augment.scale=[2, 1]",
            r"models\.prn\.training\.augment\.scale: expected the sm",
        ),
        (
            "targets.odd={kind: posmap, size: 100}",
            r"targets\.odd\.size: expected a multiple of 32.*found 100$",
        ),
        (
            "models.prn.settings.size=64",
            r"models\.prn\.settings\.size: .* its target posmap96, 96, found 64$",
        ),
        (
            "models.prn.settings.map_size=64",
            r"models\.prn\.settings\.map_size: .* its target posmap96, 96, found 64$",
        ),
        (
            "targets.posmap96.kind=volume",
            r"models\.prn\.target: .*of kind posmap, .* posmap96 of kind volume$",
        ),
        ("systems=[prm]", r"^config: systems: unknown model 'prm'; known: .*Did you mean 'prn'\?$"),
        (
            "models.labeller={model: tddfa, target: params62, train: [synth_train]}",
            r"models\.labeller\.model: expected a network that a training task is for, found tddfa",
        ),
        ("models.prn.task={weight: 2}", r"models\.prn\.task: unknown setting 'weight'; known: none\.$"),
        ("models.prn.unlabelled=[synth_tran]", "models.prn.unlabelled: unknown data set .*'synth_train'"),
        (
            "models.prn.settings.width=banana",
            r"settings\.width: input should be a valid integer, found 'banana'",
        ),
        (
            "models.prn.settings.width=1.5",
            r"models\.prn\.settings\.width: input should .*integer.* found 1\.5",
        ),
        ("models.prn.settings.open_tail=3", r"settings\.open_tail: input should be a valid boolean, found 3"),
        (
            f"shipped={{fan: {{task: fan, settings: {{sigma: wide}}, {LEARNT}}}}}",
            r"shipped\.fan\.settings\.sigma: input should be a valid number, found 'wide'",
        ),
        (
            f"shipped={{detector: {{task: detector, settings: {{sizes: [44, 66]}}, {LEARNT}}}}}",
            r"shipped\.detector\.settings\.sizes: input should be a valid",
        ),
        ("datasets.my-set={reader: face_300w_lp, root: /tmp}", "letters, digits and underscores.*'my-set'"),
        ("evaluation.benchmarks=[synth_train]", r"synth_train is what models\.prn learns from"),
        (
            "datasets.synth_test.detection={scroe: 0.5}",
            r"detection\.scroe: unknown key.*Did you mean 'score'",
        ),
        ("datasets.synth_test.detection={score: 5}", r"datasets\.synth_test\.detection\.score: .*found 5"),
        ("datasets.synth_test.detection={detector: hwole}", "unknown detector 'hwole'.*Did you mean 'whole'"),
        ("datasets.synth_test.face_model={id: icct}", r"datasets\.synth_test\.face_model\.id: unknown face"),
        (
            "datasets.synth_test.labels=tddfa",
            r"labelling\.weights: expected a checkpoint.*synth_test are tddfa",
        ),
        ("packs=[{dataset: synth_test, target: volum}]", r"packs\.0\.target: unknown target 'volum'"),
        ("packs=[{dataset: synt, target: posmap96}]", r"packs\.0\.dataset: unknown data set 'synt'"),
        ("detection.weights=library", r"detection\.weights: expected shipped or a path, found library"),
        (
            "detection.detector=sfd",
            r"^config: detection\.weights: expected library or a path for the detector sfd, found shipped$",
        ),
        (
            "detection={detector: sfd, weights: library, overlap: 0.4}",
            r"^config: detection\.overlap: expected 0\.3, as the library's sfd has it, found 0\.4$",
        ),
        ("detection={detector: blazeface, weights: library, overlap: 1}", r"overlap: expected less than 1"),
        ("detection={detector: dlib, device: cuda}", r"for the detector dlib, found shipped$"),
        ("detection.detector=yunt", "unknown detector 'yunt'.*Did you mean 'yunet'"),
        (
            "detection.landmarks=2d",
            r"^config: detection\.landmarks: expected 2\.5d or 3d for the shipped FAN",
        ),
        (
            "detection={landmarks: 3d, depth_weights: shipped}",
            r"detection\.depth_weights: expected library or a path, found shipped$",
        ),
        (
            "datasets.synth_test.detection={detector: scrfd}",
            r"^config: datasets\.synth_test\.detection\.weights: expected library or a path for the det",
        ),
        ("detection.precision=half", r"detection\.precision: input should be 'fp32', 'bf16' or 'fp16'"),
        ("evaluation.protocols=[nme68_4d]", "unknown protocol 'nme68_4d'.*Did you mean"),
        ("face_model.id=procedurel", "unknown face model 'procedurel'.*Did you mean 'procedural'"),
        ("datasets.synth_test.root=/tmp", "expected either root"),
        (
            f"shipped={{fan: {{task: posmap, {LEARNT}}}}}",
            r"^config: shipped\.fan\.task: expected detector or fan, found 'posmap'\.$",
        ),
        (f"shipped={{fan: {{task: detectr, {LEARNT}}}}}", "found 'detectr'. Did you mean 'detector'"),
        (
            f"shipped={{fan: {{task: fan, settings: {{stakcs: 2}}, {LEARNT}}}}}",
            "unknown setting 'stakcs'.*Did you mean 'stacks'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_was_meant(assignment, message):
    with pytest.raises(FacemillError, match=message):
        settings.load((), [assignment])


@pytest.mark.parametrize(
    "detection",
    [
        "{detector: dlib}",
        "{detector: sfd, weights: library, landmarks: 2d, fan_weights: library}",
        "{detector: boxes, landmarks: 3d}",
        "{detector: whole, weights: library, points: fan}",
    ],
)
def test_a_detection_that_fits_together_is_taken(detection):
    settings.load((), [f"datasets.synth_test.detection={detection}"])


@pytest.mark.parametrize("reader", ["photos", "aflw", "aflw_lfpa", "youtube_faces", "florence"])
@pytest.mark.parametrize(
    ("use", "where"),
    [
        ("models.prn.train=[mine]", r"models\.prn\.train"),
        ("packs=[{dataset: mine, frame: fan192, target: posmap96}]", r"packs\.0"),
    ],
)
def test_dense_truth_of_a_reader_without_parameters_is_the_labellers(reader, use, where):
    """Until it is used for that, such a data set may be listed, detected and looked at."""
    listed = f"datasets.mine={{reader: {reader}, root: /tmp}}"
    settings.load((), [listed])
    message = (
        rf"datasets\.mine\.labels: .*the reader {reader} .*for {where} .*Set datasets\.mine\.labels=tddfa$"
    )
    with pytest.raises(FacemillError, match=message):
        settings.load((), [listed, use])
    settings.load((), [listed, use, "datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"])


@pytest.mark.parametrize("reader", ["aflw", "aflw_lfpa", "youtube_faces", "florence", "bu4dfe", "scans"])
def test_a_benchmark_may_have_points_alone(reader):
    config = settings.load(
        (), [f"datasets.mine={{reader: {reader}, root: /tmp}}", "evaluation.benchmarks=[mine]"]
    )
    assert (truth_of(config, "mine"), truth_of(config, "synth_train")) == ("points", "dense")
    labels = ["datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"]
    labelled = settings.load((), [f"datasets.mine={{reader: {reader}, root: /tmp}}", *labels])
    assert truth_of(labelled, "mine") == "dense"


def test_photos_without_labels_are_no_benchmark():
    use = ["datasets.mine={reader: photos, root: /tmp}", "evaluation.benchmarks=[mine]"]
    message = r"datasets\.mine\.labels: .*the reader photos has no annotations, .*for evaluation\.benchmarks is made"
    with pytest.raises(FacemillError, match=message):
        settings.load((), use)
    settings.load((), [*use, "datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"])


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


def test_the_preset_of_300w_lp_is_the_paper_and_nothing_of_the_default_shows_through():
    """Spec prn_vrn C.1 and C.4; what the paper leaves open is not asked for."""
    config = settings.load([ROOT / "workflow/presets/300w_lp.yaml"])
    block = config.models["prn"]
    keywords = keywords_of(registry.MODELS.module("prn"), "prn")
    assert {name: keywords[name].default for name in block.settings} == block.settings
    assert set(values_of("models.prn.settings")) <= set(block.settings)
    training = settings.training_of(config, block.training)
    assert (training.batch_size, training.optimiser, training.lr, training.warmup) == (16, "adam", 1e-4, 0)
    assert (training.schedule, training.step_epochs, training.step_factor) == ("step", 5, 0.5)
    augment = training.augment
    assert (augment.rotation, augment.translation, augment.scale, augment.colour) == (
        45,
        0.1,
        (0.9, 1.2),
        (0.6, 1.4),
    )
    assert augment.occlusion > 0 and augment.flip == 0
    assert (block.frame, config.targets[block.target].size, config.detection.detector) == (
        "prn256",
        256,
        "annotation",
    )
    assert block.train == ["face_300w_lp"] and config.evaluation.benchmarks == ["aflw2000_3d"]
    assert all(dataset.synthetic is None for dataset in config.datasets.values())


def values_of(path):
    """A block of config.yaml."""
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    for key in path.split("."):
        values = values[key]
    return values


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


@pytest.mark.parametrize(
    ("assignments", "problem"),
    [
        (["training.nesterov=true"], r"models\.prn\.training\.nesterov: expected false but for sgd"),
        (
            ["training.nesterov=true", "training.optimiser=sgd", "training.momentum=0"],
            r"nesterov: expected false but for sgd with a momentum",
        ),
        (["models.prn.training={amsgrad: true, optimiser: sgd}"], r"amsgrad: expected false but for adam"),
        (["training.schedule=milestones"], r"milestones: expected at least one"),
        (["training.milestones=[5, 4]"], r"training\.milestones: expected positive numbers, each larger"),
        (["training.processes=3"], r"processes: expected a divisor of batch_size 8.*found 3"),
    ],
)
def test_training_settings_that_do_not_go_together_are_refused(assignments, problem):
    with pytest.raises(FacemillError, match=problem):
        settings.load((), assignments)


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
