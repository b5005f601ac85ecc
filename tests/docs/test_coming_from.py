"""docs/coming_from.md and docs/systems.md: what they say to type is there, option by option and key by key, their
overlays are configs, and the switches that they name are the code's."""

import re
import shlex

import pytest
import yaml

from pipeline import layout, registry, settings
from pipeline.__main__ import parser
from pipeline.config import DatasetSettings, ModelSettings, TrainingSettings
from pipeline.keywords import keywords_of
from tests.project import ROOT

PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("coming_from", "systems")
}
TEXT = "\n".join(PAGES.values())
FENCE = r"```[a-z]*\n(.*?)```"
BLOCKS = [line for block in re.findall(FENCE, TEXT, re.S) for line in block.splitlines()]
CODE = re.findall(r"`([^`\n]+)`", re.sub(FENCE, "", TEXT, flags=re.S))
TYPED = sorted({line for line in [*BLOCKS, *CODE] if line.startswith(("python -m pipeline ", "snakemake "))})
SNAKEFILES = [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
RULES = {
    rule
    for path in SNAKEFILES
    for rule in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.M)
}


@pytest.fixture(scope="module")
def overlays(tmp_path_factory):
    """The overlays of the pages as files by name, beside the presets by their path in the checkout."""
    folder = tmp_path_factory.mktemp("overlays")
    found = {f"workflow/presets/{path.name}": path for path in (ROOT / "workflow/presets").glob("*.yaml")}
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S):
        name = re.match(r"# (\w+\.yaml)", block)[1]
        assert name not in found, f"two overlays are called {name}"
        found[name] = folder / name
        found[name].write_text(block, encoding="utf-8")
    return found


def words_after(words, *options):
    """The words that follow one of the options, up to the next option."""
    taken, found = False, []
    for word in words:
        taken = word in options or (taken and not word.startswith("-"))
        if taken and word not in options:
            found.append(word)
    return found


def test_there_is_something_to_type():
    assert len(TYPED) > 30
    verbs = {line.split()[3] for line in TYPED if line.startswith("python")}
    assert verbs >= {"convert", "volume", "score", "evaluate"}


@pytest.mark.parametrize("line", TYPED)
def test_what_it_says_to_type_is_there(line, overlays):
    words = shlex.split(line)
    files = words_after(words, "--configfile")
    config = settings.load([overlays[name] for name in files], words_after(words, "--set"))
    if words[0] == "snakemake":
        end = words.index("--configfile") if files else None
        for target in words[1:end]:
            check_target(target, config)
        return
    if len(words) > 4:
        parse(words[3:])
    for protocol in words_after(words, "--protocol"):
        assert protocol in settings.protocol_names(), protocol
    for model in words_after(words, "--model"):
        assert model in (registry.PUBLISHED.names() if words[3] == "convert" else config.models), model


def parse(words):
    """Parse a line of verbs and options; where argparse refuses it, its words are the failure's."""
    try:
        parser().parse_args(words)
    except SystemExit as error:
        raise AssertionError(f"python -m pipeline {' '.join(words)}") from error


def check_target(target, config):
    """A rule, or a file that a stage makes of names that the config knows."""
    if target in RULES or target.startswith("-"):
        return
    _, wildcards = layout.locate(config.results, target)
    known = {
        "model": config.models,
        "dataset": config.datasets,
        "benchmark": config.evaluation.benchmarks,
        "target": config.targets,
        "frame": registry.FRAMES,
        "table": registry.TABLES,
        "figure": registry.FIGURES,
    }
    for name, value in wildcards.items():
        assert name not in known or value in known[name], f"{target}: {name} {value}"


def test_blocks_in_the_tables_are_config():
    blocks = [line for line in CODE if re.match(r"(datasets|targets|detection|crop|evaluation): \{", line)]
    assert len(blocks) > 8
    for block in blocks:
        values = yaml.safe_load(block.replace("<id>", "mine"))
        settings.load(
            [], [f"{key}={yaml.safe_dump(inner, default_flow_style=True)}" for key, inner in values.items()]
        )


def test_assignments_are_the_configs():
    together = [words_after(shlex.split(code), "--set") for code in CODE if code.startswith("--set ")]
    assert len(together) > 6
    for assignments in together:
        settings.load([], assignments)


def test_keys_are_the_configs():
    keys = {
        key
        for key in CODE
        if re.fullmatch(r"[a-z_]+(\.[\w<>]+)+", key) and key.split(".")[0] in BLOCKS_OF_CONFIG
    }
    assert len(keys) > 20
    config = settings.load()
    for key in keys:
        first, *rest = key.split(".")
        fields = type(config).model_fields[first].annotation
        if first not in ("models", "datasets"):
            assert rest[0] in fields.model_fields, key
        if first == "datasets" and len(rest) > 1:
            assert rest[1] in DatasetSettings.model_fields, key
        if first == "models" and len(rest) > 1:
            assert rest[1] in ModelSettings.model_fields, key
        if first == "models" and len(rest) > 2:
            check_model_key(config, *rest)


BLOCKS_OF_CONFIG = {
    "training",
    "models",
    "datasets",
    "detection",
    "labelling",
    "evaluation",
    "crop",
    "face_model",
}


def check_model_key(config, model, block, key, *_):
    """A keyword of a model's network, or a key of its training."""
    if block == "training":
        assert key in TrainingSettings.model_fields, key
    if block == "settings":
        name = config.models[model].model
        assert key in keywords_of(registry.MODELS.module(name), name), f"{model}: {key}"


def test_switches_are_somebodys_keywords():
    named = set(re.findall(r"\blegacy_\w+", TEXT))
    taken = {
        keyword
        for book in (registry.MODELS, registry.TASKS)
        for name in book
        for keyword in keywords_of(book.module(name), name)
        if keyword.startswith("legacy_")
    }
    assert named == taken


def test_what_nobody_confirms_of_2dasl_is_listed_with_its_default():
    from pipeline.training.dasl_task import UNCONFIRMED

    section = PAGES["systems"].split("| keyword | default |")[1].split("\n\n")[0]
    listed = {}
    for names, defaults in re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", section, re.M):
        for name, default in zip(names.split(", "), defaults.split(", "), strict=True):
            listed[name.strip("`")] = yaml.safe_load(default.strip("`"))
    assert listed.keys() == UNCONFIRMED.keys()
    taken = keywords_of(registry.TASKS.module("2dasl"), "2dasl")
    assert listed == {name: taken[name].default for name in listed}


def test_readers_and_detectors_are_there():
    assert set(re.findall(r"reader: (\w+)", TEXT)) <= set(registry.DATASETS)
    assert set(re.findall(r"detector: (\w+)", TEXT)) <= set(registry.DETECTORS)


def test_what_is_not_here_is_listed():
    body, listed = PAGES["coming_from"].split("## Not here")
    rows = [row for row in body.splitlines() if row.startswith("|") and "not here" in row]
    assert len(rows) > 5 and len(re.findall(r"^- ", listed, re.M)) > 3


def test_every_model_of_the_default_has_its_section():
    heads = re.findall(r"^## (\w+)", PAGES["systems"], re.M)
    assert set(settings.load().models) <= set(heads)
