from pathlib import Path

import pytest

from agent.config import AgentConfig, LLMConfig
from agent.scripted_minds import PERSONAS

DOCS = (Path(__file__).parents[2] / "docs" / "agent.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("config", [AgentConfig, LLMConfig])
def test_every_setting_is_documented_with_its_default(config: type[AgentConfig] | type[LLMConfig]) -> None:
    for name, field in config.model_fields.items():
        assert f"`{name}`" in DOCS, name
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert f"| `{name}` | {field.default:g} |" in DOCS, name


def test_every_persona_is_documented() -> None:
    for persona in PERSONAS:
        assert persona.replace("_json", "-JSON") in DOCS
