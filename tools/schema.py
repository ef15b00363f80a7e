"""A function's signature and docstring as a JSON schema and a validating model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model


@dataclass(frozen=True, slots=True)
class Described:
    """A docstring taken apart: what the function does, and what each argument means."""

    summary: str
    arguments: Mapping[str, str]


def described(function: Callable[..., Any]) -> Described:
    """Take a Google-style docstring apart; of the sections only `Args` is kept."""
    text = inspect.cleandoc(function.__doc__ or "")
    head, *sections = re.split(r"\n(?=(?:Args|Returns|Raises|Example):\n)", text)
    arguments: dict[str, str] = {}
    for section in sections:
        if section.startswith("Args:"):
            for entry in re.split(r"\n    (?=\w+: )", section)[1:]:
                name, _, meaning = entry.partition(": ")
                arguments[name] = " ".join(meaning.split())
    return Described(" ".join(head.split()), arguments)


def arguments_model(function: Callable[..., Any]) -> type[BaseModel]:
    """Return the model that validates the arguments of `function`, its first parameter (the call) left out.

    Raises:
        TypeError: When a parameter has no line under `Args`, or a line names no parameter; a bug of ours.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    said = described(function).arguments
    if set(said) != {p.name for p in parameters}:
        raise TypeError(f"{function.__name__}: Args documents {sorted(said)}, parameters are {parameters!r}")
    fields: dict[str, Any] = {
        p.name: (hints[p.name], Field(... if p.default is p.empty else p.default, description=said[p.name]))
        for p in parameters
    }
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return one self-contained JSON schema: no references, no titles, no extra properties, null left out.

    Null counts as "not given" everywhere (see `arguments.mended`), so it need not be said. A type that
    contains itself is cut off at its second level.
    """
    raw = model.model_json_schema()
    definitions = raw.pop("$defs", {})
    schema: dict[str, Any] = _inlined(raw, definitions, ())
    schema.pop("description", None)
    return schema


def _inlined(node: Any, definitions: Mapping[str, Any], open_: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions, open_) for each in node]
    if not isinstance(node, dict):
        return node
    node = _without_null(node)
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _inlined({**definitions[name], **beside}, definitions, (*open_, name))
    out = {
        key: _inlined(value, definitions, open_) for key, value in node.items() if key not in {"title", "properties"}
    }
    if "properties" in node:
        out["properties"] = {
            key: _inlined(value, definitions, open_)
            for key, value in node["properties"].items()
            if _reference(value) not in open_[:-1]
        }
        out["additionalProperties"] = False
    if out.get("default", ...) is None or isinstance(out.get("default"), dict | list):
        del out["default"]  # "nothing" needs no saying
    return out


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    choices = node.get("anyOf")
    if choices is None:
        return node
    real = [choice for choice in choices if choice != {"type": "null"}]
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    return {**real[0], **beside} if len(real) == 1 else {**beside, "anyOf": real}


def _reference(node: Mapping[str, Any]) -> str | None:
    found = _without_null(dict(node)).get("$ref")
    return found.rsplit("/", 1)[-1] if found else None
