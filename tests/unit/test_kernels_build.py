"""Every extension carries the digest of exactly the sources that it is made of."""

import importlib
import re
import shutil

import pytest

from pipeline import _kernels


@pytest.mark.parametrize("name", _kernels.SOURCES)
def test_the_built_extension_is_made_of_these_sources(name):
    built = importlib.import_module(f"pipeline._kernels.{name}")
    assert _kernels.source_digest(name) == built.SOURCE_DIGEST, "stale; type: make build"


@pytest.mark.parametrize("name", _kernels.SOURCES)
def test_all_included_sources_are_listed(name):
    waiting, found = [f"{name}.pyx"], set()
    while waiting:
        source = waiting.pop()
        found.add(source)
        text = (_kernels.EXT / source).read_text(encoding="utf-8")
        headers = re.findall(r'(?:#include|cdef extern from) "([^"]+)"', text)
        waiting += {f"include/{header}" for header in headers} - found
    assert found == set(_kernels.SOURCES[name])


def test_every_source_belongs_to_an_extension():
    used = {source for sources in _kernels.SOURCES.values() for source in sources}
    there = {
        str(p.relative_to(_kernels.EXT))
        for p in _kernels.EXT.rglob("*")
        if p.suffix in {".pyx", ".pxd", ".h"}
    }
    assert there == used


def test_the_digest_follows_every_byte_and_name(tmp_path):
    ext = tmp_path / "ext"
    shutil.copytree(_kernels.EXT, ext)
    before = {name: _kernels.source_digest(name, ext) for name in _kernels.SOURCES}
    header = ext / "include" / "suppress.h"
    header.write_bytes(header.read_bytes() + b"\n")
    after = {name: _kernels.source_digest(name, ext) for name in _kernels.SOURCES}
    assert before["nms"] != after["nms"] and before["sim3dr"] == after["sim3dr"]
    with pytest.raises(FileNotFoundError):
        header.unlink()
        _kernels.source_digest("nms", ext)
