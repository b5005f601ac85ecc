"""The ledger as a flow: its counts, and a Sankey diagram whose widths add up."""

import re

import pytest

from pipeline.records import FacemillError, Reason
from pipeline.report.flow import BAND, TEXT, WIDTH, diagram, flow_of


def reaped(*pairs: tuple[str, Reason, int]) -> list[dict[str, str]]:
    return [{"stage": stage, "code": reason.code} for stage, reason, count in pairs for _ in range(count)]


ROWS = reaped(
    ("crop", Reason.OUTSIDE_FRAME, 10),
    ("detect", Reason.IMPLAUSIBLE, 5),
    ("detect", Reason.NO_FACE, 30),
    ("source", Reason.DUPLICATE, 5),
)
FLOW = flow_of(("fan192", "posmap96", "synth"), 90, [{}] * 50, ROWS)


def widths(path: str) -> list[float]:
    """The x of the band's right edge, from top to bottom."""
    return [float(x) for x in re.findall(r"L([\d.]+) ", path)][:-1]


def test_a_flow_counts_by_stage_in_the_chains_order_and_by_frequency():
    assert (FLOW.pictures, FLOW.rows, FLOW.kept) == (90, 100, 50)
    assert list(FLOW.stages) == ["source", "detect", "crop"]
    assert list(FLOW.stages["detect"].items()) == [("no face", 30), ("landmarks implausible", 5)]


def test_the_band_loses_what_its_ribbons_take():
    drawn = diagram(FLOW)
    edge = widths(drawn.band)
    assert edge[0] == BAND and edge == sorted(edge, reverse=True)
    assert edge[-1] == pytest.approx(BAND * 50 / 100)
    assert [width for _, width in drawn.bars] == pytest.approx([BAND, BAND / 2])
    lost = [
        float(start[1]) - float(start[2])
        for start in (
            re.match(r"M([\d.]+) .*Q([\d.]+) [\d.]+ [\d.]+ [\d.]+Z$", path) for path in drawn.ribbons
        )
    ]
    assert lost == pytest.approx([BAND * share for share in (0.05, 0.30, 0.05, 0.10)], abs=0.02)


def test_labels_say_counts_and_shares_and_do_not_touch():
    drawn = diagram(FLOW)
    words = [" ".join(label.lines) for label in drawn.labels]
    assert words[0] == "90 pictures, 100 faces and faceless pictures"
    assert "30 (30.0%) no face" in words and words[-1] == "50 (50.0%) kept"
    tops = [label.y for label in drawn.labels]
    heights = [16 * len(label.lines) for label in drawn.labels]
    assert all(a + h <= b + 1e-9 for a, h, b in zip(tops, heights, tops[1:], strict=False))
    assert max(tops) < drawn.height and TEXT < WIDTH == drawn.width


def test_a_reason_of_one_row_in_thousands_is_still_seen():
    drawn = diagram(flow_of(("f", "t", "d"), 5000, [{}] * 4999, reaped(("crop", Reason.NO_FACE, 1))))
    upper, lower = map(float, re.search(r"Q[\d.]+ ([\d.]+) 140 [\d.]+V([\d.]+)", drawn.ribbons[0]).groups())
    assert lower - upper == pytest.approx(1.0, abs=0.02)


def test_an_empty_ledger_has_a_diagram_and_an_unknown_reason_none():
    drawn = diagram(flow_of(("f", "t", "d"), 0, [], []))
    assert drawn.ribbons == () and " ".join(drawn.labels[-1].lines) == "0 kept"
    with pytest.raises(FacemillError, match="unknown reason code"):
        flow_of(("f", "t", "d"), 1, [], [{"stage": "crop", "code": "tired"}])
