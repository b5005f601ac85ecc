"""synthesise: numbers -> pictures and .mat files of one shard of a synthetic data set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config import SyntheticSettings
from pipeline.datasets.synthetic import writer
from pipeline.datasets.synthetic.anatomy import HeadModel
from pipeline.datasets.synthetic.picture import Synthesiser
from pipeline.datasets.synthetic.plan import shard_indices
from pipeline.io import hdf5
from pipeline.io.tables import write_tsv
from pipeline.morphable import load_face_model

MANIFEST_COLUMNS = ("file", "sha256")


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Render one shard, pictures index % shards == shard: `outputs` manifest (tsv) and truth (h5); `settings`
    images (the folder for pictures and .mat files), seed, shards, face_model and synthetic."""
    options = SyntheticSettings.model_validate(settings["synthetic"])
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    indices = shard_indices(options.pictures, shard, shards)
    traits = HeadModel(load_face_model(**settings["face_model"]))
    synthesiser = Synthesiser(options, traits, int(settings["seed"]), wildcards["dataset"])
    folder = Path(settings["images"])
    writer.remove_stale(folder, shard, shards)
    files, truth = [], []
    for index in indices:
        name, rendered = synthesiser.name(index), synthesiser.picture(index)
        made = writer.files_of(name, rendered)
        writer.write_files(folder, made)
        files += [(file, hashlib.sha256(data).hexdigest()) for file, data in made.items()]
        truth += writer.truth_rows(name, rendered)
    with hdf5.create(outputs["truth"], writer.TRUTH, len(truth), attributes=attributes) as file:
        for row, values in enumerate(truth):
            for field, value in values.items():
                file[field][row] = value
    write_tsv(outputs["manifest"], MANIFEST_COLUMNS, files)
