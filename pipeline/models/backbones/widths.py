"""How the papers' networks round the channel counts that a width factor gives."""

from __future__ import annotations

from pipeline.records import FacemillError


def scaled(channels: float, width: float, divisor: int) -> int:
    """`channels * width` as a multiple of `divisor`, at least one of them and never more than 10 % too few (MobileNetV2
    and GhostNet round so)."""
    wanted = channels * width
    rounded = max(divisor, int(wanted + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * wanted else rounded


def require_width(network: str, width: float, stem: int) -> None:
    """`FacemillError` for a width factor that leaves the first layer, of `stem` channels at 1, without any."""
    if int(stem * width) < 1:
        raise FacemillError(f"{network} takes a width of at least 1/{stem}; found {width}")
