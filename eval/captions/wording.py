"""What a scoreboard says, as rows of cells and sentences, for a terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batch.report import duration
from eval.report import signed

ALPHA = 0.05
CLOSEST = 2
"""Pairs of each kind that are said; the JSON holds all."""
MARK = " *"
"""Behind the name of a contender that knows rows it is judged by."""


def section_title(section: Mapping[str, Any]) -> str:
    """Return which items are ranked, on what ground, and how many users judge."""
    which = "Known items" if section["part"] == "warm" else "New items"
    weight = "" if section["ground_weight"] is None else f" (weight {section['ground_weight']:g})"
    counts = f"{section['users']:,} users, {section['items']:,} items"
    return f"{which} ({section['source']}), on {section['ground']}{weight}: {counts}"


def section_rows(section: Mapping[str, Any], metric: str) -> list[list[str]]:
    """Return the table of a section, its header first; controls stand in their contender's row.

    Contenders that know rows they are judged by come last, below the random vectors, with a mark: they have no rank.
    """
    rows = [
        ["contender", metric, "gain", "95% interval", "p", "over shuffled", "p", "time a point", "tokens a point",
         "money a point"],
    ]  # fmt: skip
    for line in ranked_first(section):
        if line["kind"] == "shuffled":
            continue
        cells = [f"{line['name']}{MARK}" if line["name"] in section["seen"] else line["name"], f"{line['mean']:.4f}"]
        gain, control = line.get("gain"), line.get("gain_over_control")
        cells += [signed(gain["difference"]), _interval(gain["ci95"]), f"{gain['holm']:.4f}"] if gain else ["", "", ""]
        cells += [signed(control["difference"]), f"{control['holm']:.4f}"] if control else ["", ""]
        point = ["", "", ""] if line["name"] in section["seen"] else _a_point(line)
        rows.append([*cells, *point])
    return [list(row) for row in zip(*_with_something(list(zip(*rows, strict=True))), strict=True)]


def ranked_first(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the lines of a section, those of contenders that know what they are judged by last."""
    return sorted(section["lines"], key=lambda line: line["name"] in section["seen"] and line["kind"] != "base")


def _with_something(columns: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Leave out columns of which nothing is known, such as money where no price is set."""
    return [column for column in columns if any(column[1:])]


def _a_point(line: Mapping[str, Any]) -> list[str]:
    point = line.get("a_point")
    if point is None:
        return ["", "", ""]
    tokens = point["prompt_tokens"] + point["completion_tokens"]
    money = "" if point["money"] is None else f"{point['money']:.4g}"
    return [duration(point["seconds"]), f"{tokens:,}" if tokens else "", money]


def _interval(ci95: Sequence[float]) -> str:
    low, high = map(signed, ci95)
    return f"[{low}, {high}]"


def making_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of who made each contender, and at what cost, its header first."""
    rows = [["contender", "captions", "prompt", "embedder", "vectors", "time", "tokens", "money"]]
    for name, each in report["contenders"].items():
        cost = each["cost"]
        tokens = cost["prompt_tokens"] + cost["completion_tokens"] if cost else 0
        rows.append(
            [
                name,
                each["captioner"] or "",
                each["prompt"] or "",
                each["embedder"] or "brought along",
                f"{each['items']:,} x {each['width']:,}",
                duration(cost["seconds"]) if cost else "",
                f"{tokens:,}" if tokens else "",
                "" if not cost or cost["money"] is None else f"{cost['money']:.4g}",
            ]
        )
    return [list(row) for row in zip(*_with_something(list(zip(*rows, strict=True))), strict=True)]


def told_apart(section: Mapping[str, Any]) -> str:
    """Return how many pairs of contenders the tests tell apart, and the closest of each kind; nothing without a pair.

    All pairs stand in the JSON, as `between`. Pairs with a contender that knows what it is judged by are passed over.
    """
    pairs = [each for each in section["between"] if not {each["a"], each["b"]} & set(section["seen"])]
    if not pairs:
        return ""
    clear, rest = ([each for each in pairs if (each["holm"] < ALPHA) == told] for told in (True, False))
    said = [f"{len(clear)} of {len(pairs)} pairs of contenders are told apart (p below {ALPHA:g} after correction)"]
    if clear:
        said.append(f"The closest of these: {_listed(clear)}")
    if rest:
        said.append(f"The closest{' of the others' if clear else ''}: {_listed(rest)}")
    if len(clear) > CLOSEST or len(rest) > CLOSEST:
        said.append("All pairs: `between` in the JSON")
    return ". ".join(said) + "."


def _listed(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Return the closest of the pairs, and their tests."""
    return "; ".join(_pair(each) for each in sorted(pairs, key=lambda each: abs(each["difference"]))[:CLOSEST])


def _pair(each: Mapping[str, Any]) -> str:
    above, below = (each["a"], each["b"]) if each["difference"] > 0 else (each["b"], each["a"])
    return f"{above} over {below} {signed(abs(each['difference']))} (p = {each['holm']:.4f})"


def seen_line(section: Mapping[str, Any]) -> str:
    """Return which contenders know rows that they are judged by; nothing where none does."""
    said = [f"{name} knows {count:,} of {section['rows']:,}" for name, count in section["seen"].items()]
    if not said:
        return ""
    return (
        f"{MARK.strip()} Without a rank: made from rows that are judged here, so that its gain proves nothing. "
        f"{'; '.join(said)}."
    )


def anew_line(report: Mapping[str, Any]) -> str:
    """Return which spaces were learned anew for this scoreboard; nothing where none was."""
    anew = [name for name, each in report["contenders"].items() if each["learned_anew"]]
    if not anew:
        return ""
    return (
        f"Learned anew from train rows for this scoreboard, as for every evaluation: {', '.join(anew)}. New items that "
        "were drawn from what people took are among those rows, so that it has no rank there."
    )


def agreement_line(found: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Return how a fully trained model's order agrees with the probe's."""
    check = report["config"]["check"]
    said = [
        f"{name} {_correlation(found[key])}"
        for name, key in (("Kendall's tau", "kendall"), ("Spearman's rho", "spearman"))
    ]
    alone = found["among_contenders"]
    among = "" if alone["mean"] is None else f", tau among contenders alone {_correlation(alone)}"
    clear = f"{found['clear_alike']} of {found['clear_pairs']} pairs that the probe tells apart are in the same order"
    return (
        f"On {found['ground']}, {check} trained in full on {len(found['entries'])} entries, controls among them "
        f"({duration(found['fit_seconds'])}): {', '.join(said)}{among}; {clear}."
    )


def _correlation(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "not known"
    low, high = found["ci95"]
    return f"{found['mean']:+.2f} [{low:+.2f}, {high:+.2f}]"


def place_line(report: Mapping[str, Any]) -> str:
    """Return what the figures rest on."""
    config = report["config"]
    stale = [name for name, each in report["contenders"].items() if each["stale"]]
    said = [
        f"A point is 0.01 of {report['metric']}. Gains are over the first line, p by paired randomisation tests after "
        f"Holm's correction; shuffled: the same vectors on the wrong items, {config['deals']} deals. "
        f"Weights of {', '.join(f'{each:g}' for each in config['weights'])} chosen on validation, lambda "
        f"{report['regularisation']:g} on it without content. Seed {config['seed']}, data {report['data_key'][:12]}, "
        f"commit {report['commit'] or 'unknown'}."
    ]
    if report["absent"]:
        said.append(f"New items are not judged: {report['absent']}.")
    if stale:
        said.append(f"Captions were made anew since they were embedded; run vitrine embed: {', '.join(stale)}.")
    return " ".join(said)
