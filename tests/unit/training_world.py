"""Tiny packs of a dome's position maps, and the train stage's job on them; run as a script, it trains and is killed."""

import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
from target_cases import model as dome

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.io import hdf5
from pipeline.io.tables import write_tsv
from pipeline.records import PACK, SOURCE_COLUMNS
from pipeline.registry import TARGETS
from pipeline.seeding import rng
from pipeline.stages import train
from pipeline.targets.posmap import uv_table
from pipeline.training.posmap_task import PosmapTask
from pipeline.training.precision import prepare_process

SIDE, CROP = 32, 48
TARGET = {"kind": "posmap", "size": SIDE, "variant": "frontal_backfill", "depth_scale": 1.25}
TRAINING = {
    "updates": 7,
    "batch_size": 3,
    "warmup": 1,
    "validate_every": 3,
    "save_every": 2,
    "log_every": 2,
    "threads": 1,
    "precision": "fp32",
}


def save_pack(path: Path, samples: int, seed: int) -> None:
    """Crops of smooth noise with maps of domes that stand where the crop is brightest."""
    target = TARGETS["posmap"](TargetSettings(kind="posmap", size=SIDE))
    flat = uv_table(dome(), SIDE).gather(dome().mean / 1e4)
    contract = PACK.extended(**target.fields)
    with hdf5.create(
        path, contract, samples, {"F": CROP, "C": 3, "Ks": 2, "Ke": 1}, target.attributes
    ) as file:
        for k in range(samples):
            random = rng("pack", seed, k)
            shift = random.uniform(12, 20, 2)
            coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            file["face"][k], file["picture"][k], file["group"][k] = f"p{k}#0", f"p{k}", f"g{k}"
            file["image"][k] = cv2.resize(coarse, (CROP, CROP))
            place = np.concatenate([flat[..., :2] * [1, -1] + shift, flat[..., 2:]], axis=-1)
            file["posmap"][k] = np.rint((place + 128) * 128).astype(np.uint16)
            file["transform"][k] = [0.5, 40, 40, CROP]


def job(folder: Path, **training: object) -> dict:
    """Arguments of the train stage on packs in ``folder``, made where they are missing."""
    packs = {"train": [folder / "a.h5", folder / "b.h5"], "val": [folder / "val.h5"]}
    for seed, (path, samples) in enumerate(zip(packs["train"] + packs["val"], (4, 3, 2), strict=True)):
        if not path.exists():
            save_pack(path, samples, seed)
    source = folder / "domes.tsv"
    write_tsv(source, SOURCE_COLUMNS, [["CC0"] * len(SOURCE_COLUMNS)])
    settings = {**TrainingSettings.model_validate({**TRAINING, **training}).model_dump(mode="json")}
    named = ("init_from", "weights_png", "weights_face_png")
    files = [settings[name] for name in named if settings[name]]
    return {
        "inputs": {
            **{k: [str(p) for p in v] for k, v in packs.items()},
            "source": [str(source)],
            "files": files,
            "weights": [],
            "drawings": [],
            "unlabelled": [],
        },
        "outputs": {
            "weights": str(folder / "out/weights.safetensors"),
            "history": str(folder / "out/history.jsonl"),
            "card": str(folder / "out/card.json"),
        },
        "settings": {
            "model": "prn",
            "network": {"width": 1, "size": SIDE, "bn_momentum": 0.1},
            "frame": "fan192",
            "target": TARGET,
            "task": {"name": "posmap", "keywords": {}},
            "training": settings,
            "face_model": {"id": "dome", "path": None},
            "face_models": [],
            "weights_did": [],
            "drawings_did": [],
            "state": str(folder / "state"),
        },
        "wildcards": {"model": "prn", "seed": "3"},
        "attributes": {"code_digest": "0123", "command": "python -m pipeline train --model prn --seed 3"},
    }


def run(folder: Path, **training: object) -> None:
    """The train stage with the dome as its face model."""
    train.load_face_model = lambda **block: dome()
    train.run(**job(folder, **training))


def killed_at(folder: Path, fatal: int) -> int:
    """Train in a child process that dies by SIGKILL while update ``fatal`` is being made; its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    whole = PosmapTask.batch

    def batch(self, update):
        if update == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(self, update)

    PosmapTask.batch = batch
    run(folder)
    os._exit(0)


if __name__ == "__main__":
    prepare_process(1)
    print([killed_at(Path(sys.argv[1]), int(fatal)) for fatal in sys.argv[2:]])
