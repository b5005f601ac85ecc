# What all rules share: the checked configuration, and the job descriptions of pipeline.jobs.
import os
import sys

sys.path.insert(0, workflow.basedir)

from snakemake.exceptions import WorkflowError

from pipeline import jobs, layout, settings
from pipeline.jobs.slots import cores, slots
from pipeline.records import FacemillError
from pipeline.registry import FIGURES, TABLES

try:
    CONFIG = settings.parse(config)
    jobs.require_data(CONFIG)
except FacemillError as error:
    raise WorkflowError(str(error))
config.update(settings.as_values(CONFIG))

RESULTS = CONFIG.results

jobs.use_this_interpreter()


def outputs(stage):
    """The outputs of a rule by name, with its wildcards open."""
    return layout.outputs(RESULTS, stage)


def described(stage, wildcards):
    """The job of a stage, or Snakemake's own kind of error with the same words."""
    try:
        return jobs.job(CONFIG, stage, **dict(wildcards.items()))
    except FacemillError as error:
        raise WorkflowError(str(error))


def inputs(stage):
    """The input function of a rule: names to paths, environment variables filled in."""

    def of(wildcards):
        return {
            name: (
                [os.path.expandvars(path) for path in paths]
                if isinstance(paths, list)
                else paths
            )
            for name, paths in described(stage, wildcards).inputs.items()
        }

    return of


def task(stage):
    """The params function of a rule: the job as JSON, for the verb, and as what makes it run again."""

    def of(wildcards):
        return described(stage, wildcards).as_json()

    return of


def code(stage):
    """The params function of a rule: the digest of the code behind its job."""

    def of(wildcards):
        return described(stage, wildcards).code

    return of


def threads_of(stage):
    """The threads function of a training's rule: what its own settings say, of all its processes and their workers
    together, as slots of -j."""

    def of(wildcards):
        training = described(stage, wildcards).all_settings["training"]
        threads = (training["threads"] + training["workers"]) * training["processes"]
        return slots(threads, workflow.cores, cores())

    return of


def gpus_of(stage, block="training"):
    """The function of a rule that counts the GPUs which its own settings ask for, in the block that has the device,
    one for each process."""

    def of(wildcards):
        settings = described(stage, wildcards).settings[block]
        return settings.get("processes", 1) * (settings["device"] == "cuda")

    return of


def upkeep_of(stage):
    """The function of a training's rule that gives what changes no byte of its outputs. A resource, since a changed
    param would make it run again."""

    def of(wildcards):
        return described(stage, wildcards).upkeep_as_json()

    return of


wildcard_constraints:
    **layout.WILDCARDS,


def packs():
    """Every pack that the config's models learn from or are tested on, and that it wants besides."""
    return [
        path
        for frame, target, dataset in jobs.used(CONFIG)
        for split in jobs.splits_of(CONFIG, dataset)
        for path in layout.outputs(
            RESULTS, "pack", frame=frame, target=target, dataset=dataset, split=split
        ).values()
    ]


def crops():
    """Every shard of crops that the config uses."""
    return [
        path
        for frame, _, dataset in jobs.used(CONFIG)
        for shard in range(CONFIG.shards)
        for path in layout.outputs(
            RESULTS, "crop", frame=frame, dataset=dataset, shard=shard
        ).values()
    ]


def models():
    """The weights of every model and seed."""
    return [
        layout.outputs(RESULTS, "train", model=model, seed=seed)["weights"]
        for model in CONFIG.models
        for seed in jobs.seeds_of(CONFIG, model)
    ]


def final_tables():
    """Every table and figure, the models' cards and curves, the ledger, the sanity card and the picture sheets."""
    tables = [
        path
        for table in TABLES.names()
        for path in layout.outputs(RESULTS, "table", table=table).values()
    ]
    figures = [
        path
        for figure in FIGURES.names()
        for path in layout.outputs(RESULTS, "figure", figure=figure).values()
    ]
    sheets = [
        layout.outputs(RESULTS, "sheet", model=model, seed=seed, benchmark=benchmark)[
            "sheet"
        ]
        for model in CONFIG.models
        for seed in jobs.seeds_of(CONFIG, model)
        for benchmark in CONFIG.evaluation.benchmarks
    ]
    told = [
        path
        for stage in ("learning_curves", "card")
        for model in CONFIG.models
        for path in layout.outputs(RESULTS, stage, model=model).values()
    ]
    reaped = [
        layout.outputs(
            RESULTS, "contact_sheet", frame=frame, target=target, dataset=dataset
        )["contact_sheet"]
        for frame, target, dataset in jobs.used(CONFIG)
    ]
    ledger = list(layout.outputs(RESULTS, "ledger").values())
    sanity = list(layout.outputs(RESULTS, "check_protocols").values())
    return tables + figures + sheets + told + reaped + ledger + sanity


def reported(stage, category, *names):
    """The outputs of a rule by name, marked for Snakemake's report with its stage's caption; with names only those."""
    paths = outputs(stage)
    return paths | {
        name: report(
            paths[name],
            caption=f"../report/{stage}.rst",
            category=category,
            labels=labels(stage, name),
        )
        for name in names or paths
    }


def labels(stage, name):
    """How the report lists an output: its wildcards, and which of the outputs it is."""
    first = next(iter(layout.PATTERNS[stage].values()))
    return {key: f"{{{key}}}" for key in layout.wildcards(first)} | {"file": name}
