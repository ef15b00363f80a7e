"""How often the voice detector finds speech, and how often it finds some where nobody speaks.

    python -m bench.voice_activity path/to/speech [more folders]

Speech is every sound file of the folders, plain and under noise; all else is generated from a seed. Prints tables.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from captioning.speech.base import RATE, Floats
from captioning.speech.sounds import MUSIC, NOISES, Maker, at_level, bark, reverberant, tune, unspoken
from captioning.speech.voice import find_voice
from catalog.errors import MediaError
from catalog.media import MediaLimits, read_sound

RATIOS = (20, 10, 5, 0, -5)
BEHIND = ("white noise", "pink noise", "brown noise", "speech-shaped noise", "engine", "band")
HARD: dict[str, Maker] = {
    "melody, vibrato of a third of a semitone": tune(1, 10, vibrato=0.02, per_second=2.0),
    "melody, vibrato of half a semitone": tune(1, 10, vibrato=0.03, per_second=2.0),
    "melody in a hall": reverberant(tune(1, 10)),
    "band in a hall": reverberant(MUSIC["band"]),
    "barking dog": bark,
}


def main(folders: list[str]) -> None:
    """Print hits by noise behind the speech, and false alarms by sound."""
    speech = [samples for folder in folders for samples in _recordings(Path(folder))]
    print(f"speech: {len(speech)} recordings, found as decoded: {_hits(speech)}")
    print(f"  30 dB quieter: {_hits([(0.0316 * samples).astype(np.float32) for samples in speech])}")
    rng = np.random.default_rng(1)
    print("| behind it | " + " | ".join(f"{ratio} dB" for ratio in RATIOS) + " |")
    for name in BEHIND:
        make = {**NOISES, **MUSIC}[name]
        found = [_hits([_mixed(samples, make, ratio, rng) for samples in speech]) for ratio in RATIOS]
        print(f"| {name} | " + " | ".join(map(str, found)) + " |")
    alarms, total = Counter[str](), Counter[str]()
    for seed in range(100, 105):
        for seconds in (1.0, 5.0, 15.0):
            for kind, name, samples in unspoken(seconds, seed=seed):
                total[f"{kind}: {name}"] += 1
                alarms[f"{kind}: {name}"] += bool(find_voice(samples).spans)
    print(f"false alarms: {alarms.total()} of {total.total()} sounds: {dict(+alarms)}")
    for name, make in HARD.items():
        alone = [at_level(make(np.random.default_rng(seed), 30 * RATE), -25) for seed in range(100, 105)]
        spans = [find_voice(samples).spans for samples in alone]
        share = sum(span.end - span.start for each in spans for span in each) / (30 * len(alone))
        print(f"hard: {name}: in {sum(map(bool, spans))} of {len(alone)} half minutes, {share:.0%} of the time")


def _recordings(folder: Path) -> list[Floats]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac", ".mp3", ".ogg")):
        try:
            found.append(read_sound(str(path.absolute()), folder, MediaLimits()))
        except MediaError as error:
            print(error, file=sys.stderr)
    return found


def _hits(sounds: list[Floats]) -> int:
    return sum(bool(find_voice(samples).spans) for samples in sounds)


def _mixed(samples: Floats, make: Maker, ratio: float, rng: np.random.Generator) -> Floats:
    level = 10 * np.log10(float(np.mean(np.square(samples))) + 1e-12)
    mixed: Floats = np.clip(samples + at_level(make(rng, len(samples)), level - ratio), -1, 1).astype(np.float32)
    return mixed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="of recorded speech; without any only false alarms are counted")
    given: list[str] = parser.parse_args().folders
    if missing := [folder for folder in given if not Path(folder).is_dir()]:
        parser.error(f"no such folder: {', '.join(missing)}")
    main(given)
