"""What does not go together in a configuration is named, with what was meant or what to set."""

import pytest

from pipeline import settings
from pipeline.jobs.truth import truth_of
from pipeline.records import FacemillError

LEARNT = "datasets: [synth_train]"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("trainign.lr=1", "unknown key 'trainign'.*Did you mean 'training'"),
        ("training.batch_sise=1", "unknown key 'batch_sise'.*Did you mean 'batch_size'"),
        ("datasets.synth_test.synthetic.picture=1", "unknown key 'picture'.*Did you mean 'pictures'"),
        ("models.prn.model=pnr", "unknown model 'pnr'.*Did you mean 'prn'"),
        ("models.prn.target=posmap69", "unknown target 'posmap69'.*Did you mean 'posmap96'"),
        ("models.prn.settings.widht=8", "unknown setting 'widht'.*Did you mean 'width'"),
        ("models.prn.training.lrr=8", r"models\.prn\.training\.lrr: unknown key 'lrr'.*Did you mean 'lr'"),
        ("models.prn.training.augment.flp=1", r"training\.augment\.flp: unknown key.*Did you mean 'flip'"),
        (
            "shipped.fan={task: fan, datasets: [synth_train], training: {lrr: 1}}",
            r"shipped\.fan\.training\.lrr",
        ),
        ("models.prn.training.loss=posmap_nrm", "unknown loss 'posmap_nrm'.*Did you mean 'posmap_norm'"),
        ("training.loss=posmap_nrm", r"^config: training\.loss: unknown loss 'posmap_nrm'.*'posmap_norm'\?$"),
        ("training.weights_face_png=face.png", r"prn\.training\.weights_face_png: .*found no weights_png$"),
        ("training.seeds=[1, 0, 1]", r"training\.seeds: expected each number once, found \[1, 0, 1\]"),
        (
            "training.augment.scale=[1.2, 0.9]",
            r"augment\.scale: expected the smaller number first, found \[1\.2",
        ),
        (
            "training.augment.colour=[1.2, 0.9]",
            r"training\.augment\.colour: expected the smaller number first",
        ),
        (
            "models.prn.training.augment.scale=[2, 1]",
            r"models\.prn\.training\.augment\.scale: expected the sm",
        ),
        (
            "targets.odd={kind: posmap, size: 100}",
            r"targets\.odd\.size: expected a multiple of 32.*found 100$",
        ),
        (
            "models.prn.settings.size=64",
            r"models\.prn\.settings\.size: .* its target posmap96, 96, found 64$",
        ),
        (
            "models.prn.settings.map_size=64",
            r"models\.prn\.settings\.map_size: .* its target posmap96, 96, found 64$",
        ),
        (
            "targets.posmap96.kind=volume",
            r"models\.prn\.target: .*of kind posmap, .* posmap96 of kind volume$",
        ),
        ("systems=[prm]", r"^config: systems: unknown model 'prm'; known: .*Did you mean 'prn'\?$"),
        (
            "models.labeller={model: tddfa, target: params62, train: [synth_train]}",
            r"models\.labeller\.model: expected a network that a training task is for, found tddfa",
        ),
        ("models.prn.task={weight: 2}", r"models\.prn\.task: unknown setting 'weight'; known: none\.$"),
        ("models.prn.unlabelled=[synth_tran]", "models.prn.unlabelled: unknown data set .*'synth_train'"),
        (
            "models.prn.settings.width=banana",
            r"settings\.width: input should be a valid integer, found 'banana'",
        ),
        (
            "models.prn.settings.width=1.5",
            r"models\.prn\.settings\.width: input should .*integer.* found 1\.5",
        ),
        ("models.prn.settings.open_tail=3", r"settings\.open_tail: input should be a valid boolean, found 3"),
        (
            f"shipped={{fan: {{task: fan, settings: {{sigma: wide}}, {LEARNT}}}}}",
            r"shipped\.fan\.settings\.sigma: input should be a valid number, found 'wide'",
        ),
        (
            f"shipped={{detector: {{task: detector, settings: {{sizes: [44, 66]}}, {LEARNT}}}}}",
            r"shipped\.detector\.settings\.sizes: input should be a valid",
        ),
        ("datasets.my-set={reader: face_300w_lp, root: /tmp}", "letters, digits and underscores.*'my-set'"),
        ("evaluation.benchmarks=[synth_train]", r"synth_train is what models\.prn learns from"),
        (
            "datasets.synth_test.detection={scroe: 0.5}",
            r"detection\.scroe: unknown key.*Did you mean 'score'",
        ),
        ("datasets.synth_test.detection={score: 5}", r"datasets\.synth_test\.detection\.score: .*found 5"),
        ("datasets.synth_test.detection={detector: hwole}", "unknown detector 'hwole'.*Did you mean 'whole'"),
        ("datasets.synth_test.face_model={id: icct}", r"datasets\.synth_test\.face_model\.id: unknown face"),
        (
            "datasets.synth_test.labels=tddfa",
            r"labelling\.weights: expected a checkpoint.*synth_test are tddfa",
        ),
        ("packs=[{dataset: synth_test, target: volum}]", r"packs\.0\.target: unknown target 'volum'"),
        ("packs=[{dataset: synt, target: posmap96}]", r"packs\.0\.dataset: unknown data set 'synt'"),
        ("detection.weights=library", r"detection\.weights: expected shipped or a path, found library"),
        (
            "detection.detector=sfd",
            r"^config: detection\.weights: expected library or a path for the detector sfd, found shipped$",
        ),
        (
            "detection={detector: sfd, weights: library, overlap: 0.4}",
            r"^config: detection\.overlap: expected 0\.3, as the library's sfd has it, found 0\.4$",
        ),
        ("detection={detector: blazeface, weights: library, overlap: 1}", r"overlap: expected less than 1"),
        ("detection={detector: dlib, device: cuda}", r"for the detector dlib, found shipped$"),
        ("detection.detector=yunt", "unknown detector 'yunt'.*Did you mean 'yunet'"),
        (
            "detection.landmarks=2d",
            r"^config: detection\.landmarks: expected 2\.5d or 3d for the shipped FAN",
        ),
        (
            "detection={landmarks: 3d, depth_weights: shipped}",
            r"detection\.depth_weights: expected library or a path, found shipped$",
        ),
        (
            "datasets.synth_test.detection={detector: scrfd}",
            r"^config: datasets\.synth_test\.detection\.weights: expected library or a path for the det",
        ),
        ("detection.precision=half", r"detection\.precision: input should be 'fp32', 'bf16' or 'fp16'"),
        ("evaluation.protocols=[nme68_4d]", "unknown protocol 'nme68_4d'.*Did you mean"),
        ("face_model.id=procedurel", "unknown face model 'procedurel'.*Did you mean 'procedural'"),
        ("datasets.synth_test.root=/tmp", "expected either root"),
        (
            f"shipped={{fan: {{task: posmap, {LEARNT}}}}}",
            r"^config: shipped\.fan\.task: expected detector or fan, found 'posmap'\.$",
        ),
        (f"shipped={{fan: {{task: detectr, {LEARNT}}}}}", "found 'detectr'. Did you mean 'detector'"),
        (
            f"shipped={{fan: {{task: fan, settings: {{stakcs: 2}}, {LEARNT}}}}}",
            "unknown setting 'stakcs'.*Did you mean 'stacks'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_was_meant(assignment, message):
    with pytest.raises(FacemillError, match=message):
        settings.load((), [assignment])


@pytest.mark.parametrize(
    "detection",
    [
        "{detector: dlib}",
        "{detector: sfd, weights: library, landmarks: 2d, fan_weights: library}",
        "{detector: boxes, landmarks: 3d}",
        "{detector: whole, weights: library, points: fan}",
    ],
)
def test_a_detection_that_fits_together_is_taken(detection):
    settings.load((), [f"datasets.synth_test.detection={detection}"])


@pytest.mark.parametrize("reader", ["photos", "aflw", "aflw_lfpa", "youtube_faces", "florence"])
@pytest.mark.parametrize(
    ("use", "where"),
    [
        ("models.prn.train=[mine]", r"models\.prn\.train"),
        ("packs=[{dataset: mine, frame: fan192, target: posmap96}]", r"packs\.0"),
    ],
)
def test_dense_truth_of_a_reader_without_parameters_is_the_labellers(reader, use, where):
    """Until it is used for that, such a data set may be listed, detected and looked at."""
    listed = f"datasets.mine={{reader: {reader}, root: /tmp}}"
    settings.load((), [listed])
    message = (
        rf"datasets\.mine\.labels: .*the reader {reader} .*for {where} .*Set datasets\.mine\.labels=tddfa$"
    )
    with pytest.raises(FacemillError, match=message):
        settings.load((), [listed, use])
    settings.load((), [listed, use, "datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"])


@pytest.mark.parametrize("reader", ["aflw", "aflw_lfpa", "youtube_faces", "florence", "bu4dfe", "scans"])
def test_a_benchmark_may_have_points_alone(reader):
    config = settings.load(
        (), [f"datasets.mine={{reader: {reader}, root: /tmp}}", "evaluation.benchmarks=[mine]"]
    )
    assert (truth_of(config, "mine"), truth_of(config, "synth_train")) == ("points", "dense")
    labels = ["datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"]
    labelled = settings.load((), [f"datasets.mine={{reader: {reader}, root: /tmp}}", *labels])
    assert truth_of(labelled, "mine") == "dense"


def test_photos_without_labels_are_no_benchmark():
    use = ["datasets.mine={reader: photos, root: /tmp}", "evaluation.benchmarks=[mine]"]
    message = r"datasets\.mine\.labels: .*the reader photos has no annotations, .*for evaluation\.benchmarks is made"
    with pytest.raises(FacemillError, match=message):
        settings.load((), use)
    settings.load((), [*use, "datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"])


@pytest.mark.parametrize(
    ("assignments", "problem"),
    [
        (["training.nesterov=true"], r"models\.prn\.training\.nesterov: expected false but for sgd"),
        (
            ["training.nesterov=true", "training.optimiser=sgd", "training.momentum=0"],
            r"nesterov: expected false but for sgd with a momentum",
        ),
        (["models.prn.training={amsgrad: true, optimiser: sgd}"], r"amsgrad: expected false but for adam"),
        (["training.schedule=milestones"], r"milestones: expected at least one"),
        (["training.milestones=[5, 4]"], r"training\.milestones: expected positive numbers, each larger"),
        (["training.processes=3"], r"processes: expected a divisor of batch_size 8.*found 3"),
    ],
)
def test_training_settings_that_do_not_go_together_are_refused(assignments, problem):
    with pytest.raises(FacemillError, match=problem):
        settings.load((), assignments)
