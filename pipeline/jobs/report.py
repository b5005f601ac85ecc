"""The job of the report's own page."""

from __future__ import annotations

from pathlib import Path

from pipeline import provenance, registry
from pipeline.config import Config
from pipeline.jobs.data import PAGE_FILES, face_model, path_of
from pipeline.jobs.evaluation import contents_of, scored
from pipeline.jobs.job import Parts
from pipeline.jobs.models import ledger, used
from pipeline.jobs.references import answers_of_all
from pipeline.settings import protocols_of


def report_page(config: Config) -> Parts:
    """The page, from all that the chain's end leaves. What the rules cost is no input: it is read when the page is
    made, and a record of costs that changes makes nothing run again."""
    inputs, settings = scored(config)
    tables, figures = registry.TABLES.names(), registry.FIGURES.names()
    ledgers, sets, _ = ledger(config)
    inputs |= ledgers | {
        "ledger": path_of(config, "ledger", "ledger"),
        "sanity": path_of(config, "check_protocols", "sanity"),
        "assets": assets(),
        "markdown": [path_of(config, "table", "markdown", table=name) for name in tables],
        "csv": [path_of(config, "table", "csv", table=name) for name in tables],
        "svg": [path_of(config, "figure", "svg", figure=name) for name in figures],
        "png": [path_of(config, "figure", "png", figure=name) for name in figures],
        "curves_svg": [path_of(config, "learning_curves", "svg", model=model) for model in config.models],
        "curves_png": [path_of(config, "learning_curves", "png", model=model) for model in config.models],
        "reaped_sheets": [
            path_of(config, "contact_sheet", "contact_sheet", frame=frame, target=target, dataset=dataset)
            for frame, target, dataset in used(config)
        ],
    }
    faces = {benchmark: face_model(config, benchmark) for benchmark in config.evaluation.benchmarks}
    inputs["face_model"] = list(
        dict.fromkeys(path for files, _, _ in faces.values() for path in files["face_model"])
    )
    settings |= sets | {
        "protocols": contents_of(protocols_of(config), said=True),
        "protocol": protocols_of(config)[0],
        "tables": tables,
        "trained": list(config.models),
        "figures": {name: registry.FIGURES.summary(name) for name in figures},
        "face_models": {benchmark: face["face_model"] for benchmark, (_, face, _) in faces.items()},
        "costs": f"{config.results}/benchmarks",
    }
    modules = dict.fromkeys(module for _, _, each in faces.values() for module in each)
    return inputs, settings, (*answers_of_all(config), *modules)


def assets() -> list[str]:
    """The page's templates, style and script, as paths from the project's root."""
    folder = provenance.ROOT / PAGE_FILES
    return [f"{PAGE_FILES}/{path.name}" for path in sorted(Path(folder).iterdir()) if path.is_file()]
