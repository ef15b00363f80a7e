from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from vitrine.reference import Setting, setting_names, settings_markdown, settings_of


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    """Where it is,
    on two lines."""
    tries: int = Field(3, description="Described | in place.")


class Base(BaseModel):
    name: str = "a"
    """Inherited."""


class Outer(Base):
    on: Inner = Inner(url="x", tries=5)
    off: Inner | None = None
    """Off unless given."""
    silent: dict[str, int] = Field(default_factory=dict)


def test_groups_are_opened_and_meanings_come_from_docstrings():
    assert list(settings_of(Outer)) == [
        Setting("name", "Inherited.", "a"),
        Setting("on.url", "Where it is, on two lines.", "x"),
        Setting("on.tries", "Described | in place.", 5),  # as its holder says, not as its class does
        Setting("off", "Off unless given.", None),
        Setting("off.url", "Where it is, on two lines.", None, required=True),
        Setting("off.tries", "Described | in place.", 3),
        Setting("silent", "", {}),
    ]


def test_names_hold_groups_as_well():
    assert list(setting_names(Outer)) == [
        "name", "on", "on.url", "on.tries", "off", "off.url", "off.tries", "silent",
    ]  # fmt: skip


def test_the_table_escapes_what_would_break_it():
    rows = settings_markdown(Outer).splitlines()
    assert rows[0] == "| setting | default | meaning |"
    assert "| `on.tries` | `5` | Described \\| in place. |" in rows
    assert "| `off.url` | needed | Where it is, on two lines. |" in rows
