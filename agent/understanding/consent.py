"""A yes or a no to what was just asked, and nothing besides: what may be written hangs on it."""

from __future__ import annotations

import re
from functools import cache

from agent.understanding.spelling import Speller
from agent.understanding.words import fold, split

_AGREEING = re.compile(
    r"(?:(?:oh|well|hm+|ah|um|great|fine|perfect|thanks?|please) )*"
    r"(?:yes|yep|yeah|yup|ye|aye|sure(?: thing)?|ok(?:ay)?|alright|all right|absolutely|definitely|certainly|"
    r"of course|by all means|please do|do (?:it|that|so)|go (?:ahead|for it)|right|correct|exactly|"
    r"confirm(?:ed)?|agreed|i (?:agree|do|confirm)|you (?:may|can)|sounds good|"
    r"(?:that|thats|it)(?: is)? (?:right|fine|good|ok(?:ay)?|correct))"
    r"(?: (?:yes|sure|ok(?:ay)?|please|do|that|it|this|so|go ahead|go for it|of course|you (?:may|can)|"
    r"i (?:do|would|agree)|thanks?|thank you|record|save|note|remember|write|down|for me|by all means|"
    r"is|why not|fine|good|right|correct))*"
)
_DECLINING = re.compile(
    r"(?:(?:oh|well|hm+|ah|um|sorry|actually|please|wait|ok(?:ay)?) )*"
    r"(?:no|nope|nah|not (?:now|yet|really|today|this time|necessary|needed)|never ?mind|rather not|"
    r"(?:i )?would(?: rather|n't| not)|i'd rather not|(?:please )?(?:don't|dont|do not)|no need|"
    r"leave (?:it|that|this)|skip (?:it|that|this)|forget (?:it|that|about it)|cancel(?: that| it)?|stop)"
    r"(?: (?:no|not|now|yet|thanks?|thank you|please|don't|dont|do not|do|that|it|this|leave|alone|be|"
    r"need|necessary|to|rather|would|i'd|i|want|just|record|save|note|remember|write|anything|down|for|"
    r"keep|as|is|way|okay|ok|fine|really|never ?mind|skip|forget|about|the|bother|you|your|mind))*"
)
_WORDS = "please absolutely definitely certainly course correct confirm exactly right rather never leave thanks"
_STRETCHED = re.compile(r"([a-z])\1{2,}")


def agrees(message: str) -> bool:
    """Whether a message says yes and no more; a typing mistake in it does no harm, a further wish does.

    Example:
        >>> [agrees(said) for said in ("Yes, do that", "yes plesae!", "sure, go ahead", "yes, but in blue", "no")]
        [True, True, True, False, False]
    """
    return _AGREEING.fullmatch(_plain(message)) is not None


def declines(message: str) -> bool:
    """Whether a message says no to a question and no more.

    Example:
        >>> [declines(said) for said in ("no, leave it", "No thanks.", "please don't", "no, the blue one")]
        [True, True, True, False]
    """
    return _DECLINING.fullmatch(_plain(message)) is not None


def _plain(message: str) -> str:
    """Return the words of a message without its marks, their spelling mended."""
    words = (_STRETCHED.sub(r"\1", word.text) for word in split(fold(message)) if word.is_word)
    return " ".join(_speller().correct(word) or word for word in words)


@cache
def _speller() -> Speller:
    return Speller(dict.fromkeys(_WORDS.split(), 1))
