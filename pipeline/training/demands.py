"""How a training task refuses keywords that it cannot work with: `FacemillError` that names the first."""

from __future__ import annotations

import math

from pipeline.records import FacemillError


def weights(**values: float) -> None:
    """Weights of losses: finite, 0 or more."""
    for name, value in values.items():
        _require(name, value, math.isfinite(value) and value >= 0, "a weight that is not negative")


def positive(**values: float) -> None:
    """Numbers that are divided by, or without which nothing is learnt: finite, above 0."""
    for name, value in values.items():
        _require(name, value, math.isfinite(value) and value > 0, "a positive number")


def shares(**values: float) -> None:
    """Shares and probabilities: 0 to 1."""
    for name, value in values.items():
        _require(name, value, 0 <= value <= 1, "a share from 0 to 1")


def counts(**values: int) -> None:
    """How many: 0 or more."""
    for name, value in values.items():
        _require(name, value, value >= 0, "a count that is not negative")


def _require(name: str, value: float, fits: bool, expected: str) -> None:
    if not fits:
        raise FacemillError(f"task.{name}: expected {expected}, found {value}; set task.{name}")
