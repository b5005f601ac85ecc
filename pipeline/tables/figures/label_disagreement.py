"""How far two sets of 68 landmarks of a picture lie apart, against the best model's error on it.

Where a data set was annotated twice these are its two label sets; elsewhere its own landmarks and the face model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import LABEL_DISAGREEMENT, TRUTH_FLOOR
from pipeline.metrics.bootstrap import bootstrap
from pipeline.metrics.summary import YAW_BINS, summarise
from pipeline.registry import FIGURES
from pipeline.tables.figures.key import GREY, Entry, Look, key, looks, opacity_of
from pipeline.tables.figures.page import INNER, Area, Drawn, Page
from pipeline.tables.figures.values import Mean, best_model, means, models_on, number, scores_of, series_of
from pipeline.tables.results import Results

ERROR, AGAINST_OTHER = "nme68_2d", "nme68_2d_re"
"""Protocols of a model's error against the original labels and against the re-annotated ones."""
TITLES = {
    LABEL_DISAGREEMENT: "re-annotated against original landmarks",
    TRUTH_FLOOR: "the face model's landmarks against the data set's",
}
LABELS = Look(GREY, ":", "x")
OTHER = Look("#000000", "--", "s")
LEAST = 0.01
"""Per cent below which two label sets are one and the same up to rounding."""
GROUPS, SAMPLES, HIGHEST = 5, 2000, 98.0
LEFT, RIGHT, HEIGHT = 0.3, 0.08, 1.9


@dataclass(frozen=True, eq=False)
class Cloud:
    """A model's error against one label set on the pictures that it has a prediction for.

    name: as the key says it. apart: (n,) how far the label sets lie apart; error: (n,); both NME in per cent. figures:
    the model's block of results/eval/<model>.json.
    """

    name: str
    look: Look
    apart: np.ndarray
    error: np.ndarray
    figures: Mapping


@FIGURES.register("label_disagreement")
def label_disagreement(results: Results, chart: Chart) -> Drawn:
    """The figure: a panel a benchmark; pictures, and the means of five groups of them, equally many in each."""
    page = Page(
        "Disagreement of labels and error of the best model",
        "Both 2D NME of the 68 landmarks, by the box of the original ones. Points: pictures; marks: means of "
        f"{GROUPS} groups of equally many pictures, with 95 % bootstrap intervals. Below the dotted line a model is "
        "nearer to the labels than the labels are to each other.",
    )
    if not results.benchmarks:
        page.text("No benchmark was scored: there is nothing to draw.")
    for benchmark in results.benchmarks:
        _panel(page, results, benchmark)
    return page.drawn()


def disagreement(results: Results, benchmark: str) -> tuple[str, dict[str, Mean]] | None:
    """``label_disagreement`` or ``truth_floor``, and the value of each picture with a face; None where the truth of a
    benchmark has neither."""
    for kind in (LABEL_DISAGREEMENT, TRUTH_FLOOR):
        found: dict[str, Mean] = {}
        for model in models_on(results, benchmark):
            found = {**means(scores_of(results, benchmark, model, kind)), **found}
        if found:
            return kind, found
    return None


def clouds(results: Results, benchmark: str, kind: str, apart: Mapping[str, Mean]) -> list[Cloud]:
    """The best model's errors against the original labels, and against the re-annotated ones if it was scored so."""
    protocols = {protocol.id: protocol for protocol in results.protocols}
    wanted = [ERROR, AGAINST_OTHER] if kind == LABEL_DISAGREEMENT else [ERROR]
    known = [protocols[name] for name in wanted if name in protocols]
    best = best_model(results, benchmark, known[0]) if known else None
    found = []
    for protocol in known:
        own = next((s for s in series_of(results, benchmark, protocol)[0] if s.look == best), None)
        if own is None:
            continue
        pairs = [(apart[p].value, m.value) for p, m in own.pictures.items() if p in apart and not m.failed]
        x, y = np.array(pairs, np.float64).reshape(-1, 2).T
        look = looks(results)[best] if protocol.id == ERROR else OTHER
        against = "original" if protocol.id == ERROR else "re-annotated"
        name = f"{best}, {against}" if kind == LABEL_DISAGREEMENT else best
        found.append(Cloud(name, look, x, y, own.figures))
    return [cloud for cloud in found if len(cloud.error)]


