"""All that the report's page is made of, for three faces and one model that predicts them badly; nothing is drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from evaluation_cases import annotation, model, model_file, truth_maps, write_pack, write_predictions

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import Score, write_scores
from pipeline.io.files import write_json, write_text
from pipeline.io.tables import write_tsv
from pipeline.jobs.report import assets
from pipeline.provenance import ROOT
from pipeline.records import KEPT_COLUMNS, REAPED_COLUMNS, SOURCE_COLUMNS
from pipeline.settings import PROTOCOLS, read_yaml
from pipeline.stages import report_page
from pipeline.tables.table import Column, Table, as_csv, as_markdown

CONTENTS = {name: read_yaml(PROTOCOLS / f"{name}.yaml") for name in ("nme68_2d", "head_pose")}
FACES = {"a#0": annotation(0, 5, 0), "b#0": annotation(0, 45, 0), "c#0": annotation(0, 70, 0)}
ATTRIBUTES = {
    "command": "python -m pipeline report_page",
    "config_hash": "0123456789abcdef",
    "code_digest": "fedcba9876543210",
    "libraries": '{"numpy": "2"}',
}
TABLE = Table(
    "A table of <long> words",
    (Column("protocol"), *(Column(f"a column of numbers {k}") for k in range(30)), Column("words")),
    (("nme68_2d", *(float(k) for k in range(30)), "a | b"), ("head_pose", *[None] * 30, "word " * 12)),
    ("A note & more.",),
)
SHIFT = np.array([2.0, 0.0, 5.0], np.float32)
"""Of the predicted maps, pixels of the network's input."""
MOVED = 2.0 / (0.35 * 32 / 48)
"""What of it can be seen beside the truth, pixels of the picture: the depth is moved back."""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="288pt" height="144pt"><path d="M0 0L288 144"/></svg>'


def write(root: Path) -> dict:
    """Write every input below a folder; gives the inputs and settings of the stage's job."""
    model_file(root)
    pack = write_pack(root / "test.h5", model(root), FACES)
    _predictions(root, pack)
    _scores(root)
    _ledger(root)
    write_text(root / "t.md", as_markdown(TABLE))
    write_text(root / "t.csv", as_csv(TABLE))
    write_text(root / "f.svg", SVG)
    for name in ("f.png", "sheet.png"):
        cv2.imwrite(str(root / name), np.full((20, 40, 3), 128, np.uint8))
    row = {"group": "analytic", "protocol": "nme68_2d", "case": "the truth itself", "expected": 0.0}
    off = {"group": "perturbed", "protocol": "x", "case": "moved", "expected": 1.0, "got": None, "ok": False}
    rows = [
        {**row, "got": 1e-9, "tolerance": 1e-6, "ok": True, "note": ""},
        {**off, "tolerance": 0.1, "note": "n"},
    ]
    write_json(root / "sanity.json", {"rows": rows})
    record = "s\th:m:s\tmax_rss\tcpu_time\n2.5\t0:00:02\t1000\t2.0\n"
    write_text(root / "benchmarks/train/prn/0.tsv", record)
    write_text(root / "benchmarks/ledger.tsv", "s\th:m:s\tmax_rss\tcpu_time\n0.5\t0:00:00\tNA\tNA\n")
    return {"inputs": _inputs(root), "settings": _settings(root)}


def make(root: Path, **changed: object) -> str:
    """Run the stage on what `write` left, with further settings; gives the page."""
    made = {"inputs": _inputs(root), "settings": _settings(root) | changed}
    outputs = {"page": str(root / "report/index.html"), "brief": str(root / "report/brief.html")}
    report_page.run(**made, outputs=outputs, wildcards={}, attributes=ATTRIBUTES)
    return (root / "report/index.html").read_text(encoding="utf-8")


def _inputs(root: Path) -> dict:
    lists = {
        "evaluations": "prn.json",
        "scores": "scores.tsv",
        "predictions": "infer.h5",
        "packs": "test.h5",
        "markdown": "t.md",
        "csv": "t.csv",
        "svg": "f.svg",
        "png": "f.png",
        "curves_svg": "f.svg",
        "curves_png": "f.png",
        "source": "source.tsv",
        "kept": "kept.tsv",
        "reaped": "reaped.tsv",
        "reaped_sheets": "sheet.png",
    }
    single = {"ledger": "ledger.tsv", "sanity": "sanity.json"}
    return {
        **{name: [str(root / file)] for name, file in lists.items()},
        **{name: str(root / file) for name, file in single.items()},
        "assets": [str(ROOT / path) for path in assets()],
        "face_model": [str(root / "model.npz")],
    }


def _settings(root: Path) -> dict:
    return {
        "models": ["prn"],
        "runs": [["prn", "0", "test"]],
        "given": [],
        "protocols": CONTENTS,
        "protocol": "nme68_2d",
        "tables": ["t"],
        "figures": {"f": "A line."},
        "trained": ["prn"],
        "sets": [["fan192", "posmap32", "test"]],
        "face_models": {"test": {"id": "npz", "path": str(root / "model.npz")}},
        "costs": str(root / "benchmarks"),
    }


def _predictions(root: Path, pack: Path) -> None:
    """The true maps, moved by 2 px to the right and 5 px nearer in the network's input."""
    write_predictions(root / "infer.h5", pack, Chart(model(root)), truth_maps(pack) + SHIFT)


def _scores(root: Path) -> None:
    yaws = {"a": 5.0, "b": 45.0, "c": 70.0, "d": 20.0}
    scores = {
        predictor: [
            Score(name, protocol, 100.0 if name == "d" else base + yaw / 10, yaw, name == "d")
            for name, yaw in yaws.items()
            for protocol in CONTENTS
        ]
        for predictor, base in (("model", 3.0), ("mean_face", 20.0))
    }
    write_scores(root / "scores.tsv", scores)
    parsed = [protocols.parse(name, content) for name, content in CONTENTS.items()]
    made = {"command": "python -m pipeline evaluate", "config_hash": "c", "code_digest": "d", "libraries": {}}
    value = {
        "benchmarks": {"test": benchmark_block({"0": scores["model"]}, scores["mean_face"], parsed)},
        "weights": [{"seed": 0, "path": "w", "sha256": "ab" * 32}],
        "provenance": made,
    }
    write_json(root / "prn.json", value)


def _ledger(root: Path) -> None:
    source = [[name, f"{name}.jpg", "test", name, f"{name}.mat", "", "", ""] for name in "abcd"]
    write_tsv(root / "source.tsv", SOURCE_COLUMNS, source)
    kept = [[f"{name}#0", name, "test", name, 0, row] for row, name in enumerate("abc")]
    write_tsv(root / "kept.tsv", KEPT_COLUMNS, kept)
    reaped = [["d", "d", "test", "detect", "no_face", "no face", "", ""]]
    write_tsv(root / "reaped.tsv", REAPED_COLUMNS, reaped)
    columns = ("dataset", "frame", "target", "pictures", "source", "kept", "reaped", "no_face", "duplicate")
    write_tsv(root / "ledger.tsv", columns, [("test", "fan192", "posmap32", 4, 4, 3, 1, 1, 0)])
