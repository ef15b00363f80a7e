"""What the agent says of itself: apologies and disclosures, and what counts as taking back."""

from __future__ import annotations

import re

APOLOGY = "I am sorry, something went wrong on my side."
NO_LLM = "The language model did not answer, so the shop's own planner did."
NO_GROUND = "The language model's answer did not hold against the catalogue, so the shop's own planner answered."
NO_END = "The language model came to no answer, so the shop's own planner answered."
NO_PICTURES = "I could not look at the picture: no model for pictures is at hand in this shop."
BAD_PICTURE = "I could not open the picture."
PICTURE_UNUSED = "I did not look at the picture for that."
ONE_PICTURE = "I looked at the first picture only."
NEW_SHOPPER = "Nothing is known of you yet, so these are what other shoppers choose."
LEFT_OUT = "Statements that the catalogue does not bear out were corrected or left out."
CUT = {
    "rounds": "I stopped looking further and answered with what I had.",
    "tokens": "I stopped looking further and answered with what I had.",
    "time": "Time was up, so I answered with what I had.",
    "length": "The answer was cut short.",
}
NONE_TO_UNDO = (
    "There is no feedback of yours here to take back; what you told me of yourself goes by “forget that”. "
    "What should be different?"
)
UNDO = re.compile(
    r"\W*(?:(?:no|oops|sorry|wait|please)\W+)*(?:can you |could you )?"
    r"(?:undo(?: that| it| this)?|(?:take|put) (?:that|it|this) back|take back (?:that|it|this)|revert (?:that|it)|"
    r"(?:forget|delete|remove) (?:that|my) (?:feedback|rating|praise|complaint))"
    r"(?:\W+(?:please|again|thanks?|thank you))*\W*",
    re.IGNORECASE,
)