def _panel(page: Page, results: Results, benchmark: str) -> None:
    found = disagreement(results, benchmark)
    page.heading(f"{benchmark}: {TITLES[found[0]] if found else 'labels'}")
    if found is None:
        page.text("Its truth has one set of landmarks and no face model: there is nothing to compare.")
        return
    kind, apart = found
    if kind == TRUTH_FLOOR:
        page.text(
            "No second annotation was read; one is where the data set has it and a protocol that needs it, as "
            f"{AGAINST_OTHER}, is scored. Shown is how far the data set's own 68 points lie from those of the face "
            "model fitted to them, which dense truth is made of."
        )
    if max(mean.value for mean in apart.values()) < LEAST:
        page.text(f"On every picture they are the same to {LEAST:g} %: there is nothing to draw.")
        return
    drawn = clouds(results, benchmark, kind, apart)
    if drawn:
        page.add(HEIGHT + 0.34, lambda area: _draw(area, drawn))
    else:
        page.text(
            f"No model has a score under {ERROR} on these pictures: there is no error to set against it."
        )
    bins = next((p.bins for p in results.protocols if p.id == ERROR), dict(YAW_BINS))
    entries = [Entry(LABELS, "labels", _cells(_summary(apart, bins), bins))]
    entries += [Entry(cloud.look, cloud.name, _cells(cloud.figures, bins), marked=True) for cloud in drawn]
    key(page, [*(f"{name}°" for name in bins), "balanced", "plain"], entries)


def _draw(area: Area, drawn: Sequence[Cloud]) -> None:
    axes = area.axes(LEFT, 0.05, INNER - LEFT - RIGHT, HEIGHT)
    right = 1.05 * max(np.percentile(cloud.apart, HIGHEST) for cloud in drawn)
    groups = [groups_of(cloud.apart, cloud.error) for cloud in drawn]
    top = 1.05 * max(
        *(np.percentile(cloud.error, HIGHEST) for cloud in drawn), *(np.nanmax(g[:, 1:]) for g in groups)
    )
    axes.plot(
        [0, min(right, top)],
        [0, min(right, top)],
        color=LABELS.colour,
        linestyle=LABELS.stroke,
        linewidth=0.8,
    )
    light = opacity_of(sum(len(cloud.error) for cloud in drawn))
    for cloud, group in zip(drawn, groups, strict=True):
        colour = cloud.look.colour
        x, y = np.clip(cloud.apart, 0, right), np.clip(cloud.error, 0, top)
        axes.scatter(x, y, s=3, color=colour, alpha=light, linewidths=0, rasterized=True)
        axes.plot(
            *group.T[:2], color=colour, linestyle=cloud.look.stroke, marker=cloud.look.marker, markersize=3
        )
        axes.vlines(group[:, 0], group[:, 2], group[:, 3], color=colour, linewidth=1.1)
    axes.set(xlim=(0, right), ylim=(0, top))
    axes.set_xlabel("distance of the two label sets, % (farther ones on the edge)")
    axes.set_ylabel("error of the model, %")


def groups_of(apart: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Up to five groups of equally many pictures in rising order of ``apart``, fewer where not every group has two.

    Returns:
        (g, 4): mean of ``apart``, mean of ``error``, and its interval, NaN for one picture alone.
    """
    order = np.argsort(apart, kind="stable")
    rows = []
    for group in np.array_split(order, max(1, min(GROUPS, len(order) // 2))):
        low = high = np.nan
        if len(group) > 1:
            found = bootstrap(error[group], rng=np.random.default_rng(0), samples=SAMPLES)
            low, high = found.low, found.high
        rows.append((apart[group].mean(), error[group].mean(), low, high))
    return np.array(rows)


def _summary(apart: Mapping[str, Mean], bins: Mapping[str, float]) -> Mapping:
    """The figures of the disagreement itself, as `summarise` gives them, over pictures with a known yaw."""
    known = [mean for mean in apart.values() if not np.isnan(mean.yaw_deg)]
    values, yaw = np.array([(mean.value, mean.yaw_deg) for mean in known]).reshape(-1, 2).T
    return summarise(values, yaw, np.zeros(len(known), bool), 100.0, bins)


def _cells(figures: Mapping, bins: Mapping[str, float]) -> list[str]:
    entries = [figures["bins"].get(name) for name in bins]
    means = [None if entry is None else entry["mean"] for entry in entries]
    return [number(value) for value in (*means, figures["balanced"], figures["plain"])]
