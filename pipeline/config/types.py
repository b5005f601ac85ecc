"""What the blocks of the configuration share: their base class, and the types of values."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def scalars(value: Any) -> Any:
    """Numbers, true, false and null inside keywords, where Snakemake's ``--config`` leaves texts."""
    if isinstance(value, dict):
        return {key: scalars(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [scalars(inner) for inner in value]
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            return value
        return value if isinstance(read, dict | list | str) else read
    return value


def ordered(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """A pair whose first is not larger than its second."""
    if pair[0] > pair[1]:
        raise PydanticCustomError("order", "expected the smaller number first")
    return pair


def different(values: list[int]) -> list[int]:
    """Numbers that come once each."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "expected each number once")
    return values


def rising(values: list[float]) -> list[float]:
    """Positive numbers, each larger than the one before."""
    if any(after <= before for before, after in zip([0.0, *values], values, strict=False)):
        raise PydanticCustomError("rising", "expected positive numbers, each larger than the one before")
    return values


Share = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], AfterValidator(ordered)]
Keywords = Annotated[dict[str, Any], BeforeValidator(scalars)]


class Strict(BaseModel):
    """A settings block: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


def plain_path(path: str) -> str:
    """A folder's path in its shortest form; refused is what Snakemake or a shell would read something into."""
    if not path or path.startswith("~") or any(sign in path for sign in "${}"):
        raise PydanticCustomError("path", "expected a plain path without ~, $ and braces")
    return os.path.normpath(path)
