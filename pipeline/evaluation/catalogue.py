"""All protocols on one page: per family what their files set, and for each whose figure it is and what is uncertain."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.measures.pose import ANGLES
from pipeline.evaluation.protocols import Protocol

FAMILIES = {
    "landmarks68": "68 landmarks",
    "face": "Dense points",
    "vertices": "Dense points",
    "noneck": "Dense points",
    "visible21": "Visible points",
    "visible34": "Visible points",
    "nearest": "Surfaces",
    "rigid": "Surfaces",
    "script": "Surfaces",
    "known": "Surfaces",
    "scan_to_mesh": "Surfaces",
    "scan": "Scans",
    "pose": "Head pose",
    "volume": "Volumes",
}
"""Points of a measure, the truth of one of scans, else its kind -> the family's heading, in the order of the page."""
LABELS = {"paper": "Whose", "source": "Recipe", "uncertain": "Uncertain", "crops": "Crops in the papers"}
"""Texts of a protocol's file -> the words before them."""
NONE = "none"
WIDTH = 118
"""Characters of a line of text."""
SETTINGS = ("yaw", "bins", "exclude_beyond", "aggregate", "worst", "limit", "better", "unit")
"""Of a protocol, beside those of its measure."""


def markdown(protocols: Sequence[Protocol]) -> str:
    """A section for each family: the settings that its files share, a table of those that differ, one item a protocol.

    A variant stands in the family of the protocol that it is a variant of, and its item leaves out what stands there.
    """
    by_id = {protocol.id: protocol for protocol in sorted(protocols, key=lambda one: one.id)}
    families: dict[str, list[Protocol]] = {heading: [] for heading in FAMILIES.values()}
    for protocol in by_id.values():
        families[family_of(protocol, by_id)].append(protocol)
    sections = [_section(heading, members) for heading, members in families.items() if members]
    return "\n\n".join(sections) + "\n"


def family_of(protocol: Protocol, by_id: Mapping[str, Protocol]) -> str:
    """The heading under which a protocol stands among others."""
    base = _base(protocol.id, by_id)
    if base is not None:
        return family_of(by_id[base], by_id)
    measure = protocol.measure.model_dump()
    if measure.get("truth") == "scan":
        return FAMILIES["scan"]
    return FAMILIES[measure.get("points", measure["kind"])]


def settings_of(protocol: Protocol) -> dict[str, str]:
    """What a protocol's file sets, and what stands by default where it does not, as text."""
    measure = protocol.measure.model_dump()
    values = {"kind": measure.pop("kind"), **measure, **{key: getattr(protocol, key) for key in SETTINGS}}
    gridless = values.get("points", "face") != "face"
    return {key: _said(value) for key, value in values.items() if not (gridless and key == "grid")}


def _section(heading: str, members: Sequence[Protocol]) -> str:
    by_id = {protocol.id: protocol for protocol in members}
    values = {name: settings_of(protocol) for name, protocol in by_id.items()}
    keys = list(dict.fromkeys(key for found in values.values() for key in found))
    differ = [key for key in keys if len({found.get(key) for found in values.values()}) > 1]
    first = next(iter(values.values()))
    same = [f"{key} {first[key]}" for key in keys if key not in differ and first[key] != NONE]
    crops = {protocol.crops for protocol in members} - {_default("crops")}
    shared = crops.pop() if len(crops) == 1 else ""
    head = f"All of them: {', '.join(same)}."
    head += _coded(f" Crops in the papers: {shared}.") if shared else ""
    parts = [f"### {heading}", _filled(head)]
    if differ:
        parts.append(_table(values, differ))
    items = [_item(one, by_id, shared) for one in members if _parent_of_angle(one, by_id) is None]
    return "\n\n".join([*parts, "\n".join(items)])


def _table(values: Mapping[str, Mapping[str, str]], keys: Sequence[str]) -> str:
    """A column for each setting; where files of several kinds have few in common, their settings in one column."""
    if "kind" in keys:
        lines = [["id", "settings"], ["---"] * 2]
        lines += [
            [f"`{name}`", ", ".join(f"{key} {found[key]}" for key in keys if found.get(key, NONE) != NONE)]
            for name, found in values.items()
        ]
    else:
        lines = [["id", *keys], ["---"] * (len(keys) + 1)]
        lines += [[f"`{name}`", *(found.get(key, "") for key in keys)] for name, found in values.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _item(protocol: Protocol, by_id: Mapping[str, Protocol], crops: str) -> str:
    base = by_id.get(_base(protocol.id, by_id))
    said = [f"- `{protocol.id}`: **{protocol.title}**."]
    for key, label in LABELS.items():
        text = getattr(protocol, key)
        if text not in (_default(key), crops, base and getattr(base, key)):
            said.append(f"*{label}:* {_coded(text.strip().rstrip('.'))}.")
    angles = [f"`{name}`" for name, one in by_id.items() if _parent_of_angle(one, by_id) == protocol.id]
    if angles:
        said.append(f"*One angle each:* {', '.join(angles)}.")
    if protocol.beside:
        said.append(f"*Beside it:* `{protocol.beside}`.")
    if protocol.default is not None:
        said.append("Scored by default.")
    return _filled(" ".join(said), "  ")


def _coded(text: str) -> str:
    """A text with ids, and other names that have an underscore, as code."""
    return re.sub(r"(?<![\w.])([a-z0-9]+(?:_\w+)+)", r"`\1`", text)


def _default(key: str) -> Any:
    return Protocol.model_fields[key].default


def _base(name: str, names: Mapping[str, Protocol]) -> str | None:
    """The protocol whose variant this one is: the longest id that its own begins with."""
    return max((other for other in names if name.startswith(f"{other}_")), key=len, default=None)


def _parent_of_angle(protocol: Protocol, by_id: Mapping[str, Protocol]) -> str | None:
    """Of a head-pose protocol of one angle, the protocol of their mean."""
    alone = protocol.measure.model_dump().get("measure") in ANGLES
    return _base(protocol.id, by_id) if alone else None


def _said(value: Any) -> str:
    if value is None or value == {}:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return " / ".join(
            name if f"{upper:g}" in name else f"{name} (to {upper:g})" for name, upper in value.items()
        )
    if isinstance(value, list):
        return f"of {len(value)} points"
    return str(value)


def _filled(text: str, indent: str = "") -> str:
    plain = " ".join(text.split())
    return textwrap.fill(
        plain, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
