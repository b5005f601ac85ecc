"""Does lifting 2D landmarks to 3D beat finding them in 3D at once? The claim of the 3D Facial Alignment project
(github.com/antoinedandi/FaceAlignment, 2020), asked with several seeds, picture by picture.

Two things make a difference uncertain: which pictures a benchmark happens to hold, and which weights a seed happens to
draw. The first has an interval, by drawing the pictures again in pairs; the second is few numbers, and all are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.report import common
from pipeline.tables.comparison import Pair, compare, figure_of, strata_of
from pipeline.tables.results import MEAN_FACE, Results
from pipeline.tables.table import Cell, Column, Table

TDDFA = "tddfa"
BESIDE = (MEAN_FACE, TDDFA)
"""What stands beside every pair: the mean face, and 3DDFA_V2's released network where the run has it."""
COLUMNS = (
    Column("benchmark"),
    Column("protocol"),
    Column("direct"),
    Column("lifted"),
    Column("pictures"),
    Column("seeds"),
    Column("of direct", digits=3),
    Column("of lifted", digits=3),
    Column("difference", digits=3, sign=True),
    Column("low", digits=3, sign=True),
    Column("high", digits=3, sign=True),
    Column("spread of direct", digits=3),
    Column("spread of lifted", digits=3),
    Column("least by seed", digits=3, sign=True),
    Column("largest by seed", digits=3, sign=True),
    Column("better"),
    *(Column(name.replace("_", " "), digits=3) for name in BESIDE),
)
NOTES = (
    "Of direct, of lifted: NME in per cent, the protocol's figure over the pictures that every seed of both scored, "
    "each picture's score averaged over a model's seeds. Difference: direct less lifted, so that above zero lifting is "
    "better. Low, high: its 95 % interval, from pictures drawn again in pairs, within yaw bins where the figure is "
    "balanced over them.",
    "Spread: largest less smallest figure of a model's seeds. Least, largest by seed: of the differences of every seed "
    "of the one and every seed of the other. Better: whose figure is lower where the interval leaves out zero and no "
    "two seeds say otherwise.",
    "The claim that lifting is better is judged by models that see the same pictures and no more, as direct3d and "
    "lift3d; whatever their figures have in common, such as the face model behind the truth, is no part of the "
    "difference. A lifted model that takes the chain's landmarks, as fan_lift, has a network beside it that learnt "
    "from other pictures, and more of them: such a pair compares that too, and says nothing of lifting alone. Mean "
    "face: of the direct model's training targets, on the same pictures; a model that is no better has learnt nothing. "
    "tddfa: 3DDFA_V2's released network on those of these pictures that it has a score of; a dash without its weights.",
)


@dataclass(frozen=True, eq=False)
class Verdict:
    """A pair under one protocol on one benchmark. by_seed: (k, m) figures of each seed of the direct model less those
    of each seed of the lifted one; spreads: of either model's figures. beside: those of `BESIDE` on
    the same pictures, None where one has no score."""

    pair: Pair
    by_seed: np.ndarray
    spreads: tuple[float, float]
    beside: tuple[float | None, ...]

    @property
    def sure(self) -> bool:
        """Whether the interval over pictures leaves out zero."""
        return not self.pair.low <= 0 <= self.pair.high

    @property
    def agreed(self) -> bool:
        """Whether every pair of seeds says the same."""
        return bool((self.by_seed > 0).all() or (self.by_seed < 0).all())


def lift_over_seeds(
    results: Results, pairs: Sequence[Sequence[str]], absent: Sequence[Sequence[str]] = ()
) -> Table:
    """The table: a row for each benchmark, protocol and pair; its notes begin with what follows, a sentence for each
    pair and benchmark under the first protocol, whichever way it came out.

    pairs: of models, the direct one and the lifted one. absent: pairs that are not compared, each with the models that
    are lacking, in words.
    """
    rows: list[tuple[Cell, ...]] = []
    answers: list[str] = []
    for benchmark in results.benchmarks:
        for direct, lifted in pairs:
            found = [(p, verdict(results, benchmark, direct, lifted, p)) for p in results.protocols]
            answers.append(sentence(benchmark, direct, lifted, *found[0]))
            rows += (_row(results, benchmark, direct, lifted, *one) for one in found)
    caption = "Landmarks in 3D, direct or lifted from 2D, over several seeds"
    without = (f"Not compared: {a} and {b}, as the run has no {names}." for a, b, names in absent)
    return Table(caption, COLUMNS, tuple(rows), (*answers, *without, *NOTES))


def verdict(results: Results, benchmark: str, direct: str, lifted: str, protocol: Protocol) -> Verdict | None:
    """What the scores say of two models; None where there is no figure of both."""
    first, second = (
        [results.scores(run) for run in results.of(benchmark, model)] for model in (direct, lifted)
    )
    pair = compare(first, second, protocol)
    if pair.difference is None:
        return None
    values, yaw = common([*first, *second], protocol)
    strata = strata_of(yaw, protocol)
    figures = np.array([figure_of(row, strata) for row in values])
    ours, theirs = figures[: len(first)], figures[len(first) :]
    spreads = (float(np.ptp(ours)), float(np.ptp(theirs)))
    mean_face = results.scores(results.of(benchmark, direct)[0], MEAN_FACE)
    released = [score for run in results.of(benchmark, TDDFA) for score in results.scores(run)]
    beside = []
    for other in (mean_face, released):
        values, yaw = common([other, *first, *second], protocol)
        beside.append(figure_of(values[0], strata_of(yaw, protocol)) if values.size else None)
    return Verdict(pair, ours[:, None] - theirs, spreads, tuple(beside))


def sentence(benchmark: str, direct: str, lifted: str, protocol: Protocol, found: Verdict | None) -> str:
    """What follows for one pair on one benchmark."""
    where = f"On {benchmark} under {protocol.id}"
    if found is None:
        return f"{where} nothing can be said of {direct} and {lifted}: too few pictures have a score of both."
    pair = found.pair
    numbers = f"{direct} less {lifted} is {pair.difference:+.3f} (95 %: {pair.low:+.3f} to {pair.high:+.3f})"
    if not found.sure:
        return f"{where} the two cannot be told apart: {numbers}, an interval that holds zero."
    better, worse = (lifted, direct) if pair.difference > 0 else (direct, lifted)
    if not found.agreed:
        low, high = found.by_seed.min(), found.by_seed.max()
        return (
            f"{where} these weights of {better} do better than these of {worse}, but other seeds may turn that round: "
            f"{numbers}, and between single seeds from {low:+.3f} to {high:+.3f}."
        )
    kinds = {direct: "direct", lifted: "lifted"}
    names = f"{better} ({kinds[better]}) does better than {worse} ({kinds[worse]})"
    return f"{where} {names} with every pair of seeds: {numbers}."


def _row(
    results: Results, benchmark: str, direct: str, lifted: str, protocol: Protocol, found: Verdict | None
) -> tuple[Cell, ...]:
    seeds = min(len(results.of(benchmark, model)) for model in (direct, lifted))
    names: tuple[Cell, ...] = (benchmark, protocol.id, direct, lifted)
    if found is None:
        return (*names, 0, seeds, *[None] * (10 + len(BESIDE)))
    pair = found.pair
    better = None
    if found.sure and found.agreed:
        better = lifted if pair.difference > 0 else direct
    figures = (pair.first, pair.second, pair.difference, pair.low, pair.high, *found.spreads)
    return (
        *names,
        pair.common,
        seeds,
        *figures,
        float(found.by_seed.min()),
        float(found.by_seed.max()),
        better,
        *found.beside,
    )
