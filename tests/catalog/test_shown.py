from __future__ import annotations

import pytest

from catalog.errors import MediaError
from catalog.shown import shown_text, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://al:pw@h/1.jpg", "http://***@h/1.jpg"),
        ("http://al:12@h/a@2x.jpg", "http://***@h/a@2x.jpg"),
        ("https://token@h/1.jpg", "https://***@h/1.jpg"),
        ("http://al:p/w?x@h/1.jpg", "http://***@h/1.jpg"),
        ("http://al:p@w@h/1.jpg", "http://***@h/1.jpg"),
        ("s3://id:key@bucket/1", "s3://***@bucket/1"),
        ("http://h:80/a@2x.jpg?author=al&keyword=red", "http://h:80/a@2x.jpg?author=al&keyword=red"),
        ("http://[::1]:80/a@2x.jpg", "http://[::1]:80/a@2x.jpg"),
        ("http://h/1?w=8&X-Amz-Credential=A%2FB&sig=ff#t", "http://h/1?w=8&X-Amz-Credential=***&sig=***#t"),
        ("http://h/1?%74oken=a&amp;key=b", "http://h/1?%74oken=***&amp;key=***"),
        ("http://h/1#access_token=a", "http://h/1#access_token=***"),
        ("photos/al:pw@h.jpg?token=1", "photos/al:pw@h.jpg?token=1"),
    ],
)
def test_what_a_url_shows(url: str, shown: str) -> None:
    assert shown_url(url) == shown == shown_url(shown)


def test_urls_in_a_text_and_in_every_error_of_media() -> None:
    text = "'http://al:pw@h/1': leads to \"http://h/?sig=x\", al@home stays"
    assert shown_text(text) == "'http://***@h/1': leads to \"http://h/?sig=***\", al@home stays"
    assert str(MediaError(text)) == shown_text(text)
