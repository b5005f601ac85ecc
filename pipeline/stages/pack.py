"""pack: the kept faces of one split -> one HDF5 file, one chunk a sample, its contract checked.

A truth of nothing but zeros stays unwritten: it reads the same and takes no room (the bits of a volume whose columns
hold it already).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import h5py

from pipeline.config import TargetSettings
from pipeline.io import hdf5
from pipeline.io.tables import read_tsv
from pipeline.records import CROPS, DENSE, GROUND_TRUTH, KEPT_COLUMNS, PACK, Contract, FacemillError
from pipeline.registry import TARGETS

OF_CROP = ("image", "detected68")
KeptRow = Mapping[str, str]


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Pack one split: `inputs` kept, and lists crops and ground_truth, one a shard in order; `outputs` pack (h5);
    `settings` seed, validation, benchmark, truth (its kind) and, of dense truth, target. `FacemillError` when nothing
    is left to pack."""
    rows = read_tsv(inputs["kept"], KEPT_COLUMNS)
    split = wildcards["split"]
    chosen = (
        rows if settings["benchmark"] else split_rows(rows, settings["validation"], settings["seed"])[split]
    )
    if not chosen:
        raise FacemillError(
            f"{wildcards['dataset']}: no kept face for the split {split!r} ({len(rows)} kept in all); see "
            f"{inputs['kept']} and reaped.tsv beside it; without enough photographs set "
            f"datasets.{wildcards['dataset']}.validation to 0"
        )
    truth_contract, contract, of_target = _contracts(settings)
    made = contract.fields.keys() - PACK.fields.keys()
    with ExitStack() as stack:
        truths = [
            stack.enter_context(hdf5.open_checked(path, truth_contract)) for path in inputs["ground_truth"]
        ]
        crops = [stack.enter_context(hdf5.open_checked(path, CROPS)) for path in inputs["crops"]]
        sizes = _sizes(contract, [*crops, *(truth for truth in truths if len(truth["face"]))])
        more = {**attributes, **of_target, "colour": crops[0].attrs["colour"]}
        names = [(hdf5.texts(t["face"]), hdf5.texts(c["face"])) for t, c in zip(truths, crops, strict=True)]
        with hdf5.create(outputs["pack"], contract, len(chosen), sizes, more) as file:
            for k, row in enumerate(chosen):
                shard, place = int(row["shard"]), int(row["row"])
                crop = int(truths[shard]["crop_row"][place])
                _check(row["face"], names[shard][0][place], names[shard][1][crop])
                for name in file:
                    if name == "group":
                        file[name][k] = row["group"]
                    elif name in OF_CROP:
                        file[name][k] = crops[shard][name][crop]
                    else:
                        value = truths[shard][name][place]
                        if name not in made or value.any():
                            file[name][k] = value


def _contracts(settings: Mapping[str, Any]) -> tuple[Contract, Contract, Mapping[str, Any]]:
    """What ground truth and pack must hold, and the attributes of the target, if there is one."""
    if settings["truth"] != DENSE:
        return GROUND_TRUTH.of_truth(settings["truth"]), PACK.of_truth(settings["truth"]), {}
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    return GROUND_TRUTH.extended(**target.fields), PACK.extended(**target.fields), target.attributes


def split_rows(rows: Sequence[KeptRow], validation: float, seed: int) -> dict[str, list[KeptRow]]:
    """Rows of 'train' and 'val': whole groups (photographs, identities), the share of them nearest `validation`.

    With a share above 0 and two groups or more, at least one group is held out and at least one is left.
    """
    groups = sorted({row["group"] for row in rows}, key=lambda group: _key(seed, group))
    count = round(validation * len(groups))
    if validation > 0 and len(groups) > 1:
        count = min(max(count, 1), len(groups) - 1)
    held = set(groups[:count])
    return {
        "train": [row for row in rows if row["group"] not in held],
        "val": [row for row in rows if row["group"] in held],
    }


def _key(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}\x1f{group}".encode()).hexdigest()


def _sizes(contract: Contract, files: Sequence[h5py.File]) -> dict[str, int]:
    """The sizes that the contract leaves open, as the files have them."""
    sizes: dict[str, int] = {}
    for name, field in contract.fields.items():
        for file in files:
            if name in file:
                shape = file[name].shape[1:]
                sizes.update({s: n for s, n in zip(field.shape, shape, strict=True) if isinstance(s, str)})
    return sizes


def _check(kept: str, truth: str, crop: str) -> None:
    if not kept == truth == crop:
        raise FacemillError(
            f"kept.tsv, ground truth and crops disagree on a face: {kept}, {truth}, {crop}; delete the crop and "
            "ground_truth results of this data set and run the same command again"
        )
