"""docs/datasets.md lists every reader, and the point sets that it names are those of the readers."""

import re

from pipeline.registry import DATASETS
from tests.project import ROOT

PAGE = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_the_page_lists_every_reader_and_no_other():
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.M)) == sorted(DATASETS)


def test_the_point_sets_that_it_names_are_in_the_readers():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipeline/datasets").glob("*.py"))
    named = re.findall(r"`(pts_\dd|aflw21|landmarks68_\w+|lfpa\w+)`", PAGE)
    assert len(set(named)) == 7
    for name in named:
        assert f'"{name}"' in source, name
