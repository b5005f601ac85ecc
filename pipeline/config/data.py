"""Blocks of the configuration that say what the data are: face models, synthetic pictures, scans, data sets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.config.types import Keywords, Range, Share, Strict, ordered

Quality = Annotated[int, Field(ge=1, le=100)]
"""Of a JPEG."""


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
    jpeg_quality: Annotated[tuple[Quality, Quality], AfterValidator(ordered)] = Field(
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
    jpeg_quality: Quality = 95


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
