"""What a scoreboard says, as rows of cells and sentences, for a terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batch.report import duration
from eval.report import signed

ALPHA = 0.05


def section_title(section: Mapping[str, Any]) -> str:
    """Return which items are ranked, on what ground, and how many users judge."""
    which = "Known items" if section["part"] == "warm" else "New items"
    weight = "" if section["ground_weight"] is None else f" (weight {section['ground_weight']:g})"
    counts = f"{section['users']:,} users, {section['items']:,} items"
    return f"{which} ({section['source']}), on {section['ground']}{weight}: {counts}"


def section_rows(section: Mapping[str, Any], metric: str) -> list[list[str]]:
    """Return the table of a section, its header first; controls stand in their contender's row."""
    rows = [
        ["contender", metric, "gain", "95% interval", "p", "over shuffled", "p", "time a point", "tokens a point",
         "money a point"],
    ]  # fmt: skip
    for line in section["lines"]:
        if line["kind"] == "shuffled":
            continue
        cells = [line["name"], f"{line['mean']:.4f}"]
        gain, control = line.get("gain"), line.get("gain_over_control")
        cells += [signed(gain["difference"]), _interval(gain["ci95"]), f"{gain['holm']:.4f}"] if gain else ["", "", ""]
        cells += [signed(control["difference"]), f"{control['holm']:.4f}"] if control else ["", ""]
        rows.append([*cells, *_a_point(line)])
    return [list(row) for row in zip(*_with_something(list(zip(*rows, strict=True))), strict=True)]


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
    """Return which contenders the tests tell from one another; nothing where there is one."""
    if not section["between"]:
        return ""
    clear = [each for each in section["between"] if each["holm"] < ALPHA]
    said = [
        f"{each['a']} above {each['b']} ({signed(each['difference'])}, p = {each['holm']:.4f})"
        if each["difference"] > 0
        else f"{each['b']} above {each['a']} ({signed(-each['difference'])}, p = {each['holm']:.4f})"
        for each in clear
    ]
    rest = len(section["between"]) - len(clear)
    return f"Told apart: {'; '.join(said) or 'nobody'}. {rest} of {len(section['between'])} pairs are not."


def seen_line(section: Mapping[str, Any]) -> str:
    """Return which contenders know rows that they are judged by; nothing where none does."""
    said = [f"{name} {count:,} of {section['rows']:,}" for name, count in section["seen"].items()]
    return f"Made from rows that are judged here, so that their gains prove nothing: {', '.join(said)}." if said else ""


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
