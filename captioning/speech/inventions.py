"""Sentences that Whisper models are known to write where nobody speaks; learnt from subtitles of web videos.

Source: reports in the discussions of openai/whisper and faster-whisper, and the "bag of hallucinations" of
M. Baranski et al., Investigation of Whisper ASR hallucinations induced by non-speech audio (2025).
"""

from __future__ import annotations

import re
import unicodedata

INVENTIONS: frozenset[str] = frozenset({
    "you", "thank you", "thanks", "thank you very much", "thank you so much", "bye", "bye bye", "okay", "so", "oh",
    "thank you for watching", "thanks for watching", "thank you for watching and see you next time",
    "thank you for listening", "please subscribe", "please subscribe to my channel", "like and subscribe",
    "please like and subscribe", "see you next time", "see you in the next video", "i ll see you next time",
    "subtitles by the amara org community", "transcription by castingwords", "copyright bf watch tv", "beep",
    "untertitel der amara org community", "untertitel im auftrag des zdf", "untertitelung des zdf",
    "vielen dank", "vielen dank fürs zuschauen", "bis zum nächsten mal", "copyright wdr",
    "sous titres réalisés para la communauté d amara org", "sous titres réalisés par la communauté d amara org",
    "sous titrage société radio canada", "merci d avoir regardé cette vidéo", "merci",
    "subtítulos realizados por la comunidad de amara org", "subtítulos por la comunidad de amara org",
    "gracias por ver el video", "gracias por ver", "gracias", "suscríbete",
    "sottotitoli creati dalla comunità amara org", "sottotitoli e revisione a cura di qtss", "grazie a tutti",
    "legendas pela comunidade amara org", "obrigado por assistir", "obrigado",
    "ondertiteld door de amara org gemeenschap", "ondertitels ingediend door de amara org gemeenschap",
    "napisy stworzone przez społeczność amara org", "dziękuję za uwagę", "titulky vytvořil johnyx",
    "продолжение следует", "субтитры сделал dimatorzok", "субтитры создавал dimatorzok", "спасибо за просмотр",
    "редактор субтитров а семкин корректор а егорова", "altyazı m k", "abone olmayı unutmayın",
    "ご視聴ありがとうございました", "最後までご視聴いただきありがとうございます", "おやすみなさい",
    "字幕由amara org社区提供", "字幕志愿者 李宗盛", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "謝謝觀看",
    "mbc 뉴스 이덕영입니다", "시청해주셔서 감사합니다", "اشتركوا في القناة",
})  # fmt: skip
"""In the form that `plain` gives."""


def plain(text: str) -> str:
    """Return a text in lower case, without punctuation, with single spaces.

    Example:
        >>> plain(" Thanks for watching!! ")
        'thanks for watching'
    """
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text).lower()).split())


def is_invention(text: str) -> bool:
    """Return whether the whole text is one of the known sentences, once or several times."""
    words = plain(text)
    if words in INVENTIONS:
        return True
    parts = {plain(part) for part in re.split(r"[.!?。!?]+(?:\s|$)", text)} - {""}
    return bool(parts) and parts <= INVENTIONS
