"""What the doctor asks of models: whether their servers list them, and whether they do what a job needs of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from catalog.errors import VitrineError
from catalog.findings import Finding
from vitrine.settings import Settings

TEXTS = (
    "A pair of red leather shoes with a low heel.",
    "Red shoes made of leather, low heels.",
    "The harbour office is closed on Monday morning.",
)
"""The first two mean the same, the third does not."""


def model_findings(settings: Settings, probe: bool | None = None) -> list[Finding]:
    """Ask every configured server for its models, and every model for a proof that it works.

    Args:
        settings: Say who captions, who embeds and who thinks.
        probe: Whether models are asked anything. None: those behind a server are (for captions as `captions.probe`
            says); those that would first have to be loaded here are not.
    """
    return [*_captions(settings, probe), *_embeddings(settings, probe), *_llm(settings, probe)]


def _captions(settings: Settings, probe: bool | None) -> list[Finding]:
    findings, chosen = [], settings.captions
    served = chosen.captioner == "openai" and chosen.openai is not None
    if served and (config := chosen.openai) is not None:
        key = os.environ.get(config.api_key_env, "")
        listed = _listing("caption server", config.base_url, config.model, key)
        findings.append(listed)
        if listed.level == "bad":
            return findings
    elif chosen.captioner in ("pixels", "catalogue", "openai"):
        return findings
    if probe is False or (probe is None and not (served and chosen.probe == "run")):
        why = 'captions.probe is "off"' if chosen.probe == "off" else "vitrine doctor --probe asks it"
        return [*findings, Finding("note", "  caption probe", f"not asked whether it sees: {why}")]
    return findings + _probed("caption", lambda: _see(settings))


def _see(settings: Settings) -> list[Finding]:
    from captioning.probe import examine
    from vitrine.wiring import make_vision

    vision = make_vision(settings)
    return [] if vision is None else examine(vision)


def _embeddings(settings: Settings, probe: bool | None) -> list[Finding]:
    if settings.embedding.embedder != "openai" or settings.embedding.openai is None:
        return []
    config = settings.embedding.openai
    listed = _listing("embedding server", config.base_url, config.model, os.environ.get(config.api_key_env, ""))
    if listed.level == "bad" or probe is False:
        return [listed]
    return [listed, *_probed("embedding", lambda: [_mean(settings)])]


def _mean(settings: Settings) -> Finding:
    """Say whether two texts of one meaning lie closer together than two of different ones."""
    from vitrine.wiring import make_embedder

    same, again, other = make_embedder(settings).embed(TEXTS)
    near, far = float(same @ again), float(same @ other)
    text = f"cosine {near:.2f} of two texts that mean the same, {far:.2f} of two that do not"
    if near > far:
        return Finding("ok", "meaning", text)
    return Finding("bad", "meaning", f"{text}: check the model's weights and pooling (vLLM: --runner pooling)")


def _llm(settings: Settings, probe: bool | None) -> list[Finding]:
    from agent.llm_probe import examine_llm

    llm = settings.agent.llm
    if llm is None:
        return []
    try:
        listed = _listing("LLM server", llm.base_url, llm.model, llm.api_key(), "; the planner will stand in")
    except VitrineError as error:
        return [Finding("bad", "LLM server", str(error))]
    if listed.level == "bad" or probe is False:
        return [listed]
    return [listed, *_probed("LLM", lambda: examine_llm(llm))]


def _probed(whose: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return [replace(finding, subject=f"  {whose} {finding.subject}") for finding in ask()]
    except VitrineError as error:
        return [Finding("bad", f"  {whose} probe", str(error))]


def _listing(subject: str, base_url: str, model: str, key: str, otherwise: str = "") -> Finding:
    import httpx

    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = httpx.get(f"{base_url.rstrip('/')}/models", timeout=5, headers=headers)
        answer.raise_for_status()
        served = [str(each["id"]) for each in answer.json()["data"]]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding("bad", subject, f"{base_url} does not answer ({error}){otherwise}")
    except (ValueError, KeyError, TypeError):
        return Finding("note", subject, f"{base_url} answers, and lists no models")
    if model not in served:
        return Finding("bad", subject, f"{base_url} serves {', '.join(served) or 'nothing'}, not {model!r}{otherwise}")
    return Finding("ok", subject, f"{model} at {base_url}")
