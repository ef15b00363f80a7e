"""ReDial's form: one JSON object a line, films as `@id` in the text.

Source: Li, Kahou, Schulz, Michalski, Charlin and Pal, NeurIPS 2018; the datasheet published with the data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from catalog.readers.rejects import shown
from eval.dialogue.nouns import BadDialogue, Dialogue, Mention, Turn, alternating
from eval.dialogue.titles import spoken_title

_MARK = re.compile(r"@(\d+)")


def redial_dialogue(record: Mapping[str, Any]) -> Dialogue:
    """Return the dialogue of one line.

    The initiator seeks, the respondent recommends. `@id` in a text becomes the film's title as one would
    say it: a year in a sentence would be read as a wish for films of that year. Where the answer form of
    the initiator is missing, nobody says what was liked.

    Raises:
        BadDialogue: When a field is missing or of another kind.
    """
    dialogue_id = record.get("conversationId")
    if isinstance(dialogue_id, bool) or not isinstance(dialogue_id, str | int) or not str(dialogue_id).strip():
        raise BadDialogue("no id", f"conversationId {shown(dialogue_id)}; a text or a number would be valid")
    messages = record.get("messages")
    if not isinstance(messages, list):
        raise BadDialogue("no messages", f"messages {shown(messages)}; a list of objects would be valid")
    seeker, recommender = (_worker(record, name) for name in ("initiatorWorkerId", "respondentWorkerId"))
    if seeker == recommender:
        raise BadDialogue("one speaker", f"initiator and respondent are both worker {seeker!r}; two would be valid")
    titles, form = _titles(record.get("movieMentions")), _form(record.get("initiatorQuestions"))
    turns = [_turn(message, seeker, recommender, titles, form) for message in messages]
    return Dialogue(str(dialogue_id), alternating(turns))


def _turn(
    message: Any, seeker: int, recommender: int, titles: Mapping[str, str | None], form: dict[str, Any] | None
) -> Turn:
    if not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise BadDialogue("bad message", f"message {shown(message)}; an object with a text would be valid")
    sender, text = message.get("senderWorkerId"), message["text"]
    if sender not in (seeker, recommender) or isinstance(sender, bool):
        detail = (
            f"senderWorkerId {shown(sender)}; {seeker!r} (initiator) or {recommender!r} (respondent) would be valid"
        )
        raise BadDialogue("unknown speaker", detail)
    named = [each for each in dict.fromkeys(_MARK.findall(text)) if each in titles]
    mentions = {each: Mention(titles[each], each if titles[each] else None) for each in named}
    liked = None if form is None else tuple(mentions[each] for each in named if _likes(form.get(each)))
    said = {each: spoken_title(title) if title else "it" for each, title in titles.items()}
    spoken = _MARK.sub(lambda mark: said.get(mark[1], mark[0]), text)
    return Turn("user" if sender == seeker else "assistant", spoken, tuple(mentions.values()), liked)


def _worker(record: Mapping[str, Any], name: str) -> int:
    worker = record.get(name)
    if isinstance(worker, bool) or not isinstance(worker, int):
        raise BadDialogue("no speakers", f"{name} {shown(worker)}; a number would be valid")
    return worker


def _titles(mentions: Any) -> dict[str, str | None]:
    """Return titles by id. The published files write no mention as `[]`, the Hugging Face copy writes all as a list."""
    if isinstance(mentions, list):
        pairs = [_pair(each) for each in mentions]
    elif isinstance(mentions, dict):
        pairs = list(mentions.items())
    else:
        raise BadDialogue("no mentions", f"movieMentions {shown(mentions)}; an object of titles by id would be valid")
    titles: dict[str, str | None] = {}
    for movie, title in pairs:
        if not isinstance(movie, str) or not (title is None or isinstance(title, str)):
            raise BadDialogue("bad mention", f"movieMentions holds {shown(title)}; a title by id would be valid")
        titles[movie] = (title or "").strip() or None
    return titles


def _pair(mention: Any) -> tuple[Any, Any]:
    if not isinstance(mention, dict):
        raise BadDialogue("bad mention", f"movieMentions holds {shown(mention)}; a title by id would be valid")
    return mention.get("movieId"), mention.get("movieName")


def _form(questions: Any) -> dict[str, Any] | None:
    """Return the answers by film; an empty form, `[]` in the published files, is none."""
    if isinstance(questions, list):
        rows = [each for each in questions if isinstance(each, dict)]
        return {str(each.get("movieId")): each for each in rows} or None
    return questions if isinstance(questions, dict) and questions else None


def _likes(answers: Any) -> bool:
    """Return whether the film was liked: 0 is no, 1 yes, 2 did not say."""
    return isinstance(answers, dict) and answers.get("liked") in (1, True)
