"""The attacks of agentdojo (MIT, https://arxiv.org/abs/2406.13352) as ways to dress an order up.

Its classes write the texts; what they ask of a task suite and a pipeline is little, and stands here. Importing
agentdojo takes seconds; it is a development extra.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from catalog.errors import ConfigError
from eval.agent.attacks import Attack, Goal

BY_HAND = frozenset({"manual"})
"""Attacks that ask a person at the keyboard for the text; `eval.agent.attacks.OWN` stands for these."""

_VECTOR = "text"


def agentdojo_attacks() -> tuple[Attack, ...]:
    """Return every attack agentdojo registers, in its order, those by hand left out.

    Raises:
        ConfigError: When agentdojo is not installed.
    """
    try:
        import agentdojo.attacks as registering
        from agentdojo.attacks.attack_registry import ATTACKS
    except ModuleNotFoundError as error:
        missing = error.name
        raise ConfigError(
            f"{missing!r} is missing for agentdojo's attacks; pip install -e '.[dev]' brings it"
        ) from error
    assert registering is not None, "attacks stand in the registry once their package is imported"
    return tuple(_attack(name, kind) for name, kind in ATTACKS.items() if name not in BY_HAND)


def _attack(name: str, kind: Any) -> Attack:
    made = kind(_Suite(), _Pipeline())
    # Which texts a task reads is found out by running it; here it is one, and known.
    made.get_injection_candidates = lambda task: [_VECTOR]
    return Attack(name, "agentdojo", partial(_dressed, made), bool(made.is_dos_attack))


def _dressed(attack: Any, goal: Goal, order: str) -> str:
    return str(attack.attack(_Wish(), _Injection(goal, order))[_VECTOR])


class _Suite:
    def get_injection_vector_defaults(self) -> dict[str, str]:
        return {_VECTOR: ""}

    def load_and_inject_default_environment(self, injections: dict[str, str]) -> dict[str, str]:
        return injections


class _Pipeline:
    name = "local"  # agentdojo addresses the model behind it as "Local model"


class _Wish:
    PROMPT = "Find me something nice."


class _Injection:
    def __init__(self, goal: Goal, order: str) -> None:
        self.ID = goal.name
        self.GOAL = order
        self._tool = goal.tool

    def ground_truth(self, environment: Any) -> list[Any]:
        from agentdojo.functions_runtime import FunctionCall

        name, arguments = self._tool or (None, None)
        return [FunctionCall(function=name, args=arguments, placeholder_args=arguments)] if name else []
