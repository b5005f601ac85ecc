"""The page itself: the parts that the other modules read, put into the templates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pipeline.report.tables import WrittenTable
from pipeline.tables.table import MISSING

PAGE, STYLE, SCRIPTS = "page.html", "style.css", "viewer.js"
LONG = 25
"""Rows above which a table scrolls inside a box of its own."""
WORDY = 24
"""Letters above which a cell gets room for several words on a line, however narrow the screen is."""


@dataclass(frozen=True)
class Headline:
    """The figure of one model on one benchmark under the first protocol, as the head of the page shows it."""

    model: str
    benchmark: str
    protocol: str
    unit: str
    value: float | None
    interval: Sequence[float] | None
    scored: int
    failed: int
    mean_face: float | None


@dataclass(frozen=True)
class Figure:
    """A drawing: its name in the registry, what it shows, its width in CSS pixels, and its data URI."""

    name: str
    caption: str
    width: int
    source: str


def headlines(evaluations: Mapping[str, Mapping[str, Any]], protocol: str) -> list[Headline]:
    """The head's figures, in the order of the evaluations."""
    return [
        Headline(
            model,
            benchmark,
            protocol,
            figures["unit"],
            figures["headline"],
            figures["interval"],
            figures["n"],
            block["failed"],
            figures["mean_face"]["headline"],
        )
        for model, evaluation in evaluations.items()
        for benchmark, block in evaluation["benchmarks"].items()
        for name, figures in block["protocols"].items()
        if name == protocol
    ]


def render(assets: Iterable[str | Path], parts: Mapping[str, Any], *, whole: bool) -> str:
    """The page's HTML.

    Args:
        assets: the files of `templates/`, by whose names the page includes them.
        parts: what the templates name; all of it is escaped but for what is Markup.
        whole: with all pictures. Without them the page is small enough to stand in Snakemake's report, which shows a
            page by a data URI: browsers built on Chromium open none above 2 MB.
    """
    texts = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in assets}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(texts),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "signed": signed, "json": as_json}
    page = environment.get_template(PAGE)
    return page.render(
        **parts,
        whole=whole,
        style=Markup(texts[STYLE]),
        scripts=Markup(texts[SCRIPTS]),
        long=LONG,
        wordy=WORDY,
    )


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many digits behind the point; a dash where there is none."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def signed(value: float | None) -> str:
    """A small difference with its sign, in three significant digits; a dash where there is none."""
    return MISSING if value is None else f"{value:+.3g}"


def as_json(value: Any) -> Markup:
    """JSON that can stand inside a script element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c"))


def linked(tables: Sequence[WrittenTable], protocols: Iterable[str]) -> set[str]:
    """The protocols that some cell names: those cells lead to what the protocol is."""
    cells = {cell for table in tables for row in table.rows for cell in row}
    return cells & set(protocols)
