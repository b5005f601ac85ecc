"""The rooms of the house and the direction in which they may import."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pipeline"
LINES = [
    {"__main__"},
    {"verbs"},
    {"stages", "apps"},
    {"report"},
    {"tables"},
    {"training", "evaluation"},
    {"detect"},
    {"models"},
    {"losses"},
    {"datasets", "targets"},
    {"morphable", "metrics"},
    {"geometry"},
    {"_kernels"},
]
LEVEL = {room: level for level, line in enumerate(LINES) for room in line}
FREE = {
    "checks",
    "config",
    "io",
    "jobs",
    "keywords",
    "layout",
    "provenance",
    "records",
    "registry",
    "seeding",
    "settings",
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """Every module that a file imports, dotted, functions' own imports among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write it in full"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def room_of(parts):
    """The room of a module path inside the package; None for the package itself."""
    return parts[1] if len(parts) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    relative = path.relative_to(PACKAGE).with_suffix("").parts
    room = relative[0]
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] not in {"snakemake", "tests"}, f"{path} imports {parts[0]}"
        if parts[0] == "torch":
            assert room not in {"geometry", "metrics"}, f"{path}: {room} is numpy only"
        other = room_of(parts) if parts[0] == "pipeline" else None
        if other is None or other == "_kernels" or (other == room and room != "stages"):
            continue
        if room == "__init__":
            pytest.fail(f"{path}: the package imports nothing")
        if other in FREE:
            continue
        if room in FREE:
            pytest.fail(f"{path}: {room} may be imported by all and so imports no room, but imports {name}")
        assert room != "stages" or other != "stages", f"{path}: a stage imports a stage ({name})"
        assert LEVEL[room] < LEVEL[other], f"{path}: {room} may not import {other}"


def test_every_room_has_its_line():
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    modules = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__"}
    assert rooms | modules <= set(LEVEL) | FREE


MODELS = [p for p in sorted((PACKAGE / "models").rglob("*.py")) if p.parent.name != "published"]
"""But for the key tables of published checkpoints, which are files of the package."""


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_models_read_no_file_and_pick_no_device(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in {"open", "load", "cuda", "to", "loadmat", "read_text", "read_bytes"}, (
                f"{path}:{node.lineno}: a model calls {called}"
            )


def test_files_stay_small():
    sources = [*FILES, *ROOT.glob("ext/*.pyx"), *ROOT.glob("workflow/rules/*.smk"), ROOT / "Snakefile"]
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in sources}
    long = {str(p.relative_to(ROOT)): n for p, n in lengths.items() if n > 400}
    assert not long, f"look for the second thing in these: {long}"
    assert sorted(lengths.values())[len(lengths) // 2] <= 200


def test_public_functions_and_classes_say_what_they_do():
    silent = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                name = getattr(node, "name", "module")
                inner = isinstance(node, ast.FunctionDef) and (name.startswith("_") or name == "forward")
                if not inner and not name.startswith("_") and not ast.get_docstring(node):
                    silent.append(f"{path.relative_to(ROOT)}: {name}")
    silent = [s for s in silent if not s.endswith(("__init__.py: module",)) and not _nested(s)]
    assert not silent, silent


def _nested(entry):
    """Functions inside functions and methods of a protocol's implementation explain themselves by their class."""
    path, name = entry.split(": ")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    top = {n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    return name not in top and name != "module"
