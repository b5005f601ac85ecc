"""The published weights in the shared data are those that the table of sources names."""

import pytest

from pipeline.__main__ import main
from pipeline.datasets import licences
from pipeline.io import sources


@pytest.mark.parametrize("name", ["faceboxes", "mb05"])
def test_published_weights_have_the_size_and_the_hash_of_the_table(data, name, capsys):
    assert main(["data", "verify", name]) == 0
    assert "has the published sha256" in capsys.readouterr().out
    row = sources.source(name)
    assert licences.of_weights([(str(row.path()), "labeller")]) == {
        row.licence: {f"labeller: weights {name}"}
    }
