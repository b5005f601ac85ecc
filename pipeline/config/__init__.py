"""The configuration, typed once: these classes, the JSON schema and the shipped config.yaml say the same.

An unknown key is refused with the key that was probably meant. Values come from config.yaml, from presets that
overlay it, from ``--set a.b=value`` on a verb and from Snakemake's ``--config``; all go through ``parse``.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from pipeline.config.data import Angles, DatasetSettings, FaceModelSettings, ScanSettings, SyntheticSettings
from pipeline.config.stages import (
    CropSettings,
    DetectionSettings,
    LabellingSettings,
    LeakSettings,
    TargetSettings,
    TddfaSettings,
)
from pipeline.config.training import (
    UPKEEP,
    AugmentSettings,
    EvaluationSettings,
    ModelSettings,
    PackSettings,
    ShippedSettings,
    TrainingSettings,
)
from pipeline.config.types import Strict, plain_path

__all__ = [
    "UPKEEP",
    "Angles",
    "AugmentSettings",
    "Config",
    "CropSettings",
    "DatasetSettings",
    "DetectionSettings",
    "EvaluationSettings",
    "FaceModelSettings",
    "LabellingSettings",
    "LeakSettings",
    "ModelSettings",
    "PackSettings",
    "ScanSettings",
    "ShippedSettings",
    "Strict",
    "SyntheticSettings",
    "TargetSettings",
    "TddfaSettings",
    "TrainingSettings",
]


class Config(Strict):
    """Everything that a run depends on."""

    results: Annotated[str, AfterValidator(plain_path)] = Field(
        "results", description="folder of everything that is made"
    )
    seed: int = Field(0, ge=0, description="of synthesis and splits; trainings have seeds of their own")
    shards: int = Field(2, ge=1, description="jobs per data set and stage")
    face_model: FaceModelSettings = FaceModelSettings()
    datasets: dict[str, DatasetSettings] = Field(min_length=1)
    detection: DetectionSettings = DetectionSettings()
    labelling: LabellingSettings = LabellingSettings()
    leaks: LeakSettings = LeakSettings()
    crop: CropSettings = CropSettings()
    targets: dict[str, TargetSettings] = Field({"posmap": TargetSettings()})
    training: TrainingSettings = TrainingSettings()
    models: dict[str, ModelSettings] = Field(min_length=1)
    systems: list[str] | None = Field(
        None, min_length=1, description="of models, those of this run; null: all of them"
    )
    packs: list[PackSettings] = Field([], description="packs beyond those that the models need")
    evaluation: EvaluationSettings
    shipped: dict[str, ShippedSettings] = Field({})
    census: str | None = Field(None, description="synthetic data set for the census of detection")
    _seen: dict[str, str] = PrivateAttr(default_factory=dict)

    def seen(self) -> dict[str, str]:
        """What was found in the user's folders since this config was read, by path: each is looked at once."""
        return self._seen

    @model_validator(mode="before")
    @classmethod
    def _drop_removed(cls, values: Any) -> Any:
        """An overlay removes an entry of datasets, targets, models or shipped by setting it to null."""
        if not isinstance(values, dict):
            return values
        tables = {"datasets", "targets", "models", "shipped"}
        return {
            key: {k: v for k, v in value.items() if v is not None}
            if key in tables and isinstance(value, dict)
            else value
            for key, value in values.items()
        }
