"""docs/protocols.md says of every protocol what its file says, explains every setting, and shows the pictures that the
command on the page draws."""

import re
from typing import Literal, get_args, get_origin

import numpy as np
import pytest
import yaml

from pipeline.__main__ import main
from pipeline.evaluation import measures, protocols
from pipeline.evaluation.catalogue import SETTINGS, family_of
from pipeline.io.images import read_picture
from tests.project import ROOT

PAGE = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
IDEAS, REST = PAGE.split("<!-- protocols -->\n")
LISTED = REST.split("<!-- /protocols -->")[0]
ALL = {name: protocols.load(name) for name in protocols.names()}
FIGURES = ROOT / "docs" / "figures"


def test_the_second_half_is_what_the_command_prints(capsys):
    assert main(["protocols"]) == 0
    assert capsys.readouterr().out == LISTED, "put the output of python -m pipeline protocols on the page"


@pytest.mark.parametrize("name", ALL)
def test_every_protocol_has_its_entry_with_the_settings_of_its_file(name):
    content = yaml.safe_load((protocols.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    section = LISTED.split(f"### {family_of(ALL[name], ALL)}\n")[1].split("###")[0]
    head, _, rest = " ".join(section.split()).partition("|")
    angles = " ".join(re.findall(r"One angle each:\* (.*?)\.", rest))
    assert f"`{name}`: **{content['title']}**" in rest or f"`{name}`" in angles
    said = head.split(". ")[0].removeprefix("All of them: ").removesuffix(".").split(", ")
    columns, cells = (
        [cell.strip() for cell in re.search(rf"^\| {first} \|(.*)\|$", section, re.M)[1].split("|")]
        for first in ("id", f"`{name}`")
    )
    if columns == ["settings"]:
        said += cells[0].split(", ")
    else:
        said += [f"{key} {cell}" for key, cell in zip(columns, cells, strict=True)]
    given = {key: content[key] for key in SETTINGS if key in content} | content["measure"]
    for key, value in given.items():
        if key not in {"mapping", "bins"} and value != "none":
            assert f"{key} {as_text(value)}" in said


def as_text(value):
    """A value of a file as the page has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_setting_and_each_of_its_values_is_explained():
    explained = set(re.findall(r"`(\w+)`", IDEAS)) | set(
        re.findall(r"\w+", " ".join(re.findall("^## .*", IDEAS, re.M)))
    )
    kinds = get_args(get_args(measures.Measure)[0])
    assert len(kinds) >= 8
    for kind in kinds:
        for key, field in kind.model_fields.items():
            assert key in explained, f"{kind.__name__}: {key}"
            if get_origin(field.annotation) is Literal and key != "dimensions":
                assert set(get_args(field.annotation)) <= explained, key
    assert {"yaw", "bins", "exclude_beyond", "aggregate", "worst", "limit", "crops"} <= explained


def test_whose_figure_it_is_and_what_is_uncertain_stand_on_the_page():
    words = " ".join(LISTED.replace("`", "").split())
    for name, protocol in ALL.items():
        if f"{name}: **" not in words:
            continue
        for text in (protocol.paper, protocol.source, protocol.uncertain):
            assert text.strip().rstrip(".") in words, f"{name}: {text}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    assert main(["protocols", "--pictures", str(folder)]) == 0
    return folder


def test_the_pictures_are_those_that_the_command_draws(drawn):
    names = re.findall(r"figures/(protocols_\w+\.png)", PAGE)
    assert sorted(names) == sorted(path.name for path in drawn.iterdir())
    assert sorted(names) == sorted(path.name for path in FIGURES.glob("protocols_*.png"))
    for name in names:
        shown, fresh = (read_picture(folder / name).astype(int) for folder in (FIGURES, drawn))
        assert shown.shape == fresh.shape and shown.shape[1] == 1200
        assert np.abs(shown - fresh).mean() < 3, (
            f"{name}: type python -m pipeline protocols --pictures docs/figures"
        )
        assert (FIGURES / name).stat().st_size < 150_000


def test_every_picture_says_what_it_shows_where_it_cannot_be_seen():
    shown = re.findall(r"!\[(.*?)\]\((.*?)\)", PAGE)
    assert len(shown) == 9
    assert all(len(words.split()) > 3 for words, _ in shown)
