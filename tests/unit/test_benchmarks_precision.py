"""What bf16 changes of a model's figure: little is kept, much is missed, and both are said."""

import numpy as np
import pytest
import torch
from evaluation_cases import TARGET, annotation, model, truth_maps, write_pack

from benchmarks import precision
from pipeline.config import TargetSettings, TrainingSettings
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.infer import answered
from pipeline.evaluation.predictions import Answers
from pipeline.io import hdf5
from pipeline.io.tables import write_tsv
from pipeline.records import PACK, SOURCE_COLUMNS, FacemillError
from pipeline.registry import MODELS
from pipeline.training.checkpoints import save_weights

FACES = {"a#0": annotation(0, 5, 0), "b#0": annotation(0, 45, 0), "c#0": annotation(0, 70, 0)}
PRN = {"width": 2, "size": 32, "open_tail": True, "bn_momentum": 0.5}
SIDE, SLICES = 24, 25
SETTINGS = {"reader": "face_300w_lp", "root": ".", "labels": "annotation"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A results folder with a pack of three faces and, for a trained PRN, one whose batch norms have seen these."""
    root = tmp_path_factory.mktemp("precision")
    pack = root / "results/pack/fan192/posmap32/synth_test/test.h5"
    pack.parent.mkdir(parents=True)
    write_pack(pack, model(root), FACES)
    rows = [[name, f"{name}.jpg", "test", name, f"{name}.mat", "", "", ""] for name in "abcd"]
    write_tsv(root / "results/source/synth_test.tsv", SOURCE_COLUMNS, rows)
    network = MODELS["prn"](torch.Generator().manual_seed(0), **PRN)
    with hdf5.open_checked(pack, PACK) as file:
        for _ in range(8):
            list(answered(network.train(), file))
    save_weights(root / "results/train/prn/seed0/weights.safetensors", network.state_dict(), {})
    return root


def run(folder, monkeypatch, *more):
    """The exit code with the folder's configuration."""
    monkeypatch.chdir(folder)
    values = (
        "face_model={id: npz, path: model.npz}",
        "targets={posmap32: {kind: posmap, size: 32}}",
        "models={prn: {target: posmap32, settings: {width: 2, size: 32, open_tail: true, bn_momentum: 0.5}}}",
    )
    return precision.main([*(word for value in values for word in ("--set", value)), *more])


def trained(folder, network, kind="posmap"):
    """A network in the place of a trained one, judged on the folder's pack."""
    target = TARGET if kind == "posmap" else TargetSettings(kind=kind, size=192, variant="solid")
    return precision.Trained(
        name="mine on test",
        network=network.eval(),
        training=TrainingSettings(device="cpu"),
        answers=Answers(target, Chart(model(folder))),
        pack=folder / "results/pack/fan192/posmap32/synth_test/test.h5",
        score=SETTINGS,
        source=folder / "results/source/synth_test.tsv",
    )


class Shifted(torch.nn.Module):
    """The true maps, moved to the right by what a layer answers less an offset, px."""

    size = 32

    def __init__(self, folder, answer, offset):
        super().__init__()
        maps = truth_maps(folder / "results/pack/fan192/posmap32/synth_test/test.h5")
        self.maps, self.offset = torch.from_numpy(maps).permute(0, 3, 1, 2), offset
        self.layer = torch.nn.Linear(1, 1)
        torch.nn.init.zeros_(self.layer.weight)
        torch.nn.init.constant_(self.layer.bias, answer)

    def forward(self, image):
        shift = self.layer(torch.ones(1, 1)).float() - self.offset
        return (self.maps + shift * torch.tensor([1.0, 0, 0])[:, None, None]) / (1.1 * self.size)


def test_a_layer_that_bf16_rounds_too_far_is_missed_and_another_is_kept(folder):
    """bf16 holds 0.7 as 0.69922, and 256.7 as 256."""
    (kept,) = precision.judge(trained(folder, Shifted(folder, 0.7, 0)), None, 0.02)
    (missed,) = precision.judge(trained(folder, Shifted(folder, 256.7, 256)), None, 0.02)
    assert kept.kept and 0 < kept.found < 0.005
    assert not missed.kept and missed.found > 0.9
    assert "mine on test, nme68_2d " in str(missed)


class Ball(torch.nn.Module):
    """A ball before the middle of every crop, and points on a slant; a layer decides how large and how far."""

    size = SIDE

    def __init__(self, radius, *, painted):
        super().__init__()
        self.radius, self.painted = torch.nn.Linear(1, 1), painted
        torch.nn.init.zeros_(self.radius.weight)
        torch.nn.init.constant_(self.radius.bias, radius)

    def forward(self, image):
        radius = self.radius(torch.ones(1, 1)).float()[0, 0]
        axes = [torch.arange(count) - count / 2 for count in (SLICES, SIDE, SIDE)]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
        volume = (radius - grid.norm(dim=0)).expand(len(image), -1, -1, -1)
        points = torch.linspace(4, 20, 68)[None, :, None].expand(len(image), -1, 2) * radius / 8
        return {"volume": volume, **({"landmarks": points} if self.painted else {})}


@pytest.mark.parametrize("painted", [False, True])
def test_volumes_are_judged_by_their_overlap_and_heat_maps_by_their_points(folder, painted):
    found = list(precision.judge(trained(folder, Ball(8.02, painted=painted), "volume"), None, 0.02))
    names = [limit.what.split(", ")[1].split()[0] for limit in found]
    assert names == ["volume_iou", "nme68_2d"][: 1 + painted]
    assert all(limit.kept and limit.found > 0 for limit in found)


def test_a_volume_without_a_mesh_is_that_which_the_chain_stores(folder):
    one = trained(folder, Ball(8.0, painted=True), "volume")
    with torch.no_grad():
        answer = one.network(torch.zeros(1, 3, SIDE, SIDE))
    (ours,) = precision._unregistered(answer, SIDE)
    (stored,) = one.answers.output.store(answer, SIDE)
    np.testing.assert_array_equal(ours["volume"], stored["volume"])
    np.testing.assert_allclose(ours["landmarks"][:, :2], stored["landmarks"][:, :2], atol=1e-4)


def test_faces_that_leave_a_bin_empty_are_said(folder):
    with pytest.raises(
        FacemillError, match=r"mine on test: .* nme68_2d on the first 2 faces.* larger --faces"
    ):
        list(precision.judge(trained(folder, Shifted(folder, 0.7, 0)), 2, 0.02))


def test_the_models_of_a_results_folder_are_judged_and_those_without_weights_named(
    folder, monkeypatch, capsys
):
    assert run(folder, monkeypatch, "--most", "0.5") == 0
    printed = capsys.readouterr().out
    assert "ok      prn (seed 0) on synth_test, nme68_2d " in printed
    assert "not trained in results: vrn (seed 0), " in printed
    assert "1 figures, 0 change by more than 50.00%" in printed
    assert run(folder, monkeypatch, "--most", "0") == 1
    assert "MISSED  prn" in capsys.readouterr().out


def test_a_model_that_is_named_must_be_there(folder, monkeypatch, capsys):
    assert run(folder, monkeypatch, "--model", "prn", "--model", "fan_lift") == 1
    assert "not trained in results: fan_lift (seed 0); type: snakemake -j8 models" in capsys.readouterr().out
    assert run(folder, monkeypatch, "--model", "pnr") == 1
    assert capsys.readouterr().err.startswith("precision: unknown model 'pnr'")


def test_nothing_to_judge_is_a_failure(folder, monkeypatch, capsys):
    assert run(folder, monkeypatch, "--set", "results=elsewhere") == 1
    assert "0 figures" in capsys.readouterr().out
