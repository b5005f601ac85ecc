"""Under which terms a model stands: those of every picture, face model and file of weights that went into it.

Whether terms allow a product is written down for each text, in `licences.tsv` and in the rows of `sources.tsv`. A text
that neither knows allows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.io import sources
from pipeline.io.files import read_json, sha256_of
from pipeline.io.tables import read_tsv
from pipeline.records import SOURCE_COLUMNS, FacemillError

TABLE = Path(__file__).parent / "licences.tsv"
COLUMNS = ("licence", "commercial", "redistribution", "note")
UNKNOWN_WEIGHTS, UNKNOWN_FILE = "weights of unknown terms", "file of unknown terms"

Licences = dict[str, set[str]]
"""Text of a licence -> what of the model stands under it."""


@cache
def verdicts() -> dict[str, str]:
    """Text of a licence -> whether it allows commercial use: yes, no or unknown."""
    found = {row["licence"]: row["commercial"] for row in read_tsv(TABLE, COLUMNS)}
    for row in sources.sources().values():
        if found.setdefault(row.licence, row.commercial) != row.commercial:
            raise FacemillError(
                f"{sources.TABLE}: {row.licence!r} allows commercial use in one row and not in another"
            )
    return found


def verdict(licence: str) -> str:
    """Whether a licence allows commercial use: yes, no, or unknown, as for every text that nobody has read."""
    return verdicts().get(licence, "unknown")


def of_pictures(tables: Iterable[str | Path]) -> Licences:
    """The licences of the pictures in source tables."""
    found: Licences = {}
    for table in tables:
        for row in read_tsv(table, SOURCE_COLUMNS):
            licence = row["licence"] or "pictures of unknown terms"
            found.setdefault(licence, set()).add(f"pictures of {Path(table).stem}")
    return found


def of_face_models(models: Iterable[tuple[str, str, str]]) -> Licences:
    """The licences of face models (name, licence, what it is the truth of)."""
    found: Licences = {}
    for name, licence, of in models:
        found.setdefault(licence, set()).add(f"face model {name}{of and f' of {of}'}")
    return found


def of_weights(files: Iterable[tuple[str, str]]) -> Licences:
    """The licences behind files of weights (where it stands, what it did): those of the card beside it, of the note
    of a fetched file, or of the published file that has the same bytes."""
    found: Licences = {}
    for path, what in files:
        for licence, parts in _of_weights(Path(path)).items():
            found.setdefault(licence, set()).update(f"{what}: {part}" for part in parts)
    return found


def of_files(files: Iterable[tuple[str, str]]) -> Licences:
    """The licences of charts and masks (where it stands, what it did): those of the published file that has the same
    bytes; the terms of any other file are unknown."""
    found: Licences = {}
    for path, what in files:
        row = sources.by_content(sha256_of(path))
        found.setdefault(row.licence if row else UNKNOWN_FILE, set()).add(
            f"{what}: {row.id if row else Path(path).name}"
        )
    return found


def _of_weights(path: Path) -> Licences:
    if path.suffix == ".json":
        row = sources.source(read_json(path)["source"])
        return {row.licence: {f"weights {row.id}"}}
    card = path.with_name("card.json") if path.name == "weights.safetensors" else path.with_suffix(".json")
    if card.is_file():
        return of_card(read_json(card), path.name)
    row = sources.by_content(sha256_of(path))
    return {row.licence if row else UNKNOWN_WEIGHTS: {f"weights {row.id if row else path.name}"}}


def of_card(card: Mapping[str, Any], name: str) -> Licences:
    """The licences that a model's card lists; of a card without any, unknown terms."""
    if isinstance(card.get("licences"), Mapping):
        return {licence: set(parts) for licence, parts in card["licences"].items()}
    return {UNKNOWN_WEIGHTS: {f"weights {name}"}}


def joined(*parts: Licences) -> dict[str, list[str]]:
    """Several lists of licences as one, sorted, as a card holds it."""
    found: Licences = {}
    for part in parts:
        for licence, things in part.items():
            found.setdefault(licence, set()).update(things)
    return {licence: sorted(found[licence]) for licence in sorted(found)}
