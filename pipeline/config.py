"""The configuration, typed once: these classes, the JSON schema and the shipped config.yaml say the same.

An unknown key is refused with the key that was probably meant. Values come from config.yaml, from presets that
overlay it, from ``--set a.b=value`` on a verb and from Snakemake's ``--config``; all go through ``parse``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


def _scalars(value: Any) -> Any:
    """Numbers, true, false and null inside keywords, where Snakemake's ``--config`` leaves texts."""
    if isinstance(value, dict):
        return {key: _scalars(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scalars(inner) for inner in value]
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            return value
        return value if isinstance(read, dict | list | str) else read
    return value


def _ordered(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if pair[0] > pair[1]:
        raise PydanticCustomError("order", "expected the smaller number first")
    return pair


def _different(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "expected each number once")
    return values


Share = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
Keywords = Annotated[dict[str, Any], BeforeValidator(_scalars)]


class Strict(BaseModel):
    """A settings block: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class FaceModelSettings(Strict):
    """The morphable face model behind synthesis and ground truth."""

    id: str = Field("procedural", description="registry name of the adapter")
    path: str | None = Field(None, description="file or folder of the model, for adapters that read one")
    chart: str | None = Field(
        None, description="file of another UV chart: BFM_UV.mat, .npz or .obj; null: the model's own"
    )


class SyntheticSettings(Strict):
    """How the synthesiser fills one data set."""

    pictures: int = Field(160, ge=1, description="number of pictures")
    identities: int = Field(80, ge=1, description="size of the pool of people")
    size: int = Field(450, ge=64, le=1024, description="side of the square pictures, pixels")
    share_none: Share = Field(0.01, description="pictures without a face, with clutter that looks like one")
    share_several: Share = Field(0.01, description="pictures with two or three faces")
    share_hard: Share = Field(0.045, description="one face: half covered, dark, blurred or small")
    share_impossible: Share = Field(0.015, description="one face that nobody can find")
    share_cut: Share = Field(0.01, description="one face cut by the picture's border")
    share_broken: Share = Field(0.005, description="one face whose .mat is missing, incomplete or not finite")
    share_duplicate: Share = Field(0.005, description="a copy of an earlier picture")
    share_unreadable: Share = Field(0.005, description="a JPEG that stops in the middle")
    yaw_limit: float = Field(90.0, ge=0, le=90, description="degrees")
    pitch_limit: float = Field(45.0, ge=0, le=45, description="degrees")
    roll_limit: float = Field(45.0, ge=0, le=45, description="degrees")
    face_size: Range = Field(
        (0.20, 0.58),
        description="sqrt(w h) of the 68 points as a share of the picture's side, least and most",
    )
    centre_spread: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.05, description="spread of the face's centre, share of the side"
    )
    shape_scale: float = Field(1.0, ge=0, le=3, description="multiplies the spread of the shape coefficients")
    expression_scale: float = Field(1.0, ge=0, le=3, description="multiplies the spread of the expressions")
    hair: Share = Field(0.85, description="heads with hair")
    cap: Share = Field(0.12, description="heads with a cap, hat, helmet or headscarf")
    glasses: Share = Field(0.20, description="heads with glasses")
    occluder: Share = Field(0.12, description="faces behind a hand, phone, cup, scarf or mask")
    shadows: Share = Field(0.6, description="pictures whose main light casts shadows")
    blur: float = Field(0.6, ge=0, description="mean sigma of the blur, pixels")
    noise: float = Field(0.012, ge=0, description="mean sigma of the noise, share of full scale")
    jpeg_quality: Annotated[tuple[int, int], AfterValidator(_ordered)] = Field(
        (35, 97), description="least and most JPEG quality"
    )


Angles = tuple[float, float, float]
"""Pitch, yaw, roll in degrees, in 300W-LP's sense."""


class ScanSettings(Strict):
    """3D scans that are rendered into a data set of pictures; docs/scans.md says what the papers state of it."""

    kind: Literal["florence", "bu4dfe", "generic"] = Field(description="layout of the folder of scans")
    root: str = Field(description="folder of the scans, may hold ${VARIABLES}")
    landmarks: str | None = Field(
        None, description="folder of .bnd files in the scans' own layout; null: beside the scans"
    )
    views: list[str] = Field(
        ["frontal1", "frontal2"], min_length=1, description="florence: the first of these that a subject has"
    )
    expressions: list[str] = Field(
        ["Happy", "Surprise"], min_length=1, description="bu4dfe: one scan of each sequence"
    )
    frame: int | None = Field(None, ge=0, description="bu4dfe: number of the scan; null: the middle one")
    skip: list[str] = Field([], description="identities that are left out, as subject_03")
    poses: Literal["florence", "florence_lifted", "florence_20", "bu4dfe"] | list[Angles] = Field(
        "florence", description="one of the papers' sets, or pitch, yaw, roll in degrees"
    )
    order: Literal["pitch_first", "300w_lp"] = Field(
        "pitch_first",
        description="Ry Rx Rz: the head is pitched, then turned about the upright; Rx Ry Rz: as 300W-LP",
    )
    upright: Angles = Field(
        (0.0, 0.0, 0.0), description="turn that makes a stored head look straight into the camera, degrees"
    )
    start: Literal["stored", "upright"] = Field(
        "stored", description="what the poses turn: the scan as the file has it, or made upright first"
    )
    nose: int | None = Field(
        None, ge=0, description="row of the tip in the .bnd file; null: the foremost point when upright"
    )
    region: Literal["sphere", "front", "all"] = Field(
        "sphere",
        description="true face: within radius of the tip, of these what faces the front, or every point",
    )
    radius: float = Field(95.0, gt=0, description="of the face about the tip, in the scans' unit (mm)")
    size: int = Field(450, ge=64, le=1024, description="side of the square pictures, pixels")
    face_share: float = Field(
        0.5, gt=0, le=2, description="twice the radius as a share of the picture's side"
    )
    background: Literal["plain", "clutter"] = Field("plain", description="behind the head")
    grey: int = Field(128, ge=0, le=255, description="of a plain background")
    ambient: float = Field(1.0, ge=0, le=2, description="gain of the scan's own colours")
    lamp: float = Field(0.0, ge=0, le=2, description="added gain where a surface faces the lamp")
    lamp_from: tuple[float, float, float] = Field(
        (0.3, 0.5, 1.0), description="towards the lamp: right, up, to the viewer"
    )
    jpeg_quality: int = Field(95, ge=1, le=100)


class DatasetSettings(Strict):
    """One data set: where it is, who reads it, what part of it is meant."""

    reader: str = Field("face_300w_lp", description="registry name of the reader")
    root: str | None = Field(
        None, description="folder, may hold ${VARIABLES}; null: the synthesiser or scans make it"
    )
    subset: Literal["all", "train", "test"] = Field(
        "all", description="part of a data set without its own splits"
    )
    every: int = Field(
        5, ge=2, description="subset test is every so many pictures by sorted name, train the others"
    )
    frame_step: int = Field(1, ge=1, description="of a video, every so many frames; reader photos")
    licence: str | None = Field(
        None, description="of the pictures, as pipeline/datasets/licences.tsv has it; reader photos"
    )
    validation: Share = Field(0.05, description="share of the groups held out of training, for selection")
    labels: Literal["annotation", "tddfa"] = Field(
        "annotation", description="dense truth: the data set's own, or pseudo ground truth by the labeller"
    )
    collection: Literal["aflw", "300w"] | None = Field(
        None, description="whose names the pictures bear, to know copies by; null: the reader says"
    )
    detection: Keywords = Field({}, description="overlay on the detection block for this data set")
    face_model: FaceModelSettings | None = Field(
        None, description="for this data set's pictures instead of the face_model block"
    )
    synthetic: SyntheticSettings | None = Field(None, description="null for a data set that exists")
    scans: ScanSettings | None = Field(None, description="3D scans to render, as docs/scans.md shows")


class DetectionSettings(Strict):
    """From a picture to boxes and landmarks."""

    detector: str = Field(
        "faceboxes",
        description="registry name: faceboxes, a detector of face-alignment's, boxes, annotation or whole",
    )
    weights: str = Field(
        "shipped",
        description="of the box detector: shipped (faceboxes), library (face-alignment's) or a path",
    )
    boxes: str | None = Field(
        None, description="detector boxes: a table of boxes; null: a .txt or .npy beside each picture"
    )
    landmarks: Literal["2d", "2.5d", "3d"] = Field(
        "2.5d", description="the visible contour, projections of 3D points, or these with their depth"
    )
    fan_weights: str = Field("shipped", description="of the landmark network: shipped, library or a path")
    depth_weights: str = Field(
        "library", description="of the depth network, for landmarks 3d: library or a path"
    )
    score: Share = Field(0.92, description="least score of a box")
    overlap: Share = Field(
        0.3, description="non-maximum suppression drops a box that overlaps a better one by more"
    )
    nms: Literal["hard", "linear", "gaussian"] = Field(
        "hard", description="linear and gaussian lower the score of an overlapping box instead"
    )
    plus_one: Literal["auto", "on", "off"] = Field(
        "auto", description="a box covers x2 - x1 + 1 pixels; auto: with published weights only"
    )
    decode: Literal["subpixel", "quarter", "library"] = Field(
        "subpixel", description="heat-map decode; library truncates to integers as face-alignment does"
    )
    flip: bool = Field(False, description="second landmark pass on the mirrored crop")
    peak: Share = Field(0.45, description="least mean heat-map peak of plausible landmarks")
    batch: int = Field(16, ge=1, description="faces in one pass")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of our own networks")


class LabellingSettings(Strict):
    """Pseudo ground truth by 3DDFA_V2's network, for data sets whose labels are tddfa."""

    weights: str | None = Field(None, description="a published checkpoint, as mb05_120x120.pth")
    statistics: str | None = Field(
        None, description="its param_mean_std, .npz or .pkl; null: the face model's own"
    )
    roi: Literal["box", "landmarks"] = Field(
        "landmarks", description="what the first pass is cut by; a face without landmarks is cut by its box"
    )
    passes: int = Field(2, ge=1, le=3, description="each further pass is cut by the landmarks of the last")
    resample: Literal["exact", "cv2_uint8"] = Field(
        "exact", description="cv2_uint8 reproduces the peers' pixels"
    )
    pixels: Literal["3ddfa_v2", "exact"] = Field(
        "3ddfa_v2", description="where a crop's coordinates lie: by its corner, as published networks mean it"
    )
    agreement: float = Field(
        10.0, gt=0, description="largest distance of two passes' landmarks, per cent of sqrt(w h)"
    )
    inside: Share = Field(0.75, description="least share of the face's mesh that lies in the picture")
    batch: int = Field(32, ge=1, description="faces in one pass")


class LeakSettings(Strict):
    """Training pictures that repeat a benchmark's."""

    check: bool = Field(True, description="compare each training set with every benchmark")
    names: bool = Field(True, description="by the names of published collections")
    bits: Annotated[tuple[int, int], AfterValidator(_ordered)] = Field(
        (48, 72),
        description="of 255: hashes that differ in no more are of one picture; up to the second, with the correlation",
    )
    correlation: Share = Field(0.8, description="least correlation of the two pictures' detail")
    groups: bool = Field(True, description="keep near copies inside a training set on one side of its split")


class CropSettings(Strict):
    """From landmarks to crops."""

    faces: Literal["best", "all", "one"] = Field(
        "best", description="what to do with several faces in a picture"
    )
    choose: Literal["score", "size", "central"] = Field("score", description="which face is the best one")
    resample: Literal["exact", "cv2_uint8"] = Field(
        "exact", description="cv2_uint8 reproduces the peers' pixels"
    )
    outside: Share = Field(
        0.25, description="a face is outside when more of its landmark box is not in the picture"
    )


class TargetSettings(Strict):
    """A kind of ground truth with its settings; its id is part of every path."""

    kind: str = Field(
        "posmap", description="registry name: posmap, volume, params, landmarks, depth, pncc or visibility"
    )
    size: int = Field(256, ge=32, description="side S of the map or crop; of a position map a multiple of 32")
    variant: Literal["frontal_backfill", "solid", "shell"] = Field(
        "frontal_backfill", description="volume variant"
    )
    depth_scale: float = Field(1.25, gt=0, description="k of z' = k (z - mean z) + 100; the papers' 2 clips")


class AugmentSettings(Strict):
    """Augmentation of image and ground truth together."""

    rotation: float = Field(45.0, ge=0, le=180, description="degrees, uniform in +-")
    translation: Share = Field(0.1, description="share of the side, uniform in +-")
    scale: Range = Field((0.9, 1.2), description="uniform between")
    colour: Range = Field((0.6, 1.4), description="gain of each channel, uniform between")
    occlusion: Share = Field(0.5, description="probability of a pasted noise texture")
    flip: Share = Field(0.0, description="probability of a mirrored sample, for charts symmetric in u")


UPKEEP = frozenset({"memory_limit_mb", "save_every", "tensorboard"})
"""Settings of a training that change no byte of what it leaves: no params of its rule, not in its card."""


class TrainingSettings(Strict):
    """One training run. Budgets count updates, never seconds."""

    updates: int = Field(1200, ge=1, description="budget")
    epochs: float | None = Field(None, gt=0, description="if given, replaces updates")
    batch_size: int = Field(8, ge=1)
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    lr: float = Field(1e-3, gt=0, description="learning rate after the warm-up")
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd and rmsprop")
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "step", "cosine"] = "cosine"
    warmup: int = Field(50, ge=0, description="updates of linear warm-up")
    step_epochs: float = Field(5.0, gt=0, description="schedule step: epochs between two cuts")
    step_factor: float = Field(0.5, gt=0, le=1, description="schedule step: factor of a cut")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient")
    ema: float = Field(0.0, ge=0, lt=1, description="decay of averaged weights; 0 is off")
    recalibrate: int = Field(0, ge=0, description="batches that renew the batch-norm statistics at the end")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where the processor has it"
    )
    channels_last: Literal["auto", "on", "off"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, ge=1, description="of torch; another number gives other last digits")
    seeds: Annotated[list[int], AfterValidator(_different)] = Field(
        [0], min_length=1, description="one model each"
    )
    loss: str = Field("posmap_norm", description="registry name")
    weights_png: str | None = Field(
        None, description="a user's own weight mask instead of the chart's 16:4:3:0"
    )
    weights_face_png: str | None = Field(
        None,
        description="picture whose black pixels get no weight in weights_png, as PRNet's uv_face_mask.png",
    )
    validate_every: int = Field(240, ge=1, description="updates")
    log_every: int = Field(25, ge=1, description="updates")
    save_every: int = Field(240, ge=1, description="updates between two resume states")
    memory_limit_mb: int = Field(2000, ge=0, description="a pack below it is read into memory whole")
    init_from: str | None = Field(None, description="weights.safetensors for a warm start")
    tensorboard: bool = False
    augment: AugmentSettings = AugmentSettings()


