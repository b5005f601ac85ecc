"""Blocks of the configuration that say what is trained, on what, and how it is judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pipeline.config.stages import TddfaSettings
from pipeline.config.types import Keywords, Range, Share, Strict, different, rising


class AugmentSettings(Strict):
    """Augmentation of image and ground truth together."""

    rotation: float = Field(45.0, ge=0, le=180, description="degrees, uniform in +-")
    translation: Share = Field(0.1, description="share of the side, uniform in +-")
    scale: Range = Field((0.9, 1.2), description="uniform between")
    colour: Range = Field((0.6, 1.4), description="gain of each channel, uniform between")
    occlusion: Share = Field(0.5, description="probability of a pasted noise texture")
    flip: Share = Field(0.0, description="probability of a mirrored sample, for charts symmetric in u")


UPKEEP = frozenset({"memory_limit_mb", "save_every", "tensorboard", "workers"})
"""Settings of a training that change no byte of what it leaves: no params of its rule, not in its card."""


class TrainingSettings(Strict):
    """One training run. Budgets count updates, never seconds."""

    updates: int = Field(1200, ge=1, description="budget")
    epochs: float | None = Field(None, gt=0, description="if given, replaces updates")
    batch_size: int = Field(8, ge=1)
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    lr: float = Field(1e-3, gt=0, description="learning rate after the warm-up")
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd and rmsprop")
    nesterov: bool = Field(False, description="Nesterov's form of the momentum of sgd")
    amsgrad: bool = Field(False, description="adam with the largest of all second moments so far")
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "step", "milestones", "exponential", "cosine"] = Field(
        "cosine", description="of the rate over epochs; cosine: to zero at the end of the budget"
    )
    warmup: int = Field(50, ge=0, description="updates of linear warm-up, at most a tenth of the budget")
    warmup_epochs: float = Field(0.0, ge=0, description="epochs at the beginning with a smaller rate")
    warmup_factor: float = Field(0.2, gt=0, le=1, description="factor of the rate in the warm-up epochs")
    step_epochs: float = Field(
        5.0,
        gt=0,
        description="schedule step: epochs between two cuts; exponential: epochs to fall by a factor",
    )
    step_factor: float = Field(
        0.5, gt=0, le=1, description="schedules step, milestones and exponential: factor of a cut"
    )
    milestones: Annotated[list[float], AfterValidator(rising)] = Field(
        [], description="schedule milestones: epochs after which the rate is cut"
    )
    milestone_factors: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [],
        description="schedule milestones: what is left of the rate after each; none: step_factor once more",
    )
    critic_lr: float = Field(
        1e-4, gt=0, description="fixed rate of the Adam that trains a task's discriminator"
    )
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient")
    ema: float = Field(0.0, ge=0, lt=1, description="decay of averaged weights; 0 is off")
    recalibrate: int = Field(0, ge=0, description="batches that renew the batch-norm statistics at the end")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where the processor is faster with it"
    )
    channels_last: Literal["auto", "on", "off"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, ge=1, description="of torch; another number gives other last digits")
    processes: int = Field(
        1,
        ge=1,
        description="that share each batch and average their gradients, on a GPU each where it is cuda",
    )
    workers: int = Field(0, ge=0, description="processes that make batches; 0: a thread does")
    seeds: Annotated[list[int], AfterValidator(different)] = Field(
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
    patience: int | None = Field(
        None,
        ge=1,
        description="validations without a better one after which a training ends; null: it never does",
    )
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
    task: Keywords = Field(
        {}, description="keywords of the training task, as weights of losses; absent: the paper's values"
    )
    unlabelled: list[str] = Field(
        [],
        description="data sets that a task learns from without looking at the truth of their packs; none: train's",
    )
    training: dict[str, Any] = Field({}, description="overlay on the training block for this model")


class PackSettings(Strict):
    """A pack that no model of the config asks for."""

    dataset: str = Field(description="a key of datasets")
    frame: str = Field("fan192", description="crop recipe")
    target: str = Field(description="a key of targets")


class EvaluationSettings(Strict):
    """Benchmarks and protocols."""

    benchmarks: list[str] = Field(min_length=1, description="data sets to test on")
    protocols: list[str] = Field(
        min_length=1, description="ids of protocol files; default: those whose files say so, in their order"
    )
    given: dict[str, dict[str, str]] = Field(
        {}, description="systems beside ours: name -> benchmark -> file or folder of its predictions"
    )
    tddfa: TddfaSettings = Field(
        TddfaSettings(),
        description="3DDFA_V2's released network as a system beside ours, on benchmarks with annotations",
    )
    published: str | None = Field(
        None, description="folder of published predictions, for the sanity card; null: its other cases alone"
    )
    lift_seeds: Annotated[list[int], AfterValidator(different)] = Field(
        [0, 1, 2],
        min_length=1,
        description="of the models that table_lift compares, whatever training.seeds says",
    )
    texels: str | None = Field(
        None,
        description="the papers' 43,867 dense points: PRNet's face_ind.txt, or face_ind of an .npz; null: the face "
        "model's own",
    )


class ShippedSettings(Strict):
    """A network that the package ships: trained by a rule that nothing else depends on."""

    task: str = Field(description="what it learns: detector (boxes) or fan (landmarks)")
    datasets: list[str] = Field(min_length=1, description="data sets to learn from")
    settings: Keywords = Field({}, description="keywords of the task")
    training: dict[str, Any] = Field({}, description="overlay on the training block")
