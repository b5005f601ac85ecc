"""Keywords of training tasks that nothing can be learnt with are refused by name."""

import pytest

from pipeline.records import FacemillError
from pipeline.training import demands


@pytest.mark.parametrize(
    ("demand", "value", "words"),
    [
        (demands.weights, -0.1, "a weight that is not negative"),
        (demands.weights, float("inf"), "a weight that is not negative"),
        (demands.positive, 0.0, "a positive number"),
        (demands.positive, float("nan"), "a positive number"),
        (demands.shares, 1.01, "a share from 0 to 1"),
        (demands.shares, float("nan"), "a share from 0 to 1"),
        (demands.counts, -5, "a count that is not negative"),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_found(demand, value, words):
    with pytest.raises(
        FacemillError, match=rf"^task\.sigma: expected {words}, found {value}; set task\.sigma$"
    ):
        demand(other=1, sigma=value)


@pytest.mark.parametrize("demand", [demands.weights, demands.positive, demands.shares, demands.counts])
def test_what_fits_passes(demand):
    demand(sigma=1)
    assert demand() is None
