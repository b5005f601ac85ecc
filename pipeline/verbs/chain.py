"""The stages as verbs: one job each, described by Snakemake (``--job``) or by its wildcards and the config."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pipeline import layout, provenance
from pipeline.io.published import FILES, absent
from pipeline.jobs import Job, job, located
from pipeline.records import FacemillError
from pipeline.verbs import processes, record
from pipeline.verbs.options import add_config_options, as_typed, load_config

HELP = {
    "fetch": "see to a file of published weights, once for all jobs",
    "synthesise": "render one shard of a synthetic data set",
    "render_scans": "render one shard of 3D scans at the papers' poses",
    "source": "list a data set, one row per picture",
    "detect": "find boxes and landmarks in one shard of pictures",
    "label": "make pseudo ground truth for one shard of detected faces",
    "crop": "cut faces by one frame's recipe",
    "ground_truth": "make targets in the crop's frame",
    "fingerprint": "make small grey pictures of one shard, to know copies by",
    "leaks": "find a training set's copies of benchmark pictures",
    "reap": "join the status rows: kept, and reaped with reasons",
    "pack": "write one split of the kept faces into HDF5",
    "train": "train one model with one seed",
    "learning_curves": "draw the losses and validations of a model's trainings",
    "infer": "predict every face of a benchmark",
    "infer_tddfa": "predict every face of a benchmark with 3DDFA_V2's released network",
    "card": "write a model's card: data, code, licences, results, limits",
    "sheet": "draw best, median and worst faces",
    "contact_sheet": "draw examples of every reason",
    "table": "write one of the papers' tables",
    "table_lift": "compare direct with lifted landmarks over several seeds",
    "figure": "draw one figure over all models",
    "report_page": "write the page that holds tables, figures, ledger, costs and faces",
    "train_shipped": "train a network that the package ships",
    "ledger": "print the balance of every data set",
    "census": "compare detection with the synthesiser's truth",
}


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """One verb a stage, with an option for each wildcard of its outputs."""
    for stage, text in HELP.items():
        verb = verbs.add_parser(stage, help=text, description=text)
        add_job_options(verb, stage)
        verb.set_defaults(run=run)


def add_job_options(verb: argparse.ArgumentParser, stage: str) -> None:
    """``--job`` for Snakemake, and the wildcards with the config for a person."""
    verb.add_argument("--job", help=argparse.SUPPRESS)
    verb.add_argument("--upkeep", help=argparse.SUPPRESS)
    for name in wildcards_of(stage):
        verb.add_argument(f"--{name}", help=f"as in {next(iter(layout.PATTERNS[stage].values()))}")
    add_config_options(verb)


def wildcards_of(stage: str) -> list[str]:
    """The wildcards of a stage's outputs, in their order."""
    return layout.wildcards(next(iter(layout.PATTERNS[stage].values())))


def described(options: argparse.Namespace) -> Job:
    """The job that the options ask for."""
    if options.job:
        return Job.from_json(options.job, options.upkeep)
    names = wildcards_of(options.verb)
    missing = [f"--{name}" for name in names if getattr(options, name) is None]
    if missing:
        raise FacemillError(f"expected {', '.join(missing)}; type: python -m pipeline {options.verb} -h")
    return job(load_config(options), options.verb, **{name: getattr(options, name) for name in names})


def run(options: argparse.Namespace) -> int:
    """Run one job and leave its run record, in as many processes as its training asks for."""
    todo = described(options)
    if (count := processes.wanted(todo)) > 1:
        return processes.launch(todo, count)
    carry_out(todo, options, record.recorded(todo))
    return 0


def carry_out(
    todo: Job, options: argparse.Namespace, within: AbstractContextManager[object] | None = None
) -> None:
    """Run the stage of a job, `within` a context if one is given, once its kernels and inputs are seen to be there."""
    provenance.require_fresh_kernels(*todo.modules)
    require_inputs(todo, options)
    stage = importlib.import_module(f"pipeline.stages.{todo.stage}")
    with within or nullcontext():
        stage.run(
            inputs=expanded(todo.inputs),
            outputs=todo.outputs,
            settings=todo.all_settings,
            wildcards=todo.wildcards,
            attributes=todo.attributes(),
        )


def expanded(inputs: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    """Input paths where they stand on this machine."""
    return {
        name: [str(located(p)) for p in paths] if isinstance(paths, list) else str(located(paths))
        for name, paths in inputs.items()
    }


def require_inputs(todo: Job, options: argparse.Namespace) -> None:
    """Raise FacemillError for the first input that is not there, with the command that makes it under the options'
    config."""
    for path in todo.files:
        if not located(path).exists():
            raise FacemillError(f"no input {path} for {todo.command}{_way_out(path, options)}")


def _way_out(path: str, options: argparse.Namespace) -> str:
    made = layout.maker(path)
    if made == "fetch":
        source = Path(path).stem
        file = FILES[source]
        folder = Path(os.path.expandvars(file.cached)).parent
        command = f"python -m pipeline fetch --source {source}{as_typed(options)}"
        return f", the note that {file.name} is in {folder}; type: {command}"
    if made:
        overlays = [shlex.quote(name) for name in options.configfile]
        return (
            f"; type: {' '.join(['snakemake -j8', path, *(['--configfile', *overlays] if overlays else [])])}"
        )
    return f"; {absent(located(path))}".rstrip("; ")
