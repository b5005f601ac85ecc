"""The report's page as a browser shows it: silent on the console, alone on the network, legible at any width."""

import re
from pathlib import Path

import pytest
import report_world
from evaluation_cases import model

from pipeline.metrics.normalisers import box_size
from tests import browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.program() is None, reason="no Chromium on the path: apt-get install chromium"),
]
OPEN_ALL = 'document.querySelectorAll("details").forEach((one) => { one.open = true; });'
WIDTHS = "wide: document.documentElement.scrollWidth, inner: innerWidth"
DRAWN = """
covered: document.getElementById("view").dataset.covered, value: document.getElementById("view-value").textContent"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("report")
    report_world.write(root)
    return root


@pytest.fixture(scope="module")
def page(root) -> str:
    return report_world.make(root)


@pytest.mark.parametrize("width", [400, 1600])
def test_the_page_fits_is_silent_and_asks_nobody(page, tmp_path, width):
    """Even without the policy that would forbid it to ask, and with all that is folded unfolded."""
    seen = browser.look(POLICY.sub("", page), tmp_path / "look", width, f"{WIDTHS}, {DRAWN}", OPEN_ALL)
    assert seen.told["inner"] == width
    assert seen.told["wide"] <= width
    assert seen.console == [] and seen.requests == []
    predicted, truth = map(int, seen.told["covered"].split())
    assert predicted > 1000 and truth > 1000
    assert seen.told["value"] == "by prn: 3.50 % (nme68_2d)"


def test_the_view_turns_and_colours_both_surfaces(root, page, tmp_path):
    before = """
      const drawn = () => document.getElementById("view-truth").toDataURL();
      window.first = drawn();
      document.getElementById("view-face").value = 1;
      document.getElementById("view-face").dispatchEvent(new Event("change"));
      document.getElementById("view-error").click();
      document.querySelector('[data-turn="60"]').click();"""
    told = f"{DRAWN}, moved: drawn() !== window.first, mean: document.getElementById('view-mean').textContent"
    seen = browser.look(page, tmp_path / "look", 1000, told, before)
    assert seen.told["moved"] and seen.console == []
    assert seen.told["value"] == "by prn: 7.50 % (nme68_2d)"
    truth = report_world.FACES["b#0"].landmarks(model(root))
    expected = 100 * report_world.MOVED / box_size(truth)
    assert float(re.search(r"([\d.]+) %", seen.told["mean"])[1]) == pytest.approx(expected, abs=0.5)


def test_a_page_that_asks_or_overflows_is_found_out(tmp_path):
    bad = (
        '<!DOCTYPE html><body style="margin:0"><div style="width:700px">wide</div>'
        '<img src="http://example.org/a.png"><script>missing()</script></body>'
    )
    seen = browser.look(bad, tmp_path / "look", 400, WIDTHS)
    assert seen.told["wide"] == 700
    assert seen.requests == ["http://example.org/a.png"]
    assert len(seen.console) == 1 and "missing" in seen.console[0]


def test_the_policy_of_the_page_keeps_even_a_stranger_silent(page, tmp_path):
    stranger = page.replace("</body>", '<img src="http://example.org/a.png"></body>')
    seen = browser.look(stranger, tmp_path / "look", 1000, WIDTHS)
    assert seen.requests == []
    assert any("Content Security Policy" in line for line in seen.console)
