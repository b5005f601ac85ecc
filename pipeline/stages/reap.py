"""reap: the status rows of all stages -> kept.tsv and reaped.tsv. It joins and counts; it deletes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.io import leaks
from pipeline.io.ledger import balance
from pipeline.io.tables import read_status, read_tsv, write_tsv
from pipeline.records import (
    KEPT_COLUMNS,
    REAPED_COLUMNS,
    SOURCE_COLUMNS,
    FacemillError,
    Reason,
    StatusRow,
)

STAGES = ("detect", "crop", "label", "ground_truth")
"""In the order in which they may reap a face; `label` is a stage of data sets with the labeller's labels alone."""


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Join one data set in one frame and target: `inputs` source, and lists of status files detect, crop,
    ground_truth and, where the data set has it, label, one a shard in order, and leaks, one for a training set;
    `outputs` kept and reaped (tsv). Raises when the balance is off."""
    source = read_tsv(inputs["source"], SOURCE_COLUMNS)
    stages = [stage for stage in STAGES if stage != "label" or stage in inputs]
    status = {stage: [read_status(path) for path in inputs[stage]] for stage in stages}
    found = leaks.read_leaks(inputs["leaks"])
    kept, reaped = join(source, status, leaks.copies(found, wildcards["dataset"]))
    group = leaks.groups(source, found, wildcards["dataset"])
    kept = [(face, name, split, group[name], *place) for face, name, split, _, *place in kept]
    balance(
        source,
        (dict(zip(KEPT_COLUMNS, map(str, row), strict=True)) for row in kept),
        (dict(zip(REAPED_COLUMNS, row, strict=True)) for row in reaped),
    )
    write_tsv(outputs["kept"], KEPT_COLUMNS, kept)
    write_tsv(outputs["reaped"], REAPED_COLUMNS, reaped)


def join(
    source: Sequence[Mapping[str, str]],
    status: Mapping[str, Sequence[Sequence[StatusRow]]],
    copies: Mapping[str, Mapping[str, str]],
) -> tuple[list[tuple], list[tuple]]:
    """Rows of kept.tsv and reaped.tsv, in the order of the source and of the faces in each picture.

    status: stage -> one list of rows a shard, stages in their order. A kept row's `shard` and `row` say where its
    sample stands in the ground truth. copies: picture -> the row that says which benchmark's picture it repeats.
    `FacemillError` for a face that a stage let through and the next one does not mention.
    """
    first, *_, last = status
    place: dict[str, tuple[int, int]] = {}
    for shard, rows in enumerate(status[last]):
        going = [row.face for row in rows if row.reason is None]
        place.update({face: (shard, k) for k, face in enumerate(going)})
    found = {stage: _by_face(stage, (row for rows in status[stage] for row in rows)) for stage in status}
    faces: dict[str, list[str]] = {}
    for row in found[first].values():
        faces.setdefault(row.picture, []).append(row.face)
    kept, reaped = [], []
    for picture in source:
        name, split = picture["id"], picture["split"]
        for face in faces.get(name, [name]):
            if picture["duplicate_of"]:
                verdict = StatusRow(
                    face, name, "source", Reason.DUPLICATE, None, f"same bytes as {picture['duplicate_of']}"
                )
            elif name in copies:
                verdict = leaks.reaping(face, copies[name])
            else:
                verdict = _verdict(face, found)
            if verdict is None:
                kept.append((face, name, split, picture["group"], *place[face]))
            else:
                _, _, stage, code, value, detail = verdict.cells()
                words = Reason.from_code(code).words
                reaped.append((face, name, split, stage, code, words, value, detail))
    return kept, reaped


def _by_face(stage: str, rows: Iterable[StatusRow]) -> dict[str, StatusRow]:
    found: dict[str, StatusRow] = {}
    for row in rows:
        if row.face in found:
            raise FacemillError(f"the ledger is off: {stage} speaks twice of {row.face}")
        found[row.face] = row
    return found


def _verdict(face: str, found: Mapping[str, Mapping[str, StatusRow]]) -> StatusRow | None:
    """The row that reaps a face, or None for one that every stage let through."""
    for stage, rows in found.items():
        if face not in rows:
            raise FacemillError(
                f"the ledger is off: {stage} says nothing of {face}; delete the {stage} results of this data set and "
                "run the same command again"
            )
        if rows[face].reason is not None:
            return rows[face]
    return None
