"""fetch: one file of published weights where the library looks for it, and a note in the results that it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.io import fetch, sources
from pipeline.io.files import sha256_of, write_json


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Download a source of pipeline/datasets/sources.tsv unless it is there: `wildcards` source, its id; `outputs`
    fetched (json): the id, the file's name, its size in bytes and its sha256."""
    row = sources.source(wildcards["source"])
    path = fetch.fetch(row)
    note = {"source": row.id, "file": path.name, "size": path.stat().st_size, "sha256": sha256_of(path)}
    write_json(outputs["fetched"], note)
