"""Media: references to files, pictures to RGB, videos to frames; one bad file is one `MediaError`."""

from catalog.media.limits import MediaLimits
from catalog.media.pictures import open_picture, picture_from_bytes, thumbnail
from catalog.media.refs import fetched_path, is_url, media_path, media_sha
from catalog.media.video import video_frames

__all__ = [
    "MediaLimits",
    "fetched_path",
    "is_url",
    "media_path",
    "media_sha",
    "open_picture",
    "picture_from_bytes",
    "thumbnail",
    "video_frames",
]
