"""What every setting means, read from the docstring under its field: for the documentation and its test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the reference.

    Attributes:
        path: Dotted, e.g. `agent.max_seconds`.
        meaning: The docstring under the field.
        default: Its default; of a group that is off by default, None.
        required: Whether it must be given once its group is used.
    """

    path: str
    meaning: str
    default: Any
    required: bool = False

    def markdown(self) -> str:
        """Return a row of a Markdown table."""
        default = "needed" if self.required else f"`{json.dumps(self.default, default=str, ensure_ascii=False)}`"
        return f"| `{self.path}` | {_cell(default)} | {_cell(self.meaning)} |"


def settings_of(
    model: type[BaseModel], parents: tuple[str, ...] = (), group: BaseModel | None = None
) -> Iterator[Setting]:
    """Yield every setting of `model`, groups opened; a group that is off by default has a row of its own.

    Args:
        model: The group's class.
        parents: Its path.
        group: What it is by default, where whoever holds it says so: its values count for more than the class's.
    """
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        path = ".".join((*parents, name))
        meaning = meanings.get(name) or field.description or ""
        required = field.is_required() and group is None
        if group is not None:
            default = getattr(group, name)
        else:
            default = None if required else field.get_default(call_default_factory=True)
        inner = nested_model(field.annotation)
        if inner is None or default is None:
            yield Setting(path, meaning, default, required)
        if inner is not None:
            yield from settings_of(inner, (*parents, name), default)


def settings_markdown(model: type[BaseModel]) -> str:
    """Return the table of `docs/configuration.md`: every setting, its default and its meaning."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    return "\n".join([*lines, *(setting.markdown() for setting in settings_of(model))]) + "\n"


def setting_names(model: type[BaseModel], parents: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the dotted path of every setting and every group."""
    for name, field in model.model_fields.items():
        yield ".".join((*parents, name))
        inner = nested_model(field.annotation)
        if inner is not None:
            yield from setting_names(inner, (*parents, name))


def nested_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model class of a field that is a group (also `Group | None`), else None.

    A list of models is one setting: its entries have no name of their own, and may hold their like.
    """
    choices = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    for choice in choices:
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring under each field of `model` and its bases, from the source."""
    import ast
    import inspect
    import textwrap

    meanings: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls.__module__.startswith("pydantic"):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, after in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                meanings[field.target.id] = " ".join(str(after.value.value).split())
    return meanings
