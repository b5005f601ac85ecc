"""Names of everything that a config can choose, found without importing it.

A registry belongs to one room (a sub-package). A member registers itself with a decorator, ``@MODELS.register("prn")``;
the registry finds the name by reading the room's source, so that listing the names, checking a config or a dry run
never imports torch. The module is imported when the member is asked for.
"""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.records import FacemillError

_PACKAGE = Path(__file__).parent


class Registry:
    """A mapping from a name to a class or function of one room.

    Args:
        variable: the name that the registry has in this module, as members write it in their decorator.
        kind: what a member is, in words for messages ("model").
        room: the sub-package that holds the members ("models").
    """

    def __init__(self, variable: str, kind: str, room: str) -> None:
        self.variable = variable
        self.kind = kind
        self.room = room
        self._members: dict[str, Any] = {}

    def register(self, name: str) -> Callable[[Any], Any]:
        """Decorator that gives a class or function its name in configs and results."""

        def add(member: Any) -> Any:
            known = self._members.get(name)
            if known is not None and (known.__module__, known.__qualname__) != (
                member.__module__,
                member.__qualname__,
            ):
                raise FacemillError(
                    f"two {self.kind}s are called {name!r}: {known.__module__} and {member.__module__}"
                )
            self._members[name] = member
            return member

        return add

    @cached_property
    def _modules(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in sorted((_PACKAGE / self.room).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if f"{self.variable}.register" not in source:
                continue
            parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            for name in _registered_names(ast.parse(source), self.variable):
                if name in found:
                    raise FacemillError(f"two {self.kind}s are called {name!r}: {found[name]} and {module}")
                found[name] = module
        return found

    def names(self) -> list[str]:
        """Every registered name, sorted; imports nothing."""
        return sorted(self._modules)

    def module(self, name: str) -> str:
        """The dotted module that registers ``name``; what a code digest covers."""
        self.check(name)
        return self._modules[name]

    def summary(self, name: str) -> str:
        """What the module of ``name`` says of itself: its docstring's first paragraph on one line. Imports nothing."""
        return " ".join(self.said(name).split("\n\n")[0].split())

    def said(self, name: str) -> str:
        """The whole docstring of the module of ``name``. Imports nothing."""
        path = _PACKAGE.parent.joinpath(*self.module(name).split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        return ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""

    def check(self, name: str) -> str:
        """``name`` if it is registered, else FacemillError with the list and a suggestion."""
        if name not in self._modules:
            raise FacemillError(unknown(self.kind, name, self.names()))
        return name

    def __getitem__(self, name: str) -> Any:
        module = self.module(name)
        if name not in self._members:
            importlib.import_module(module)
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._modules)


def unknown(kind: str, name: str, known: list[str]) -> str:
    """The message for a name that nobody knows: what was found, what there is, what was probably meant."""
    return f"unknown {kind} {name!r}; known: {', '.join(known) or 'none'}.{suggestion(name, known)}"


def suggestion(name: str, known: list[str]) -> str:
    """What was probably meant, as a question to put behind a message; empty where nothing is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _registered_names(tree: ast.Module, variable: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "register"
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == variable
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.args[0].value


MODELS = Registry("MODELS", "model", "models")
PUBLISHED = Registry("PUBLISHED", "published checkpoint", "models")
"""By the model whose weights it becomes: a function of `pipeline.models.published`."""
FACE_MODELS = Registry("FACE_MODELS", "face model", "morphable")
DATASETS = Registry("DATASETS", "data set reader", "datasets")
TARGETS = Registry("TARGETS", "target", "targets")
FRAMES = Registry("FRAMES", "frame", "geometry")
DETECTORS = Registry("DETECTORS", "detector", "detect")
LOSSES = Registry("LOSSES", "loss", "losses")
TASKS = Registry("TASKS", "training task", "training")
"""By the kind of the target that a model learns: built from packs."""
PICTURE_TASKS = Registry("PICTURE_TASKS", "task of a shipped network", "training")
"""Of the networks that the package ships: built from labelled pictures."""
OUTPUTS = Registry("OUTPUTS", "kind of answer", "evaluation")
"""By the kind of the target that a model learns."""
TABLES = Registry("TABLES", "table", "tables")
FIGURES = Registry("FIGURES", "figure", "tables")
