"""The chain of a benchmark without parameters of a face model, by the jobs of a config, to the predictions."""

from pathlib import Path

import numpy as np

from pipeline import jobs, settings
from pipeline.io.tables import read_tsv
from pipeline.registry import MODELS
from pipeline.training.checkpoints import save_weights
from pipeline.verbs import chain

SIDE = 32


class PointsChain:
    """A config whose only benchmark is the data set `mine` in one shard, below `folder`, and its jobs. `dataset` says
    what it is, `more` what else the config says."""

    def __init__(self, folder: Path, dataset: str, *more: str, frame: str = "fan192"):
        self.data, self.results, self.frame = folder / "data", folder / "results", frame
        self.data.mkdir()
        self.config = settings.load(
            (),
            [
                f"results={self.results}",
                "shards=1",
                f"datasets.mine={{{dataset}}}",
                "evaluation.benchmarks=[mine]",
                "systems=[prn]",
                f"targets.posmap32={{kind: posmap, size: {SIDE}}}",
                "models.prn.target=posmap32",
                f"models.prn.frame={frame}",
                f"models.prn.settings={{size: {SIDE}, width: 2}}",
                *more,
            ],
        )

    def job(self, stage: str, **wildcards: object) -> jobs.Job:
        """The job of a stage; whatever it does not take of the benchmark's wildcards is left out."""
        known = {
            "frame": self.frame,
            "target": "posmap32",
            "dataset": "mine",
            "shard": 0,
            "split": "test",
            "model": "prn",
            "seed": 0,
            "benchmark": "mine",
            **wildcards,
        }
        return jobs.job(self.config, stage, **{name: known[name] for name in chain.wildcards_of(stage)})

    def run(self, *stages: str) -> None:
        """Carry out one job of each stage."""
        for stage in stages:
            chain.carry_out(self.job(stage), None)

    def ledger(self) -> tuple[list[str], dict[str, tuple[str, str]]]:
        """The faces that were kept, and those that were not with code and detail, once all stages to reap have run."""
        self.run("ground_truth", "reap")
        paths = self.job("reap").outputs
        reaped = {row["face"]: (row["code"], row["detail"]) for row in read_tsv(paths["reaped"])}
        return [row["face"] for row in read_tsv(paths["kept"])], reaped

    def infer(self) -> tuple[Path, Path]:
        """The pack and the predictions of an untrained network."""
        job = self.job("infer")
        save_weights(Path(job.inputs["weights"]), MODELS["prn"](**job.settings["network"]).state_dict(), {})
        self.run("pack", "infer")
        return Path(job.inputs["pack"]), Path(job.outputs["predictions"])


def framed(points: np.ndarray) -> np.ndarray:
    """68 landmarks (68, 2) whose box is that of these points (K, 2|3), NaN left out."""
    low, high = np.nanmin(points[:, :2], axis=0), np.nanmax(points[:, :2], axis=0)
    return low + np.linspace(0, 1, 68)[:, None] * (high - low)
