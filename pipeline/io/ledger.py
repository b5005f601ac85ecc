"""The balance of a data set: faces and faceless pictures are kept or reaped, and every source picture appears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.io.tables import read_tsv
from pipeline.records import KEPT_COLUMNS, REAPED_COLUMNS, SOURCE_COLUMNS, FacemillError, Reason


@dataclass(frozen=True)
class Balance:
    """Counts of one data set. `source` = `kept` + all of `reaped`; `reaped` is reason code -> rows, no zeros."""

    pictures: int
    source: int
    kept: int
    reaped: dict[str, int]

    def as_values(self) -> dict[str, int | dict[str, int]]:
        """The counts as results/eval/<model>.json holds them."""
        return {
            "pictures": self.pictures,
            "source": self.source,
            "kept": self.kept,
            "reaped": dict(self.reaped),
        }


def balance(
    source: Iterable[Mapping[str, str]],
    kept: Iterable[Mapping[str, str]],
    reaped: Iterable[Mapping[str, str]],
) -> Balance:
    """The counts of the three tables' rows; `FacemillError` when the ledger is off: a face twice, a source picture
    that is nowhere, a row of a picture that the source does not list."""
    pictures = [row["id"] for row in source]
    kept, reaped = list(kept), list(reaped)
    faces = Counter(row["face"] for row in [*kept, *reaped])
    if twice := sorted(face for face, count in faces.items() if count > 1):
        raise FacemillError(f"the ledger is off: {len(twice)} faces stand in it twice, as {twice[0]}")
    seen = {row["picture"] for row in [*kept, *reaped]}
    if lost := sorted(set(pictures) - seen):
        raise FacemillError(f"the ledger is off: {len(lost)} pictures are missing from it, as {lost[0]}")
    if strange := sorted(seen - set(pictures)):
        raise FacemillError(
            f"the ledger is off: {len(strange)} pictures in it are not in the source, as {strange[0]}"
        )
    counts = Counter(row["code"] for row in reaped)
    ordered = {reason.code: counts[reason.code] for reason in Reason if counts[reason.code]}
    return Balance(len(pictures), len(kept) + len(reaped), len(kept), ordered)


def read_balance(source: str | Path, kept: str | Path, reaped: str | Path) -> Balance:
    """The balance of a data set from its three files, checked as `balance` does."""
    return balance(
        read_tsv(source, SOURCE_COLUMNS), read_tsv(kept, KEPT_COLUMNS), read_tsv(reaped, REAPED_COLUMNS)
    )
