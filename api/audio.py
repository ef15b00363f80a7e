"""`POST /v1/audio/transcriptions`: speech to words, as OpenAI clients ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from api.openai_answers import TranscriptionOut
from api.problems import ApiProblem
from api.service import Service
from api.voice import Hearing, hear
from captioning.speech.base import Word

Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
CUE_SECONDS, CUE_WORDS = 6.0, 12
"""Longest subtitle, and most words of one."""


def audio_routes(service: Service) -> APIRouter:
    """Return the router of the speech door."""
    router = APIRouter(tags=["openai"])

    @router.post(
        "/v1/audio/transcriptions",
        summary="Turn speech into words with an OpenAI client",
        response_model=TranscriptionOut,
        responses={
            200: {"description": "The words.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            501: {},
        },
    )
    def transcriptions(
        file: Annotated[UploadFile, File(description="A recording, or a film whose sound is heard; any format.")],
        model: Annotated[str, Form(description="Anything: there is one.")] = "whisper-1",
        response_format: Annotated[Format, Form()] = "json",
    ) -> Response:
        """Return the words; where none could be made out they are "" and `reason` says why.

        `language`, `prompt`, `temperature` and `stream` are taken and have no effect: the settings say how the model
        hears. `confidence` (0 to 1) and `certain` are ours.
        """
        most = service.config.max_audio_body_bytes
        data = file.file.read(most + 1)
        if len(data) > most:  # the guard counts the body; this is for whoever mounts the route without it
            raise ApiProblem(413, f"file: more than {most} bytes", field="file")
        heard = hear(service.shop.senses, data, "file", service.config.heard_below)
        return _answer(heard, response_format)

    return router


def _answer(heard: Hearing, form: Format) -> Response:
    found = heard.transcript
    text = found.text or ""
    if form == "text":
        return PlainTextResponse(f"{text}\n")
    if form in ("srt", "vtt"):
        return PlainTextResponse(subtitles(found.words, text, found.seconds, form))
    ours = {"confidence": heard.confidence, "certain": heard.certain, "reason": found.reason}
    usage = {"type": "duration", "seconds": round(found.seconds)}
    if form == "json":
        return JSONResponse({"text": text, **ours, "usage": usage})
    words = [{"word": each.text, "start": each.start, "end": each.end} for each in found.words]
    whole: dict[str, Any] = {"task": "transcribe", "language": found.language or "", "duration": found.seconds}
    return JSONResponse({**whole, "text": text, "words": words, **ours, "usage": usage})


def subtitles(words: Sequence[Word], text: str, seconds: float, form: Format) -> str:
    """Return words with their times as subtitles; where they have none, the whole text as one.

    Args:
        words: In order.
        text: All of it.
        seconds: How long the sound is.
        form: SubRip or WebVTT.
    """
    cues = list(_cues(words)) or ([(0.0, seconds, text)] if text else [])
    mark = "," if form == "srt" else "."
    lines = ["WEBVTT\n"] if form == "vtt" else []
    for number, (start, end, said) in enumerate(cues, start=1):
        head = f"{number}\n" if form == "srt" else ""
        lines.append(f"{head}{_clock(start, mark)} --> {_clock(end, mark)}\n{said}\n")
    return "\n".join(lines)


def _cues(words: Sequence[Word]) -> Iterator[tuple[float, float, str]]:
    cue: list[Word] = []
    for word in words:
        if cue and (len(cue) == CUE_WORDS or word.end - cue[0].start > CUE_SECONDS):
            yield cue[0].start, cue[-1].end, " ".join(each.text for each in cue)
            cue = []
        cue.append(word)
    if cue:
        yield cue[0].start, cue[-1].end, " ".join(each.text for each in cue)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
