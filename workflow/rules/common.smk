# What all rules share: the checked configuration, and the job descriptions of pipeline.jobs.
import os
import sys

sys.path.insert(0, workflow.basedir)

from snakemake.exceptions import WorkflowError

from pipeline import jobs, layout, settings
from pipeline.records import FacemillError

try:
    CONFIG = settings.parse(config)
except FacemillError as error:
    raise WorkflowError(str(error))
config.update(settings.as_values(CONFIG))

RESULTS = CONFIG.results
PIPELINE = f"{sys.executable} -m pipeline"


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


def gpus(wildcards):
    """GPUs that a training asks for."""
    return int(CONFIG.training.device == "cuda")


wildcard_constraints:
    **layout.WILDCARDS,
