"""What a file is, by its first bytes: no server's or name's word counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MediaKind = Literal["image", "video", "sound"]

HEAD = 192
"""Bytes that `sniff` wants to see; fewer do where the file is shorter."""

_MAGIC: tuple[tuple[bytes, MediaKind, str], ...] = (
    (rb"\xff\xd8\xff", "image", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "image", "PNG"),
    (rb"GIF8[79]a", "image", "GIF"),
    (rb"RIFF....WEBP", "image", "WEBP"),
    (rb"BM.{4}\0\0\0\0", "image", "BMP"),
    (rb"II\*\0|MM\0\*|II\+\0|MM\0\+", "image", "TIFF"),
    (rb"....ftyp(avif|avis)", "image", "AVIF"),
    (rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", "image", "HEIF"),
    (rb"....ftyp(M4A |M4B |F4A )", "sound", "M4A"),
    (rb"....ftyp", "video", "MP4"),
    (rb"....(moov|mdat|wide|free|skip)", "video", "MOV"),
    (rb"\x1aE\xdf\xa3", "video", "Matroska"),
    (rb"RIFF....AVI ", "video", "AVI"),
    (rb"FLV\x01", "video", "FLV"),
    (rb"\0\0\x01[\xba\xb3]", "video", "MPEG"),
    (rb"0&\xb2u\x8ef\xcf\x11", "video", "ASF"),
    (rb"OggS.{24}.?(\x80theora|.{0,8}fishead)", "video", "Ogg"),
    (rb"OggS", "sound", "Ogg"),
    (rb"(RIFF|RF64)....WAVE", "sound", "WAV"),
    (rb"ID3[\x02-\x04]", "sound", "MP3"),
    (rb"\xff[\xf0-\xf1\xf8-\xf9]", "sound", "AAC"),
    (rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "sound", "MP3"),
    (rb"fLaC", "sound", "FLAC"),
    (rb"FORM....AIF[FC]", "sound", "AIFF"),
    (rb"#!AMR", "sound", "AMR"),
    (rb"caff\0\x01", "sound", "CAF"),
    (rb"\.snd", "sound", "AU"),
    (rb"G.{187}G", "video", "MPEG-TS"),
)
_FORMS = tuple((re.compile(pattern, re.DOTALL), kind, form) for pattern, kind, form in _MAGIC)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the bytes begin like.

    Attributes:
        kind: Picture, video or sound; a container that may hold either of the last two counts as video.
        form: `JPEG`, `MP4`, `WAV` and so on.
    """

    kind: MediaKind
    form: str

    def serves(self, wanted: MediaKind) -> bool:
        """Whether it can be opened as `wanted`: an animated picture is a video, and a video's track a sound."""
        moving = self.form in ("GIF", "WEBP", "PNG", "AVIF")
        return self.kind == wanted or (wanted == "video" and moving) or (wanted == "sound" and self.kind == "video")


def sniff(head: bytes) -> Sniffed | None:
    """Return what a file is by its first `HEAD` bytes, None where it is no medium of a known form.

    Example:
        >>> sniff(b"GIF89a")
        Sniffed(kind='image', form='GIF')
        >>> sniff(b"<html><img src=1.jpg>") is None
        True
    """
    for pattern, kind, form in _FORMS:
        if pattern.match(head):
            return Sniffed(kind, form)
    return None
