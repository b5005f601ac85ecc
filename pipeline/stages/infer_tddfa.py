"""infer_tddfa: 3DDFA_V2's released network on a benchmark's faces -> predictions, stored once as a model's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.config import TddfaSettings
from pipeline.detect.tddfa_pictures import label_pictures, load_labeller, read_faces
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.predictions import Answers
from pipeline.evaluation.reference import TARGET, faces_of_pack, write_labels
from pipeline.io.files import expand
from pipeline.io.tables import read_tsv
from pipeline.morphable import load_face_model
from pipeline.records import SOURCE_COLUMNS


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Predict every face of one benchmark: `inputs` source, pack (whose faces they are), the list detections (one a
    shard); `outputs` predictions (h5); `settings` root, whole (the picture is the crop already), tddfa, face_model.
    FacemillError for a face model whose modes are not the network's."""
    torch.set_num_threads(1)
    options = TddfaSettings.model_validate(settings["tddfa"])
    model = load_face_model(**settings["face_model"])
    path = settings["face_model"]["path"]
    labeller = load_labeller(options, model, path, "evaluation.tddfa", "evaluation.tddfa.weights")
    pack = Path(inputs["pack"])
    detected = {p: faces for shard in inputs["detections"] for p, faces in read_faces(shard).items()}
    rows, faces = read_tsv(inputs["source"], SOURCE_COLUMNS), faces_of_pack(pack, detected)
    labels = label_pictures(labeller, rows, faces, expand(settings["root"]), bool(settings["whole"]))
    answers = Answers(TARGET, Chart(model))
    write_labels(labels, pack, Path(outputs["predictions"]), answers, attributes)
