"""Learning curves of one model: the losses, what validation said, and the rate, of every seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.tables.figures.key import COLOURS, GREY, STROKES, Entry, Look, key
from pipeline.tables.figures.page import INNER, Area, Drawn, Page

LEFT, RIGHT, HEIGHT, LOW = 0.46, 0.08, 1.4, 0.7
SHOWN_POINTS = 60
"""Validations beyond which their markers would hide the line."""

Curve = tuple[np.ndarray, np.ndarray]
"""Updates (n,) and values (n,)."""
History = Sequence[Mapping[str, Any]]
"""The records of a history.jsonl in their order."""


def learning_curves(model: str, histories: Mapping[str, History]) -> Drawn:
    """The figure of a model's histories by seed: each part of the loss and their sum, on a logarithmic axis where all
    are positive; each figure of the validations, the chosen one marked; the learning rate."""
    page = Page(
        f"Learning curves: {model}",
        f"{len(histories)} seed{'s' * (len(histories) > 1)}; losses are those of single batches, so they jump.",
    )
    page.text(
        "selection: the figure of the held-out faces by which weights are kept, marked by a ring; less is better."
    )
    losses = {seed: _losses(history) for seed, history in histories.items()}
    parts = list(dict.fromkeys(name for each in losses.values() for name in each))
    _losses_panel(page, losses, parts)
    found = {seed: _validations(history) for seed, history in histories.items()}
    figures = list(dict.fromkeys(name for each in found.values() for name in each))
    for figure in figures:
        _validation_panel(page, figure, found)
    if not figures:
        page.text("Nothing was held out: there is no validation, and the last weights were kept.")
    page.heading("learning rate")
    rates = {
        f"seed {seed}": _curve((r["update"], r["lr"]) for r in history if "lr" in r)
        for seed, history in histories.items()
    }
    _draw(page, [(curve, Look(GREY, "-", "")) for curve in rates.values()], "rate", LOW, from_zero=True)
    return page.drawn()


def _losses_panel(page: Page, losses: Mapping[str, Mapping[str, Curve]], parts: list[str]) -> None:
    page.heading("training losses, weighted")
    looks = {name: look for name, look in zip(parts, _looks(len(parts)), strict=True)}
    _draw(page, [(each[name], looks[name]) for each in losses.values() for name in each], "loss", HEIGHT)
    rows = [
        Entry(
            looks[name],
            name,
            [_end([each for each in losses.values() if name in each], name, at) for at in (0, -1)],
        )
        for name in parts
    ]
    key(page, ["first", "last"], rows)


def _validation_panel(page: Page, figure: str, found: Mapping[str, Mapping[str, Curve]]) -> None:
    page.heading(f"validation: {figure}")
    seeds = [seed for seed, each in found.items() if figure in each]
    looks = dict(zip(seeds, _looks(len(seeds)), strict=True))
    lines, rows = [], []
    for seed in seeds:
        updates, values = found[seed][figure]
        judged = found[seed].get("selection", found[seed][figure])[1]
        best = int(np.argmin(judged)) if "selection" in found[seed] else len(values) - 1
        lines.append(((updates, values), looks[seed], best))
        rows.append(
            Entry(
                looks[seed], f"seed {seed}", [str(updates[best]), f"{values[best]:.4g}", f"{values[-1]:.4g}"]
            )
        )
    _draw(page, [line[:2] for line in lines], figure, HEIGHT, [line[2] for line in lines])
    key(page, ["kept at update", "there", "at the end"], rows)


def _draw(
    page: Page,
    curves: list[tuple[Curve, Look]],
    label: str,
    height: float,
    marked: Sequence[int] | None = None,
    *,
    from_zero: bool = False,
) -> None:
    """A panel of curves over updates; `marked` is the place on each that stands out. On a logarithmic axis where the
    values are positive and spread, unless it begins at zero."""

    def draw(area: Area) -> None:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        axes = area.axes(LEFT, 0.05, INNER - LEFT - RIGHT, height)
        for place, ((updates, values), look) in enumerate(curves):
            few = marked is not None and len(updates) <= SHOWN_POINTS
            axes.plot(
                updates,
                values,
                color=look.colour,
                linestyle=look.stroke,
                marker="." if few or len(updates) == 1 else None,
                markersize=2.5,
                linewidth=0.9,
            )
            if marked is not None:
                best = marked[place]
                axes.plot(updates[best], values[best], "o", color=look.colour, markersize=4, fillstyle="none")
        every = np.concatenate([values for (_, values), _ in curves]) if curves else np.ones(1)
        if not from_zero and (every > 0).all() and np.ptp(np.log10(every)) > 0.5:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlim(left=0)
        if from_zero:
            axes.set_ylim(0, 1.1 * every.max())
        axes.set_xlabel("update")
        axes.set_ylabel(label)

    page.add(height + 0.34, draw)


def _looks(count: int) -> list[Look]:
    """So many looks that can be told apart; colours come again with another stroke."""
    return [
        Look(COLOURS[place % len(COLOURS)], STROKES[place // len(COLOURS) % len(STROKES)], "o")
        for place in range(count)
    ]


def _losses(history: History) -> dict[str, Curve]:
    """The sum of the loss and its parts; of a loss with one part the sum alone."""
    records = [record for record in history if "loss" in record]
    names = list(dict.fromkeys(name for record in records for name in record["parts"]))
    found = {"sum": _curve((record["update"], record["loss"]) for record in records)}
    for name in names if len(names) > 1 else ():
        found[name] = _curve((r["update"], r["parts"][name]) for r in records if name in r["parts"])
    return found


def _validations(history: History) -> dict[str, Curve]:
    records = [record for record in history if "validation" in record]
    names = list(dict.fromkeys(name for record in records for name in record["validation"]))
    return {
        name: _curve((r["update"], r["validation"][name]) for r in records if name in r["validation"])
        for name in names
    }


def _curve(points) -> Curve:
    updates, values = np.array(list(points), np.float64).reshape(-1, 2).T
    return updates.astype(int), values


def _end(losses: Sequence[Mapping[str, Curve]], name: str, at: int) -> str:
    """A part's first or last value, its mean over seeds, and the update where the run's own is another."""
    ends = {(each[name][0][at], each["sum"][0][at]) for each in losses}
    other = "".join(sorted(f" at {own}" for own, whole in ends if own != whole)[:1])
    return f"{np.mean([each[name][1][at] for each in losses]):.4g}{other}"
