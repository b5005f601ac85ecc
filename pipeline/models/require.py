"""How a network refuses settings that it cannot be built from."""

from __future__ import annotations

from pipeline.records import FacemillError


def require(name: str, value: object, fits: bool, expected: str) -> None:
    """`FacemillError` that names the setting, unless its value fits."""
    if not fits:
        raise FacemillError(f"settings.{name}: expected {expected}, found {value!r}; set settings.{name}")
