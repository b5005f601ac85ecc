"""Truths with noise of a known size: the mean distance of Gaussian noise is known in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.measures import PointError, PoseError
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.sanity import world
from pipeline.evaluation.sanity.analytic import plain
from pipeline.evaluation.sanity.moved import Moved
from pipeline.evaluation.sanity.row import Row
from pipeline.geometry.euler import rotation_from_angles

SIGMA = 2.0
"""px of noise in each coordinate."""
MEAN_DISTANCE = {2: np.sqrt(np.pi / 2), 3: np.sqrt(8 / np.pi)}
"""Mean distance of points that are off by unit Gaussian noise in 2 or 3 coordinates (Rayleigh, Maxwell)."""
DEVIATION = {2: np.sqrt(2 - np.pi / 2), 3: np.sqrt(3 - 8 / np.pi)}
ALIGNED = ("none", "z_mean")
"""Rules for depth under which the noise stays what it is; the least z of noisy points has no closed form."""
BOUND = 5.0
"""Standard errors that a mean may be off."""


def rows(chart: Chart, protocols: Sequence[Protocol]) -> Iterator[Row]:
    """The noise cases of every protocol that has a known answer to them."""
    for protocol in protocols:
        measure = protocol.measure
        truths = world.truths(chart, protocol)
        if isinstance(measure, PointError) and measure.align in ALIGNED and measure.mapping is None:
            yield _noise(protocol, measure, truths)
        if isinstance(measure, PoseError) and measure.measure == "geodesic":
            yield _jitter(protocol, truths)


def _noise(protocol: Protocol, measure: PointError, truths: Sequence) -> Row:
    random = np.random.default_rng(0)
    noisy = [Moved(truth, lambda points: points + random.normal(0, SIGMA, points.shape)) for truth in truths]
    sizes = np.array([measure.size(truth) for truth in truths])
    d = measure.dimensions
    expected = (100 * SIGMA * MEAN_DISTANCE[d] / sizes).mean()
    count = len(measure.true_points(truths[0])) * len(truths)
    error = 100 * SIGMA * DEVIATION[d] / sizes.mean() / np.sqrt(count)
    case = f"noise of {SIGMA:g} px in each coordinate"
    return Row("perturbed", protocol.id, case, float(expected), plain(protocol, truths, noisy), BOUND * error)


def _jitter(protocol: Protocol, truths: Sequence) -> Row:
    random = np.random.default_rng(1)
    angles = random.uniform(1, 20, len(truths))
    turns = [rotation_from_angles(*np.radians([0, 0, angle])) for angle in angles]
    turned = [Moved(truth, turn=turn) for truth, turn in zip(truths, turns, strict=True)]
    case = "each head turned by an angle of its own"
    return Row("perturbed", protocol.id, case, float(angles.mean()), plain(protocol, truths, turned), 1e-6)
