from __future__ import annotations

import numpy as np
import pytest

from captioning.speech.base import RATE, Floats, Segment, Word
from captioning.speech.doubles import InventingModel, ScriptedModel
from captioning.speech.guards import WINDOW_SECONDS, GuardConfig, GuardedTranscriber
from captioning.speech.inventions import is_invention
from captioning.speech.sounds import at_level, babble, silence, unspoken
from captioning.speech.voice import find_voice


def talk(seconds: float = 4.0, seed: int = 0) -> Floats:
    return at_level(babble(np.random.default_rng(seed), int(seconds * RATE)), -22)


def said(text: str, **figures: float) -> Segment:
    return Segment(text, 0.0, 3.0, **figures)


def heard(*segments: Segment, sound: Floats | None = None, **guards: object):  # type: ignore[no-untyped-def]
    transcriber = GuardedTranscriber(ScriptedModel([segments]), "test", guards=GuardConfig.model_validate(guards))
    return transcriber.transcribe(talk() if sound is None else sound)


def test_a_model_that_always_invents_is_not_asked_about_silence_noise_and_music() -> None:
    model = InventingModel()
    transcriber = GuardedTranscriber(model, "inventing")
    for kind, name, samples in unspoken(seconds=4.0, levels=(-45.0, -18.0), seed=11):
        found = transcriber.transcribe(samples)
        assert found.text is None and found.words == (), name
        assert (found.reason == "silence") == (kind == "silence"), name
    assert model.calls == []


def test_words_come_with_language_and_times_of_the_whole_sound() -> None:
    pause = silence(5 * RATE)
    found = GuardedTranscriber(InventingModel("ten of clubs"), "test").transcribe(np.concatenate([pause, talk()]))
    assert (found.text, found.language, found.language_probability) == ("ten of clubs", "en", 0.99)
    assert found.seconds == 9 and found.reason is None
    assert [word.text for word in found.words] == ["ten", "of", "clubs"]
    assert 4.5 < found.words[0].start < 5.3 and found.words[-1].end <= 9
    assert [word.start for word in found.words] == sorted(word.start for word in found.words)


@pytest.mark.parametrize(
    ("segment", "reason", "why"),
    [
        (said(""), "no speech", "no words"),
        (said(" ... "), "no speech", "no words"),
        (said("hello there", no_speech=0.9, logprob=-1.2), "no speech", "90%"),
        (said("hello there", logprob=-1.2), "uncertain", "-1.20"),
        (said("hello there", compression=2.6), "uncertain", "2.6"),
        (said("so so so so so so"), "uncertain", "loop"),
        (said("I see it " * 6), "uncertain", "loop"),
        (said(" ".join(f"word{k}" for k in range(40))), "uncertain", "words a second"),
    ],
)
def test_words_that_are_not_believed(segment: Segment, reason: str, why: str) -> None:
    found = heard(segment)
    assert (found.text, found.reason) == (None, reason)
    assert why in (found.detail or "")


@pytest.mark.parametrize(
    "segment",
    [
        said("hello there"),
        said("hello there", no_speech=0.9, logprob=-0.2),  # sure of its words
        said("five five five five"),
        said("no no no, not that one"),
        said("Thank you for watching!"),  # where a voice is beyond doubt
    ],
)
def test_words_that_are_believed(segment: Segment) -> None:
    found = heard(segment)
    assert (found.text, found.reason) == (segment.text, None)


def test_a_known_invention_counts_only_where_the_voice_is_beyond_doubt() -> None:
    short = talk(0.45, seed=0)
    (span,) = find_voice(short).spans
    assert 0 < span.evidence < 0.95
    weak = {"weak_evidence": 1.0, "sound": short}
    found = heard(Segment("Thanks for watching.", 0.0, 0.4), **weak)
    assert (found.text, found.reason) == (None, "uncertain") and "invent" in (found.detail or "")
    assert heard(Segment("ten of clubs", 0.0, 0.4), **weak).text == "ten of clubs"
    assert heard(Segment("ten of clubs", 0.0, 0.4, logprob=-0.7), **weak).reason == "uncertain"
    assert heard(Segment("Thanks for watching.", 0.0, 0.4), sound=short, weak_evidence=0.0).text is not None


def test_good_segments_stay_when_bad_ones_go() -> None:
    found = heard(said("hello there"), Segment("blah", 3.0, 3.5, logprob=-2.0))
    assert (found.text, found.reason) == ("hello there", None) and "blah" in (found.detail or "")


def test_a_loop_over_several_segments_is_a_loop() -> None:
    found = heard(*(Segment("I see it.", k, k + 0.8) for k in range(6)))
    assert (found.text, found.reason) == (None, "uncertain")


def test_report_lets_doubtful_words_pass_and_says_so() -> None:
    found = heard(said("hello there", logprob=-3.0), checks="report")
    assert found.text == "hello there" and "-3.00" in (found.detail or "")


def test_no_model_is_given_more_than_its_window_and_the_longest_stretch_tells_the_language() -> None:
    model = ScriptedModel([[said("one")], [said("two")]], language="de")
    sound = np.concatenate([talk(3.0), silence(4 * RATE), talk(70.0, seed=4)])
    found = GuardedTranscriber(model, "test").transcribe(sound)
    assert model.languages[0] is None and set(model.languages[1:]) == {"de"} and len(model.languages) >= 4
    assert found.language == "de" and set((found.text or "").split()) == {"one", "two"}
    invented = InventingModel()
    GuardedTranscriber(invented, "test").transcribe(sound)
    assert max(invented.calls) <= WINDOW_SECONDS and sum(invented.calls) == pytest.approx(73, abs=1.5)


def test_a_set_language_is_given_to_the_model() -> None:
    model = ScriptedModel([[said("hallo")]])
    found = GuardedTranscriber(model, "test", language="de").transcribe(talk())
    assert model.languages == ["de"] and found.language == "de" and found.language_probability is None


def test_settings_that_change_words_change_the_provenance() -> None:
    shas = {
        GuardedTranscriber(InventingModel(), "a").settings_sha,
        GuardedTranscriber(InventingModel(), "a", language="en").settings_sha,
        GuardedTranscriber(InventingModel(), "a", guards=GuardConfig(checks="report")).settings_sha,
        GuardedTranscriber(InventingModel("other"), "a").settings_sha,
    }
    assert len(shas) == 4
    assert GuardedTranscriber(InventingModel(), "a").settings_sha in shas


def test_words_outside_the_sound_are_brought_inside() -> None:
    words = (Word("late", 100.0, 101.0), Word("early", -3.0, 0.5))
    found = heard(Segment("early late", -3.0, 101.0, words))
    assert [(word.text, word.start >= 0, word.end <= 4) for word in found.words] == [
        ("early", True, True),
        ("late", True, True),
    ]


def test_known_inventions() -> None:
    assert is_invention(" Thank you. Thank you.") and is_invention("Untertitel der Amara.org-Community")
    assert not is_invention("thank you for the blue scarf") and not is_invention("")
