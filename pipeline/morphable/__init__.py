"""Face models: one form, several sources, chosen by name."""

from __future__ import annotations

from pathlib import Path

from pipeline.io.files import expand
from pipeline.morphable.model import MorphableModel, Region
from pipeline.registry import FACE_MODELS

__all__ = ["MorphableModel", "Region", "load_face_model"]


def load_face_model(name: str, path: str | Path | None = None) -> MorphableModel:
    """The face model with this name.

    Args:
        name: a registered face model ("procedural", "npz", ...).
        path: the file it is read from, for models that are read from one; may hold ${VARIABLES}.

    Raises:
        FacemillError: unknown name, a variable that is not set, or a file that is missing or is not what the
            model's reader expects.
    """
    return FACE_MODELS[name](expand(str(path)) if path else None)
