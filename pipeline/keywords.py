"""The keywords that a registered class or function takes, and plain values of a class, read from the source without
importing it."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from pipeline.records import FacemillError

ROOT = Path(__file__).resolve().parent.parent
TYPES = {kind.__name__: kind for kind in (bool, dict, float, int, list, str, tuple)} | {"Literal": Literal}


@dataclass(frozen=True)
class Keyword:
    """One keyword-only argument: its type as the source writes it, and its default, None where they are not plain."""

    annotation: str | None
    default: Any

    def misfit(self, value: Any) -> str | None:
        """What is wrong with a value of the config, None where it fits or the type is none of TYPES."""
        if self.annotation is None:
            return None
        try:
            kind = TypeAdapter(eval(self.annotation, {"__builtins__": {}}, TYPES))
        except (NameError, AttributeError):
            return None
        try:
            kind.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            return f"{message[0].lower()}{message[1:]}, found {value!r}"
        return None


def keywords_of(module: str, name: str) -> dict[str, Keyword]:
    """The keyword-only arguments, by name, of what ``module`` registers as ``name``; of a class, its __init__'s."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and _is_registered(node, name):
            function = node
            if isinstance(node, ast.ClassDef):
                functions = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
                if not functions:
                    return {}
                function = functions[0]
            arguments = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            return {
                argument.arg: Keyword(
                    ast.unparse(argument.annotation) if argument.annotation else None, _plain(default)
                )
                for argument, default in arguments
            }
    raise FacemillError(f"{module} does not register {name!r}")


def constant_of(module: str, name: str, attribute: str) -> Any:
    """The plain value that the class which ``module`` registers as ``name``, or a base of it in that module, gives to
    an attribute; None where none does."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    asked = [node for node in classes.values() if _is_registered(node, name)]
    for node in asked:
        for line in node.body:
            if isinstance(line, ast.Assign) and [ast.unparse(target) for target in line.targets] == [
                attribute
            ]:
                return _plain(line.value)
        asked += [
            classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes
        ]
    return None


def _plain(default: ast.expr | None) -> Any:
    return default.value if isinstance(default, ast.Constant) else None


def _is_registered(node: ast.ClassDef | ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and decorator.args
        and isinstance(decorator.args[0], ast.Constant)
        and decorator.args[0].value == name
        for decorator in node.decorator_list
    )
