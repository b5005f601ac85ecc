"""Figures of published predictions that pictures show; the sanity card holds them to be right."""

from __future__ import annotations

import yaml

from pipeline.evaluation.sanity.published import FIGURES


def known(predictions: str, protocol: str, name: str = "balanced") -> float:
    """The figure of that name; the keys are those of ``sanity/published.yaml``."""
    for entry in yaml.safe_load(FIGURES.read_text(encoding="utf-8")):
        if (entry["predictions"], entry["protocol"]) == (predictions, protocol):
            return float(entry["figures"][name])
    raise KeyError(f"{FIGURES.name} has no {predictions} under {protocol}")
