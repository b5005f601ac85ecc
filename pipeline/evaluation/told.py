"""A protocol and its figures in words, as the command line prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.catalogue import NONE, settings_of
from pipeline.evaluation.protocols import Protocol

NOTHING = "no figure"


def told(protocol: Protocol, figures: Mapping[str, Any]) -> str:
    """Lines of text: what is measured and how, the figures by bin, the means, the failures, and what was not scored."""
    settings = ", ".join(f"{key} {value}" for key, value in settings_of(protocol).items() if value != NONE)
    lines = [f"{protocol.id}: {protocol.title} [{_unit(protocol)}]", f"  {settings}"]
    for name, entry in figures["bins"].items():
        lines.append(
            f"  {name:>12} " + (NOTHING if entry is None else f"{entry['mean']:.3f}   ({entry['n']})")
        )
    for name in ("balanced", "plain") if protocol.bins else ("plain",):
        mark = " <- the protocol's figure" if name == protocol.aggregate else ""
        with_failures = _number(figures[f"{name}_with_failures"])
        lines.append(f"  {name:>12} {_number(figures[name])}   with failures {with_failures}{mark}")
    lines.append(f"  {'median':>12} {_number(figures['median'])}   ({figures['n']} pictures)")
    if figures["auc"] is not None:
        rate = f"{100 * figures['failure_rate']:.2f} % failed or above it"
        lines.append(f"  {'AUC':>12} {figures['auc']:.4f}   up to {protocol.limit:g}, {rate}")
    if figures["left_out"]:
        lines.append(f"  left out by the protocol: {figures['left_out']} pictures")
    lines += [f"  not scored: {count} pictures, {reason}" for reason, count in figures["lacking"].items()]
    if protocol.uncertain:
        lines.append(f"  uncertain: {protocol.uncertain}")
    if protocol.beside:
        lines.append(f"  beside it belongs {protocol.beside}, by known correspondence")
    return "\n".join(lines)


def _unit(protocol: Protocol) -> str:
    unit = {"%": "per cent", "deg": "degrees", "1": "a share"}[protocol.unit]
    return f"{unit}, {protocol.better} is better"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
