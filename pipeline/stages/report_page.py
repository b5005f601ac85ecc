"""report_page: all that the chain's end leaves -> results/report/index.html, one file that opens offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.io.files import read_json, write_text
from pipeline.io.ledger import read_balance
from pipeline.io.tables import read_tsv
from pipeline.morphable import load_face_model
from pipeline.records import KEPT_COLUMNS, REAPED_COLUMNS
from pipeline.report import costs, examples, faces
from pipeline.report.flow import Flow, diagram, flow_of
from pipeline.report.page import Figure, headlines, linked, render
from pipeline.report.pictures import drawing_uri, sheet_uri
from pipeline.report.tables import read_table
from pipeline.tables.results import Results, results_of

SHEET_WIDTH = 1016
CURVES = "Losses, validations and learning rate of every seed, and the weights that were kept."
VIEWED = ("median", "worst")
"""Which examples of each bin, those of the first model, are shown in 3D; of a bin with fewer, all."""


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write the page: `inputs` as of a table, and the lists markdown, csv (one a table), svg, png (one a figure),
    curves_svg, curves_png (one a trained model), source, kept, reaped, reaped_sheets (one a set), assets, and ledger,
    sanity; `outputs` page, and brief, the same without pictures; `settings` as of a table, and protocol (the id whose
    figures stand in the head and choose the examples), tables, figures {name: caption}, trained (models), sets (frame,
    target, data set), face_models {benchmark: its face model}, costs (the folder of Snakemake's records, which is read
    as it is when the page is made)."""
    results = results_of(inputs, settings)
    protocol = next(each for each in results.protocols if each.id == settings["protocol"])
    tables = [
        read_table(*each) for each in zip(settings["tables"], inputs["markdown"], inputs["csv"], strict=True)
    ]
    flows = _flows(inputs, settings)
    spent = costs.read_costs(settings["costs"])
    charts = {name: Chart(load_face_model(**block)) for name, block in settings["face_models"].items()}
    drawn = [*settings["figures"].items(), *((f"learning_curves_{m}", CURVES) for m in settings["trained"])]
    files = [*inputs["svg"], *inputs["curves_svg"]], [*inputs["png"], *inputs["curves_png"]]
    drawings = zip(drawn, *files, strict=True)
    parts = {
        "headlines": headlines(results.evaluations, protocol.id),
        "protocol": protocol,
        "tables": tables,
        "figures": [Figure(*named, *drawing_uri(svg, png)) for named, svg, png in drawings],
        "galleries": [
            examples.gallery(run, results.scores(run), protocol, charts[run.benchmark])
            for run in examples.first_runs(results)
        ],
        "viewer": _viewer(results, protocol, charts),
        "sanity": read_json(inputs["sanity"])["rows"],
        "ledger": read_tsv(inputs["ledger"]),
        "flows": [(flow, diagram(flow)) for flow in flows],
        "reaped": [sheet_uri(path, SHEET_WIDTH) for path in inputs["reaped_sheets"]],
        "costs": spent,
        "total": costs.total(spent),
        "protocols": {
            each.id: each.model_dump(mode="json", exclude={"id", "default"}) for each in results.protocols
        },
        "linked": linked(tables, settings["protocols"]),
        "provenance": _provenance(results, attributes),
    }
    write_text(outputs["page"], render(inputs["assets"], parts, whole=True))
    write_text(outputs["brief"], render(inputs["assets"], parts, whole=False))


def _flows(inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Flow]:
    """The ledger of every set as a flow, its balance checked."""
    flows = []
    for names, *files in zip(
        settings["sets"], inputs["source"], inputs["kept"], inputs["reaped"], strict=True
    ):
        pictures = read_balance(*files).pictures
        kept, reaped = read_tsv(files[1], KEPT_COLUMNS), read_tsv(files[2], REAPED_COLUMNS)
        flows.append(flow_of(names, pictures, kept, reaped))
    return flows


def _viewer(results: Results, protocol: Protocol, charts: Mapping[str, Chart]) -> dict[str, Any]:
    """The 3D view's data: of each benchmark some faces of the first model's examples, by every model; and what of it
    cannot be shown, benchmark -> model -> why."""
    groups, missing = [], {}
    for benchmark, chart in charts.items():
        runs = [run for run in examples.first_runs(results) if run.benchmark == benchmark]
        scores = {run.model: results.scores(run) for run in runs}
        picked = examples.chosen(scores[runs[0].model], protocol)
        yaws = {
            score.picture: score.yaw_deg
            for group in picked.values()
            for score in [group[rank] for rank in VIEWED if rank in group] or group.values()
        }
        values = {
            model: {s.picture: s.value for s in rows if s.protocol == protocol.id}
            for model, rows in scores.items()
        }
        groups.append(faces.collect(runs, values, yaws, chart))
        missing[benchmark] = groups[-1].missing
    unit = {"unit": protocol.unit, "protocol": protocol.id}
    return {"data": faces.as_values(groups) | unit, "missing": missing}


def _provenance(results: Results, attributes: Mapping[str, str]) -> dict[str, Any]:
    """What made the page and each model's figures: commands, hashes of settings, digests of code and weights, and the
    versions of the libraries behind all of these."""
    made: dict[str, Any] = {"this page": {**attributes, "weights": []}}
    libraries = dict(json.loads(attributes["libraries"]))
    for model, evaluation in results.evaluations.items():
        made[model] = {**evaluation["provenance"], "weights": evaluation["weights"]}
        libraries |= evaluation["provenance"]["libraries"]
    return {"made": made, "libraries": dict(sorted(libraries.items()))}
