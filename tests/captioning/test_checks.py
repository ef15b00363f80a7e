import pytest

from captioning.checks import MAX_CHARS, caption_fault


@pytest.mark.parametrize(
    "text",
    [
        "A red mug.",
        'A poster that says "I can" above a sorry-looking dog.',
        "Une tasse rouge.",
        "Blue, blue, blue and more blue: a blue dress with blue buttons.",
    ],
)
def test_captions(text):
    assert caption_fault(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n.", "empty"),
        ("I'm sorry, but I can't help.", "refusal"),
        ("I’m sorry.", "refusal"),
        ("As an AI, I do not look at pictures.", "refusal"),
        ("Sure! Unfortunately I cannot view the picture.", "refusal"),
        ("a very nice " * 30, "repetition"),
        ("word " * MAX_CHARS, "too long"),
    ],
)
def test_faults(text, reason):
    assert caption_fault(text).split(":")[0] == reason
