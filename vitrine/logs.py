"""Structured logs: one line an event, `key=value`, to standard error."""

from __future__ import annotations

import json
import logging
import sys
from typing import Literal

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValueFormatter(logging.Formatter):
    """Writes `time=... level=... logger=... event=...` and every `extra` field as `key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; values with spaces or quotes are JSON strings, so a line always parses."""
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())


def configure_logs(level: Level) -> None:
    """Send every logger of this process to standard error at `level`; libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "httpx",
        "httpcore",
        "openai",
        "sentence_transformers",
        "transformers",
        "asyncio",
        "PIL",
        "llama_index",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _quoted(value: object) -> str:
    text = str(value)
    plain = text and not any(c.isspace() or c in "\"'=\\" or not c.isprintable() for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
