"""What counts as a yes or a no to a question: writes hang on it, so a further wish in the message is neither."""

from __future__ import annotations

import pytest

from agent.understanding.consent import agrees, declines


@pytest.mark.parametrize(
    "said",
    ["yes", "Yes, do that", "yes plesae!", "yes pleease", "yesss", "sure, go ahead", "ok thanks", "that's right",
     "yes I do", "of course, record it for me", "sounds good", "Yep.", "by all means"],
)  # fmt: skip
def test_a_plain_yes(said: str) -> None:
    assert agrees(said) and not declines(said)


@pytest.mark.parametrize(
    "said",
    ["no", "no, leave it", "No thanks.", "no, please don't", "don't", "rather not", "ok, never mind", "not now, thanks",
     "no need", "nah, forget it", "no, plaese don't"],
)  # fmt: skip
def test_a_plain_no(said: str) -> None:
    assert declines(said) and not agrees(said)


@pytest.mark.parametrize(
    "said",
    ["", "yes, but in blue", "yes, and show me mugs", "no, the blue one", "not the first one", "thanks", "looks good",
     "great", "please", "is that right?  what about mugs", "don't you have others", "no more than 40"],
)  # fmt: skip
def test_whatever_says_more_is_neither(said: str) -> None:
    assert not agrees(said) and not declines(said)
