"""Media: references to files, pictures to RGB, videos to frames; one bad file is one `MediaError`."""

from catalog.media.limits import MediaLimits
from catalog.media.pictures import open_picture, picture_from_bytes, thumbnail
from catalog.media.refs import Stamp, fetched_path, is_url, media_bytes, media_sha, media_stamp, open_media
from catalog.media.scenes import SampledVideo, sample_clip
from catalog.media.sound import SPEECH_RATE, Resampler, read_sound
from catalog.media.survey import FrameBudget

__all__ = [
    "SPEECH_RATE",
    "FrameBudget",
    "MediaLimits",
    "Resampler",
    "SampledVideo",
    "Stamp",
    "fetched_path",
    "is_url",
    "media_bytes",
    "media_sha",
    "media_stamp",
    "open_media",
    "open_picture",
    "picture_from_bytes",
    "read_sound",
    "sample_clip",
    "thumbnail",
]
