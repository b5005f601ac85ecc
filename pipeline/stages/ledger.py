"""ledger: the balance of every data set, in one table and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.io.ledger import Balance, read_balance
from pipeline.io.tables import write_tsv
from pipeline.records import Reason

COLUMNS = ("dataset", "frame", "target", "pictures", "source", "kept", "reaped", *(r.code for r in Reason))


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Print and write the balance: `inputs` lists source, kept, reaped, in the order of `settings` sets, which are
    (frame, target, data set) each; `outputs` ledger (tsv)."""
    rows = []
    files = zip(settings["sets"], inputs["source"], inputs["kept"], inputs["reaped"], strict=True)
    for (frame, target, dataset), source, kept, reaped in files:
        counts = read_balance(source, kept, reaped)
        print(describe(f"{dataset} ({frame}, {target})", counts))
        reasons = [counts.reaped.get(reason.code, 0) for reason in Reason]
        total = counts.source - counts.kept
        rows.append((dataset, frame, target, counts.pictures, counts.source, counts.kept, total, *reasons))
    write_tsv(outputs["ledger"], COLUMNS, rows)


def describe(title: str, counts: Balance) -> str:
    """The balance in lines for a person: the sum first, then each reason in words, the most frequent first."""
    total = counts.source - counts.kept
    share = total / counts.source if counts.source else 0.0
    lines = [
        f"{title}: {counts.pictures} pictures, {counts.source} rows = {counts.kept} kept + {total} reaped "
        f"({share:.1%})"
    ]
    for code, count in sorted(counts.reaped.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"  {count:6d}  {Reason.from_code(code).words}")
    return "\n".join(lines)
