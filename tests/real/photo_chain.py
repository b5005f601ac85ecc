"""Photos in a folder to the ledger and the pack, in the published labeller's words: every stage by itself."""

import argparse

from pipeline import jobs, settings
from pipeline.verbs import chain


def run(root, results, detection, labelling, reader="face_300w_lp"):
    """Every job from the pictures in `root` to their pack; the outputs by stage."""
    overlay = {
        "results": str(results),
        "systems": ["prn"],
        "shards": 1,
        "face_model": {"id": "npz", "path": "${FACEMILL_DATA}/bfm/bfm_sim.npz"},
        "datasets": {
            "synth_train": None,
            "photos": {
                "reader": reader,
                "root": str(root),
                "labels": "tddfa",
                "detection": detection,
                "validation": 0.0,
            },
        },
        "targets": {"params": {"kind": "params"}},
        "leaks": {"check": False},
        "labelling": {
            "weights": "${FACEMILL_DATA}/weights/mb05_120x120.pth",
            "statistics": "${FACEMILL_DATA}/weights/mb05_param_mean_std.npz",
            **labelling,
        },
        "models": {"prn": {"train": ["photos"]}},
    }
    config = settings.parse(settings.merge(settings.read_yaml(settings.DEFAULT), overlay))
    jobs.require_data(config)
    at = {"dataset": "photos", "shard": "0", "frame": "roi120", "target": "params", "split": "train"}
    outputs = {}
    for stage in ("source", "detect", "label", "crop", "ground_truth", "reap", "pack"):
        todo = jobs.job(config, stage, **{name: at[name] for name in chain.wildcards_of(stage)})
        chain.carry_out(todo, argparse.Namespace(configfile=[], assignments=[]))
        outputs[stage] = todo.outputs
    return outputs
