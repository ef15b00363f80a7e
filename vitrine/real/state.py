"""Which steps are done: one small file in the store, written whole after each step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catalog.errors import DataError
from catalog.workspace import write_text

FOLDER, FILE = "real", "state.json"


@dataclass(frozen=True, slots=True)
class Done:
    """One finished step.

    Attributes:
        key: Of what it was made from.
        at: When it ended, UTC.
        seconds: How long it took in the run that ended it.
        said: What it said.
        made: What later steps need to know of it, by name.
    """

    key: str
    at: str
    seconds: float
    said: tuple[str, ...]
    made: dict[str, str] = field(default_factory=dict)


@dataclass
class State:
    """The steps of one store."""

    path: Path
    steps: dict[str, Done] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Path) -> State:
        """Read the file, or begin one.

        Raises:
            DataError: When it is damaged; nothing but the list of finished steps is lost with it.
        """
        path = store / FOLDER / FILE
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            steps = {
                name: Done(row["key"], row["at"], float(row["seconds"]), tuple(row["said"]), dict(row["made"]))
                for name, row in said["steps"].items()
            }
            return cls(path, steps)
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{str(path)!r} is damaged: remove it, and the next run finds by itself what is done"
            ) from error

    def done(self, step: str, key: str) -> Done | None:
        """Return a step that was finished with these very inputs."""
        found = self.steps.get(step)
        return found if found is not None and found.key == key else None

    def finish(self, step: str, key: str, seconds: float, said: Sequence[str], made: dict[str, str]) -> Done:
        """Note that a step is done, once all that it made is on the disk."""
        done = Done(key, datetime.now(UTC).isoformat(timespec="seconds"), round(seconds, 3), tuple(said), made)
        self.steps[step] = done
        text = json.dumps({"steps": {name: asdict(each) for name, each in self.steps.items()}}, indent=2)
        write_text(self.path, text + "\n")
        return done
