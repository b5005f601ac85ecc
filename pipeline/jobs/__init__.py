"""Every job of the chain, described once.

The Snakemake rules, the verbs of ``python -m pipeline`` and ``why`` all ask here, so that they cannot disagree. The
settings of a job are all the config values that its stage gets to see; a value that is not among them cannot change
its result, and so does not make it run again.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline import layout, registry
from pipeline.config import UPKEEP, Config
from pipeline.jobs import cards, copies, data, evaluation, models, references, report, truth
from pipeline.jobs.data import located, splits_of
from pipeline.jobs.job import Job, Parts
from pipeline.jobs.models import seeds_of, used
from pipeline.jobs.named import require_data
from pipeline.records import FacemillError

STAGES: dict[str, Callable[..., Parts]] = {
    "fetch": data.fetch,
    "synthesise": data.synthesise,
    "render_scans": data.render_scans,
    "source": data.source,
    "detect": data.detect,
    "label": truth.label,
    "crop": data.crop,
    "ground_truth": truth.ground_truth,
    "fingerprint": copies.fingerprint,
    "leaks": copies.leaks,
    "reap": data.reap,
    "contact_sheet": data.contact_sheet,
    "pack": truth.pack,
    "train": models.train,
    "learning_curves": cards.learning_curves,
    "infer": models.infer,
    "infer_tddfa": references.infer_tddfa,
    "score": evaluation.score,
    "evaluate": evaluation.evaluate,
    "card": cards.card,
    "sheet": evaluation.sheet,
    "table": evaluation.table,
    "table_lift": evaluation.table_lift,
    "figure": evaluation.figure,
    "check_protocols": evaluation.check_protocols,
    "ledger": models.ledger,
    "report_page": report.report_page,
    "train_shipped": models.train_shipped,
    "census": models.census,
}

__all__ = [
    "STAGES",
    "Job",
    "job",
    "located",
    "require_data",
    "seeds_of",
    "splits_of",
    "use_this_interpreter",
    "used",
]


def job(config: Config, stage: str, **wildcards: object) -> Job:
    """The job of ``stage`` for these wildcards; FacemillError for a stage or a name that the config does not know."""
    if stage not in STAGES:
        raise FacemillError(registry.unknown("stage", stage, sorted(STAGES)))
    values = {name: str(value) for name, value in wildcards.items()}
    _check_wildcards(config, values)
    inputs, settings, modules = STAGES[stage](config, **values)
    upkeep = {}
    if "training" in settings:
        upkeep = {name: value for name, value in settings["training"].items() if name in UPKEEP}
        training = {name: value for name, value in settings["training"].items() if name not in UPKEEP}
        settings = {**settings, "training": training}
    return Job(
        stage,
        values,
        inputs,
        layout.outputs(config.results, stage, **values),
        settings,
        (f"pipeline.stages.{stage}", *modules),
        upkeep,
    )


def _check_wildcards(config: Config, values: dict[str, str]) -> None:
    for name, value in values.items():
        if not re.fullmatch(layout.WILDCARDS[name], value):
            wanted = {layout.NUMBER: "a whole number from 0", layout.NAME: "letters, digits and _"}
            pattern = layout.WILDCARDS[name]
            raise FacemillError(f"{name}: expected {wanted.get(pattern, pattern)}, found {value!r}")
        if name == "shard" and int(value) >= config.shards:
            raise FacemillError(
                f"shard: expected 0 to {config.shards - 1} (shards: {config.shards}), found {value}"
            )


def use_this_interpreter() -> None:
    """Make ``python -m pipeline`` in a job the interpreter and the package of this process, from whatever folder."""
    root = str(Path(__file__).resolve().parents[2])
    for name, first in (("PATH", str(Path(sys.executable).parent)), ("PYTHONPATH", root)):
        parts = [first, *os.environ.get(name, "").split(os.pathsep)]
        os.environ[name] = os.pathsep.join(dict.fromkeys(filter(None, parts)))
