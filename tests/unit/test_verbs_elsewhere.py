"""A verb does its work from whatever folder it is typed in; results name no folder of this machine."""

import cv2
import h5py
import numpy as np
import yaml

from pipeline.__main__ import main
from tests.project import ROOT


def test_detect_finds_the_shipped_weights_from_another_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos/blank.png"), np.full((96, 96, 3), 90, np.uint8))
    overlay = {"shards": 1, "datasets": {"mine": {"root": "${PHOTOS}"}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(overlay))
    monkeypatch.setenv("PHOTOS", str(tmp_path / "photos"))
    monkeypatch.chdir(tmp_path)
    options = ["--dataset", "mine", "--configfile", "mine.yaml"]
    assert main(["source", *options]) == 0, capsys.readouterr().err
    assert main(["detect", "--shard", "0", *options]) == 0, capsys.readouterr().err
    status = (tmp_path / "results/detect/mine/0.status.tsv").read_text()
    assert "blank\tblank\tdetect\tno_face" in status
    record = (tmp_path / "results/detect/mine/0.h5.run.json").read_text()
    assert '"pipeline/detect/weights/detector.safetensors"' in record
    with h5py.File(tmp_path / "results/detect/mine/0.h5") as file:
        attributes = "".join(str(value) for value in file.attrs.values())
    for folder in (ROOT, tmp_path):
        assert str(folder) not in record + attributes + status
