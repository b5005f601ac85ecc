"""What the pages say is there: links, commands, presets, the picture of the chain."""

import os
import re
import subprocess
import sys

import pytest

from pipeline import jobs, layout, settings
from pipeline.io.published import FILES, LIBRARY_DETECTORS
from pipeline.jobs.data import detection_of, labelled
from tests.project import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BENCHMARKS = sorted(
    path.stem
    for path in (ROOT / "benchmarks").glob("[a-z]*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_verbs_and_paths_exist(page):
    text = page.read_text(encoding="utf-8")
    listed = subprocess.run(
        [sys.executable, "-m", "pipeline", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    known = set(re.findall(r"^    (\w+)", listed, re.M))
    for verb in re.findall(r"python -m pipeline (\w+)", text):
        assert verb in known, f"{page.name}: python -m pipeline {verb}"
    for name in re.findall(r"(?:workflow|pipeline|tests|benchmarks|docs)/[\w/]+\.(?:py|yaml|smk|md)", text):
        assert (ROOT / name).exists() or page.name == "adding.md", f"{page.name}: {name}"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_starts_as_its_page_says(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=clean)
    assert done.returncode == 0, done.stderr
    assert f"python -m benchmarks.{name} [--" in done.stdout


def test_no_page_names_a_benchmark_in_another_way():
    pages = [*PAGES, *(ROOT / "benchmarks").glob("*.py"), *ROOT.glob(".ci/*")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"python\S* benchmarks/", text), page.name
        assert set(re.findall(r"-m benchmarks\.(\w+)", text)) <= set(BENCHMARKS), page.name
    assert "python -m benchmarks.limits" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_example_of_ones_own_photos_is_a_config(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOS", str(tmp_path))
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(re.search(r"```yaml\n(# mine\.yaml.*?)```", text, re.S)[1], encoding="utf-8")
    config = settings.load([ROOT / "workflow/presets/photos.yaml", overlay])
    assert labelled(config, "photos") and detection_of(config, "photos").detector == "faceboxes"
    assert jobs.job(config, "source", dataset="photos").settings["root"] == "${PHOTOS}"
    assert config.models["prn"].train == ["photos"]


def test_the_readme_lists_every_preset_and_no_other():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+\.yaml)` \|", text, re.M)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "workflow" / "presets").glob("*.yaml"))


def test_published_weights_are_named_as_the_code_looks_for_them():
    text = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    listed = re.search(r"\(([\w, ]+), the library's detectors\)", text)
    assert listed, "environment.md lists no published networks"
    of_detectors = {name for names in LIBRARY_DETECTORS.values() for name in names}
    assert set(listed[1].lower().split(", ")) == FILES.keys() - of_detectors


def test_the_readme_shows_the_rules_as_they_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    chart = re.search(r"```mermaid\n(.*?)```", text, re.S)
    assert chart, "README has no Mermaid chart"
    boxes = set(re.findall(r"^\s*(\w+)\[", chart[1], re.M))
    assert boxes <= set(layout.PATTERNS)
    assert {"source", "detect", "crop", "ground_truth", "reap", "pack", "train", "infer", "score"} <= boxes


def test_no_machine_paths_or_leftovers_in_git():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: the list of tracked files is not to be had")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".smk", ".pyx", ".toml"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            found = re.search(r"(?<![\w.])/(?:home|root|work)/[a-z]", text)
            assert not found, f"{name}: {found[0]}"
            assert not re.search(r"\b(?:TO" + r"DO|FIX" + r"ME)\b", text), name
