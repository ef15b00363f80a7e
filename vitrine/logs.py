"""Structured logs: one line an event, `key=value` or JSON, to standard error; above DEBUG no text of a shopper's.

The message of an exception may quote what somebody typed, so a traceback names files, lines and the type alone.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Literal

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Format = Literal["text", "json"]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
"""`color_message` is uvicorn's, the event once more with codes for a terminal."""


class KeyValueFormatter(logging.Formatter):
    """Writes `time=... level=... logger=... event=...` and every `extra` field as `key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; values with spaces or quotes are JSON strings, so a line always parses."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in self.fields(record).items())

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """Return what a line says, by name."""
        fields: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD and not k.startswith("_")}
        if record.exc_info:
            debugging = logging.getLogger().isEnabledFor(logging.DEBUG)
            fields["exception"] = self.formatException(record.exc_info) if debugging else _places(record.exc_info[1])
        return fields


class JsonFormatter(KeyValueFormatter):
    """Writes the same as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return json.dumps(self.fields(record), ensure_ascii=False, default=str)


def configure_logs(level: Level, form: Format = "text") -> None:
    """Send every logger of this process to standard error at `level`; libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "faiss",
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


def _places(error: BaseException | None) -> str:
    """Return the frames and the type of an exception and of what caused it, without their messages."""
    told: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        told.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or error.__context__
    return "\ncaused by:\n".join(told)


def _quoted(value: object) -> str:
    text = str(value)
    plain = text and not any(c.isspace() or c in "\"'=\\" or not c.isprintable() for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