class ModelSettings(Strict):
    """One trained model: network, what it sees, what it predicts, what it learns from."""

    model: str = Field("prn", description="registry name of the network")
    frame: str = Field("fan192", description="crop recipe")
    target: str = Field("posmap", description="a key of targets")
    train: list[str] = Field(min_length=1, description="data sets to learn from")
    settings: Keywords = Field({}, description="keywords of the network; absent: the paper's values")
    training: dict[str, Any] = Field({}, description="overlay on the training block for this model")


class PackSettings(Strict):
    """A pack that no model of the config asks for."""

    dataset: str = Field(description="a key of datasets")
    frame: str = Field("fan192", description="crop recipe")
    target: str = Field(description="a key of targets")


class EvaluationSettings(Strict):
    """Benchmarks and protocols."""

    benchmarks: list[str] = Field(min_length=1, description="data sets to test on")
    protocols: list[str] = Field(min_length=1, description="ids of protocol files")


class ShippedSettings(Strict):
    """A network that the package ships: trained by a rule that nothing else depends on."""

    task: str = Field(description="what it learns: detector (boxes) or fan (landmarks)")
    datasets: list[str] = Field(min_length=1, description="data sets to learn from")
    settings: Keywords = Field({}, description="keywords of the task")
    training: dict[str, Any] = Field({}, description="overlay on the training block")


class Config(Strict):
    """Everything that a run depends on."""

    results: str = Field("results", description="folder of everything that is made")
    seed: int = Field(0, ge=0, description="of synthesis and splits; trainings have seeds of their own")
    shards: int = Field(2, ge=1, description="jobs per data set and stage")
    face_model: FaceModelSettings = FaceModelSettings()
    datasets: dict[str, DatasetSettings] = Field(min_length=1)
    detection: DetectionSettings = DetectionSettings()
    labelling: LabellingSettings = LabellingSettings()
    leaks: LeakSettings = LeakSettings()
    crop: CropSettings = CropSettings()
    targets: dict[str, TargetSettings] = {"posmap": TargetSettings()}
    training: TrainingSettings = TrainingSettings()
    models: dict[str, ModelSettings] = Field(min_length=1)
    packs: list[PackSettings] = Field([], description="packs beyond those that the models need")
    evaluation: EvaluationSettings
    shipped: dict[str, ShippedSettings] = {}
    census: str | None = Field(None, description="synthetic data set for the census of detection")

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
