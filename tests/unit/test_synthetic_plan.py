"""What picture number i is: shares, names, shards."""

from collections import Counter

import pytest
from synthetic_head import settings, synthesiser

from pipeline.config import Config, TrainingSettings
from pipeline.datasets.face_300w_lp import photograph
from pipeline.datasets.synthetic.plan import Kind, kind_of, original_of, picture_id, shard_indices
from pipeline.io.files import read_json
from pipeline.jobs import job
from pipeline.records import FacemillError
from pipeline.settings import ROOT, as_values, load
from pipeline.training.job import recorded

MIXED = {"share_none": 0.02, "share_broken": 0.005, "share_duplicate": 0.005, "share_hard": 0.06}


@pytest.mark.parametrize("dataset", ["train", "test", "other"])
def test_counts_keep_the_shares(dataset):
    options = settings(**MIXED)
    counts = Counter(kind_of(options, 0, dataset, i) for i in range(1000))
    for kind, expected in ((Kind.NONE, 20), (Kind.BROKEN, 5), (Kind.DUPLICATE, 5), (Kind.HARD, 60)):
        assert abs(counts[kind] - expected) <= 2, kind
    assert counts[Kind.SEVERAL] == 0


def test_kinds_depend_on_seed_and_data_set_but_not_on_the_number_of_pictures():
    def kinds(seed, dataset, pictures):
        options = settings(pictures=pictures, **MIXED)
        return [kind_of(options, seed, dataset, i) for i in range(300)]

    assert kinds(0, "a", 300) == kinds(0, "a", 5000)
    assert kinds(0, "a", 300) != kinds(1, "a", 300)
    assert kinds(0, "a", 300) != kinds(0, "b", 300)


def test_shares_above_one_are_refused_by_name():
    with pytest.raises(FacemillError, match=r"add up to 1\.200.*share_none"):
        kind_of(settings(share_none=0.9, share_hard=0.3), 0, "eggs", 0)


def test_a_duplicate_repeats_an_earlier_ordinary_picture():
    options = settings(share_duplicate=0.3, share_none=0.3)
    found = 0
    for index in range(1, 60):
        if kind_of(options, 0, "eggs", index) is Kind.DUPLICATE:
            original = original_of(options, 0, "eggs", index)
            assert original < index and kind_of(options, 0, "eggs", original) is Kind.ORDINARY
            found += 1
    assert found > 10


def test_pictures_of_one_person_are_one_group_for_the_reader():
    assert photograph(picture_id(12, 3)) == photograph(picture_id(977, 3))
    assert photograph(picture_id(12, 3)) != photograph(picture_id(12, 4))
    assert photograph(picture_id(12, None)) != photograph(picture_id(13, None))


def test_shards_share_the_pictures_out():
    whole = [index for shard in range(3) for index in shard_indices(10, shard, 3)]
    assert sorted(whole) == list(range(10))
    with pytest.raises(FacemillError, match="shard from 0 to 2, found 3"):
        shard_indices(10, 3, 3)


def test_people_of_two_data_sets_differ():
    here, there, later = (
        synthesiser(seed, name).person(0).shape for seed, name in ((0, "a"), (0, "b"), (1, "a"))
    )
    assert (here == synthesiser(0, "a").person(0).shape).all()
    assert (here != there).all() and (here != later).all()


def worlds(config: Config) -> set[tuple[int, str]]:
    """Seed and id of every synthetic data set of a config."""
    return {(config.seed, name) for name, block in config.datasets.items() if block.synthetic}


AS_IT_WAS = recorded(as_values(TrainingSettings()))
"""Settings that are younger than the shipped networks train as before where they are not set."""


def test_the_shipped_networks_are_those_that_their_preset_trains():
    config = load([ROOT / "workflow/presets/shipped.yaml"])
    assert {path.stem for path in (ROOT / "pipeline/detect/weights").glob("*.safetensors")} == set(
        config.shipped
    )
    for name in config.shipped:
        card, settings = (
            read_json(ROOT / f"pipeline/detect/weights/{name}.json"),
            job(config, "train_shipped", shipped=name).settings,
        )
        older = {key: AS_IT_WAS[key] for key in settings["training"] if key in AS_IT_WAS}
        assert {**older, **card["training"]} == settings["training"] and card["seed"] == settings["seed"]
        learnt, drawn = (
            [(one["name"], one["dataset"]) for one in sets]
            for sets in (card["trained_on"]["sets"], settings["sets"])
        )
        assert learnt == drawn


def test_the_shipped_networks_know_nobody_of_any_other_data_set():
    """People, backgrounds and all else of a picture are drawn by seed and data set."""
    presets = sorted((ROOT / "workflow" / "presets").glob("*.yaml"))
    shipped = load([path for path in presets if path.stem == "shipped"])
    cards = {name: read_json(ROOT / f"pipeline/detect/weights/{name}.json") for name in shipped.shipped}
    learnt = {
        (cards[name]["pictures_seed"], dataset)
        for name, block in shipped.shipped.items()
        for dataset in block.datasets
    }
    assert {seed for seed, _ in learnt} == {shipped.seed}, (
        "the preset draws other people than the shipped weights"
    )
    others = worlds(load()).union(*(worlds(load([path])) for path in presets if path.stem != "shipped"))
    assert learnt and {seed for seed, _ in learnt}.isdisjoint(seed for seed, _ in others)
    made = [synthesiser(seed, dataset) for seed, dataset in sorted(learnt | others)]
    assert len({one.person(number).shape.tobytes() for one in made for number in range(4)}) == 4 * len(made)
    assert len({one.picture(0).jpeg for one in made}) == len(made)
