"""Face models: one form, several sources, chosen by name."""

from __future__ import annotations

from pathlib import Path

from pipeline.io.files import expand
from pipeline.morphable.charts import load_chart
from pipeline.morphable.model import MorphableModel, Region
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

__all__ = ["MorphableModel", "Region", "load_face_model"]


def load_face_model(
    id: str, path: str | Path | None = None, chart: str | Path | None = None
) -> MorphableModel:
    """The face model with this name; the arguments are the keys of a face_model block of the config.

    Args:
        id: a registered face model ("procedural", "npz", ...).
        path: the file or folder it is read from, for models that are read from one; may hold ${VARIABLES}.
        chart: file of another UV chart than the model's own (`pipeline.morphable.charts`); may hold ${VARIABLES}.

    Raises:
        FacemillError: unknown name, a variable that is not set, a file that is missing or is not what the model's
            reader expects, or a model whose files bring no chart when none is given.
    """
    model = FACE_MODELS[id](expand(str(path)) if path else None)
    if chart:
        return load_chart(model, expand(str(chart)))
    if not len(model.uv):
        raise FacemillError(
            f"face model {id}: its files bring no UV chart; lay BFM_UV.mat beside them, or set face_model.chart to it "
            "or to an .obj of the mesh with vt"
        )
    return model
