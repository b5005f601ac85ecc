# Facemill: from raw face photos to trained models and the papers' tables. A table of contents; see workflow/rules.
from snakemake.utils import min_version, validate

min_version("9.0")


configfile: "config.yaml"


container: "envs/facemill.sif"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


validate(config, "workflow/schemas/config.schema.json", set_default=False)


include: "workflow/rules/fetch.smk"
include: "workflow/rules/synthesise.smk"
include: "workflow/rules/render_scans.smk"
include: "workflow/rules/source.smk"
include: "workflow/rules/detect.smk"
include: "workflow/rules/label.smk"
include: "workflow/rules/crop.smk"
include: "workflow/rules/ground_truth.smk"
include: "workflow/rules/leaks.smk"
include: "workflow/rules/reap.smk"
include: "workflow/rules/pack.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/card.smk"
include: "workflow/rules/table.smk"
include: "workflow/rules/check_protocols.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/shipped.smk"


rule all:
    default_target: True
    input:
        final_tables(),


rule crops:
    input:
        crops(),


rule packs:
    input:
        packs(),


rule models:
    input:
        models(),


rule tables:
    input:
        final_tables(),
