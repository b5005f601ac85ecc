"""Direct 3D landmarks against 2D landmarks lifted to 3D: the student project's own numbers, and what ours say of it.

Code: github.com/antoinedandi/FaceAlignment, 2020. Its claim, that lifting is better, rests on
the losses of two trainings.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.registry import TABLES
from pipeline.tables.beside import beside
from pipeline.tables.comparison import compare
from pipeline.tables.paper import LOG, UNMEASURED, Heading, Method, Paper, Part
from pipeline.tables.results import Results
from pipeline.tables.table import Table

DIRECT, LIFTED = "direct3d", "lift3d"
NMES = ("nme68_2d", "nme68_3d", "nme68_3d_zmean", "nme68_3d_similarity")

PAPER = Paper(
    "Landmarks in 3D, direct or lifted from 2D: loss (mean square of coordinates less 100 over 50) and NME in per cent",
    (
        Part(
            (
                Heading(None, (), "least loss", "training log", beside=False),
                Heading(None, (), "loss of the weights kept as best", "training log", beside=False),
                *(Heading(None, (name,), "balanced", "") for name in NMES),
            ),
            (
                Method("direct 3D", LOG, (0.0888, 0.0888, *[UNMEASURED] * 4), ours=(DIRECT,)),
                Method("2D, then lifted", LOG, (0.0869, 0.147, *[UNMEASURED] * 4), ours=(LIFTED,)),
            ),
        ),
    ),
    (
        "The logged loss is called validation loss and is that of the training pictures: its loop reads the training "
        "loader. 0.0888 and 0.0869 are 14.9 and 14.7 pixels a coordinate. It says nothing of new faces, and no "
        "protocol has it.",
        "The lifted model joins 136 and 68 outputs against a target that runs x, y, z by point: its first part learns "
        "all of points 0 to 44, its second the rest, so that it neither detects in 2D nor lifts. Ours is put together "
        "as the description says.",
        "Training and test files share all 347 people.",
    ),
    digits=4,
)


@TABLES.register("lift")
def lift(results: Results) -> Table:
    """The project's losses, ours by NME, and as notes the paired difference of our two models on every benchmark."""
    return beside(PAPER, results, tuple(_verdicts(results)))


def _verdicts(results: Results) -> Iterator[str]:
    for benchmark in results.benchmarks:
        both = [[results.scores(run) for run in results.of(benchmark, model)] for model in (DIRECT, LIFTED)]
        for protocol in results.protocols:
            if not all(both) or protocol.id not in NMES:
                continue
            pair = compare(*both, protocol)
            if pair.difference is not None:
                yield (
                    f"{DIRECT} less {LIFTED} on {benchmark} under {protocol.id}: {pair.difference:+.2f} (95 %: "
                    f"{pair.low:+.2f} to {pair.high:+.2f}) over {pair.common} pictures that both scored."
                )
