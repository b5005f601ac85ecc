"""Cases with known answers: the truth itself, shifted, turned, counted from another pixel; pictures that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.measures import PointError, PoseError, RigidError, Surface, VolumeOverlap
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.report import figures
from pipeline.evaluation.sanity import world
from pipeline.evaluation.sanity.moved import Move, Moved
from pipeline.evaluation.sanity.row import Row
from pipeline.evaluation.score import Score, score_face, score_given
from pipeline.evaluation.shapes import PoseShape, Shape
from pipeline.evaluation.truth import Truth
from pipeline.geometry.euler import rotation_from_angles

EXACT = 1e-5
"""Rounding of dense points, which are single precision."""
SHIFT = np.array([3.0, 4.0, 0.0])
NEARER = np.array([0.0, 0.0, 25.0])
TURN = 10.0
"""Degrees by which the head is turned about the viewer's axis."""


def rows(chart: Chart, protocols: Sequence[Protocol]) -> Iterator[Row]:
    """Every case that says something about a protocol, for every protocol."""
    for protocol in protocols:
        truths = world.truths(chart, protocol)
        yield from _of_any(protocol, truths)
        if isinstance(protocol.measure, PointError):
            yield from _of_points(protocol, protocol.measure, truths)
        if isinstance(protocol.measure, Surface) and not isinstance(protocol.measure, RigidError):
            yield from _of_surface(protocol, truths)
        if isinstance(protocol.measure, PoseError):
            yield from _of_pose(protocol, protocol.measure, truths)
            yield from _beyond(protocol, truths, world.beyond(chart, protocol))


def plain(protocol: Protocol, truths: Sequence[Truth], predicted: Sequence[Shape | None]) -> float | None:
    """The mean over some faces."""
    return figures(_scores(protocol, truths, predicted), protocol)["plain"]


def _scores(protocol: Protocol, truths: Sequence[Truth], predicted: Sequence[Shape | None]) -> list[Score]:
    pairs = zip(predicted, truths, strict=True)
    return [score for shape, truth in pairs for score in score_face(shape, truth, [protocol])]


def _row(protocol: Protocol, case: str, expected: float, got: float | None, tolerance: float = EXACT) -> Row:
    return Row("analytic", protocol.id, case, float(expected), got, tolerance)


def _perfect(truth: Truth, protocol: Protocol) -> Shape:
    """The truth as a prediction. Under a decode that is not the inverse of the labels' convention, as angles: a perfect
    rotation has an error there, which is a case of its own."""
    measure = protocol.measure
    if isinstance(measure, PoseError) and measure.decode != "exact":
        return PoseShape(np.degrees(truth.angles))
    return Moved(truth)


def _of_any(protocol: Protocol, truths: Sequence[Truth]) -> Iterator[Row]:
    best = 1.0 if isinstance(protocol.measure, VolumeOverlap) else 0.0
    perfect = {truth.picture: _perfect(truth, protocol) for truth in truths}
    scores = _scores(protocol, truths, list(perfect.values()))
    yield _row(protocol, "the truth itself", best, figures(scores, protocol)["plain"])
    swapped, _ = score_given(dict(reversed(perfect.items())), truths, [protocol])
    yield _row(
        protocol, "the truth itself, pictures in another order", best, figures(swapped, protocol)["plain"]
    )
    lost = figures([*_scores(protocol, truths[:1], [None]), *scores[1:]], protocol)
    share = (protocol.worst + best * (len(truths) - 1)) / len(truths)
    yield _row(protocol, "one picture of six without a prediction", share, lost["plain_with_failures"])
    yield _row(protocol, "the other five", best, lost["plain"])


def _of_points(protocol: Protocol, measure: PointError, truths: Sequence[Truth]) -> Iterator[Row]:
    sizes = np.array([measure.size(truth) for truth in truths])
    moved = [Moved(truth, _shifted(SHIFT)) for truth in truths]
    fitted = measure.align in ("rigid", "similarity")
    expected = 0.0 if fitted else (100 * np.linalg.norm(SHIFT) / sizes).mean()
    yield _row(protocol, "shifted by (3, 4) px", expected, plain(protocol, truths, moved))
    if measure.labels == "original":
        other = [Moved(truth, origin=0) for truth in truths]
        apart = 100 * np.sqrt(2) / sizes
        expected = apart.mean() if measure.pixels == "legacy" and not fitted else 0.0
        yield _row(
            protocol, "the truth in a file that counts from 0", expected, plain(protocol, truths, other)
        )
    if measure.dimensions == 3 and measure.align != "none":
        deeper = [Moved(truth, _shifted(NEARER)) for truth in truths]
        yield _row(protocol, "25 px nearer", 0.0, plain(protocol, truths, deeper))
    if measure.align == "similarity":
        turned = [Moved(truth, _turned) for truth in truths]
        yield _row(protocol, "turned by 10 degrees, 1.2 times as large", 0.0, plain(protocol, truths, turned))


def _shifted(by: np.ndarray) -> Move:
    return lambda points: points + by[: points.shape[1]]


def _turned(points: np.ndarray) -> np.ndarray:
    rotation = rotation_from_angles(0.1, -0.2, np.radians(TURN))
    return 1.2 * points @ rotation.T + [5, -7, 9] if points.shape[1] == 3 else points


def _of_surface(protocol: Protocol, truths: Sequence[Truth]) -> Iterator[Row]:
    moved = [Moved(truth, _shifted(SHIFT)) for truth in truths]
    yield _row(protocol, "shifted by (3, 4) px", 0.0, plain(protocol, truths, moved))


def _of_pose(protocol: Protocol, measure: PoseError, truths: Sequence[Truth]) -> Iterator[Row]:
    if measure.measure == "geodesic":
        turn = rotation_from_angles(0, 0, np.radians(TURN))
        turned = [Moved(truth, turn=turn) for truth in truths]
        yield _row(protocol, "turned by 10 degrees", TURN, plain(protocol, truths, turned))
        return
    offset = np.array([3.0, -6.0, 9.0])
    said = [PoseShape(np.degrees(truth.angles) + offset) for truth in truths]
    expected = {"mean": 6.0, "pitch": 3.0, "yaw": 6.0, "roll": 9.0}[measure.measure]
    yield _row(protocol, "angles off by 3, -6 and 9 degrees", expected, plain(protocol, truths, said))
    round_again = [PoseShape(np.degrees(truth.angles) + 360) for truth in truths]
    expected = 0.0 if measure.wrap else 360.0
    yield _row(protocol, "angles and a whole turn", expected, plain(protocol, truths, round_again))


def _beyond(protocol: Protocol, truths: Sequence[Truth], beyond: Truth) -> Iterator[Row]:
    both = [*truths, beyond]
    predicted = [*(PoseShape(np.degrees(truth.angles)) for truth in truths), PoseShape(np.zeros(3))]
    got = figures(_scores(protocol, both, predicted), protocol)["n"]
    yield _row(protocol, "pictures that count, one of seven beyond 99 degrees", len(truths), got, 0.0)
