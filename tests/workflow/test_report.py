"""The report of a run: our own page and Snakemake's, what makes the page again, and what a browser says to both."""

import re

import pytest

from tests import browser
from tests.project import Project

PAGE, BRIEF, REPORT = "results/report/index.html", "results/report/brief.html", "results/report.html"


@pytest.fixture(scope="module")
def reported(base, tmp_path_factory) -> Project:
    """A copy of the base run with both reports."""
    project = base.copy(tmp_path_factory.mktemp("report") / "project")
    done = project.snakemake("report_page")
    assert done.returncode == 0, done.stdout + done.stderr
    done = project.snakemake("all", "report_page", options=("--report", REPORT))
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def planned(project: Project, *options: str) -> set[str]:
    done = project.snakemake("report_page", options=("-n", *options))
    assert done.returncode == 0, done.stdout + done.stderr
    return {line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.startswith("rule ")}


def test_the_page_shows_this_run_and_what_each_of_its_rules_cost(reported):
    page = (reported.path / PAGE).read_text(encoding="utf-8")
    cost = re.search(r'<section id="cost">.*?</section>', page, re.S)[0]
    rules = set(re.findall(r'<tr><th scope="row">(\w+)</th>', cost)) - {"all"}
    assert rules == {
        path.name.removesuffix(".tsv") for path in (reported.path / "results/benchmarks").iterdir()
    } - {"report_page"}
    assert "prn on synth_test" in page and "synth_train" in page
    for table in (reported.path / "results/tables").glob("*.md"):
        assert f'id="table-{table.stem}"' in page
    for figure in (reported.path / "results/figures").glob("*.svg"):
        assert f'id="figure-{figure.stem}"' in page
    assert not re.search(re.escape(str(reported.path)), page)


def test_the_page_is_made_again_by_its_parts_and_by_nothing_else(reported, tmp_path):
    project = reported.copy(tmp_path / "project")
    assert planned(project) == set()
    cost = project.path / "results/benchmarks/ledger.tsv"
    cost.write_text(cost.read_text().replace("\n0", "\n9"))
    assert planned(project) == set()
    style = project.path / "pipeline/report/templates/style.css"
    style.write_text(style.read_text() + "/* */\n")
    assert planned(project) == {"report_page"}
    done = project.pipeline("why", PAGE, "--configfile", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert "style.css" in done.stdout


def test_snakemakes_report_holds_the_brief_page_and_a_caption_for_each_artefact(reported):
    text = (reported.path / REPORT).read_text(encoding="utf-8")
    entry = '"{}": {{"name"'
    assert entry.format(BRIEF) in text and entry.format(PAGE) not in text
    assert (reported.path / BRIEF).stat().st_size < 1_400_000
    for name in (
        "eval/prn.json",
        "ledger.tsv",
        "sanity.json",
        "tables/models.md",
        "sheets/prn/seed0/synth_test.png",
    ):
        assert entry.format(f"results/{name}") in text
    assert "Nothing was deleted" in text and "From raw face photos" in text


@pytest.mark.browser
@pytest.mark.skipif(browser.program() is None, reason="no Chromium on the path: apt-get install chromium")
@pytest.mark.parametrize("width", [400, 1600])
def test_both_reports_are_silent_and_ask_nobody(reported, tmp_path, width):
    told = "wide: document.documentElement.scrollWidth"
    page = (reported.path / PAGE).read_text(encoding="utf-8")
    seen = browser.look(page, tmp_path / "own", width, told)
    assert seen.told["wide"] <= width
    assert seen.console == [] and seen.requests == []
    page = (reported.path / REPORT).read_text(encoding="utf-8")
    seen = browser.look(page, tmp_path / "snakemake", width, "left: document.querySelectorAll('li').length")
    assert seen.told["left"] > 5 and seen.requests == []
    assert all("cdn.tailwindcss.com should not be used in production" in line for line in seen.console)
