"""Code digests: what a stage's result depends on, so that Snakemake reruns that and only that.

Snakemake sees no change in an imported module. Every rule therefore carries ``code_digest`` of its stage: a hash over
the syntax trees (no comments, no docstrings, no positions) of the stage's module and of all that it imports inside
the package, over the Cython sources behind the kernels it uses, and over the versions of the libraries that decide
its numbers. What a module looks up in a registry at run time it does not import: the rule names it as well.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline import _kernels
from pipeline.records import FacemillError

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "cv2": "opencv-python",
    "torch": "torch",
    "h5py": "h5py",
    "face_alignment": "face-alignment",
    "matplotlib": "matplotlib",
    "yaml": "pyyaml",
    "safetensors": "safetensors",
    "jinja2": "jinja2",
}
PLUMBING = {
    "pipeline",
    "pipeline._kernels",
    "pipeline.config",
    "pipeline.config.data",
    "pipeline.config.stages",
    "pipeline.config.training",
    "pipeline.config.types",
    "pipeline.settings",
    "pipeline.checks",
    "pipeline.keywords",
    "pipeline.registry",
    "pipeline.provenance",
    "pipeline.layout",
    "pipeline.io.published",
}
"""Modules that choose and name but compute nothing: the values that they hand on are params of the rules."""


def code_digest(*modules: str) -> str:
    """One hash over the code behind ``modules`` and everything in the package that they import."""
    parts = [f"{name}={value}" for name, value in sorted(code_parts(*modules).items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def code_parts(*modules: str) -> dict[str, str]:
    """The parts of ``code_digest`` by name: package modules, ``ext/`` sources, libraries; ``why`` compares them."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found or module in PLUMBING:
            continue
        if module.startswith("pipeline._kernels."):
            name = module.rsplit(".", 1)[1]
            found[f"kernel {name}"] = _kernels.source_digest(name)[:16]
            continue
        digest, imported = _module(module)
        found[module] = digest
        waiting.append(module.rpartition(".")[0])
        for name in imported:
            if name.split(".")[0] == "pipeline":
                waiting.append(name)
            elif name in LIBRARIES:
                found[f"library {LIBRARIES[name]}"] = library_version(LIBRARIES[name])
    return found


@cache
def library_version(distribution: str) -> str:
    """The version that is installed, without a local build tag."""
    try:
        return version(distribution).split("+")[0]
    except PackageNotFoundError:
        return "missing"


def require_fresh_kernels(*modules: str) -> None:
    """Raise FacemillError when a kernel that ``modules`` use is not built, or built from other sources."""
    for name in _kernels_of(*modules):
        try:
            built = importlib.import_module(f"pipeline._kernels.{name}").SOURCE_DIGEST
        except ImportError as error:
            raise FacemillError(f"the kernel {name} is not built ({error}); type: make build") from error
        if built != _kernels.source_digest(name):
            raise FacemillError(
                f"the kernel {name} was built from other sources than ext/ holds now; type: make build"
            )


def _kernels_of(*modules: str) -> list[str]:
    parts = code_parts(*modules)
    return [name for name in _kernels.SOURCES if f"kernel {name}" in parts]


@cache
def _module(module: str) -> tuple[str, tuple[str, ...]]:
    path = _path_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(sorted(set(_imports(tree))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16], imported


def _path_of(module: str) -> Path:
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    raise FacemillError(f"no module {module} in {ROOT}")


def _exists(module: str) -> bool:
    base = ROOT.joinpath(*module.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def _imports(tree: ast.Module) -> Iterable[str]:
    """Modules that a syntax tree imports: package modules in full, of others the top name."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if node.module == "pipeline._kernels" or (
                    node.module.startswith("pipeline") and _exists(inner)
                ):
                    names.append(inner)
        for name in names:
            yield name if name.split(".")[0] == "pipeline" else name.split(".")[0]
