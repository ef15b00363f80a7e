"""`vitrine keys`: make, list and revoke the keys of the wire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say, say_json

if TYPE_CHECKING:
    from api.audit import AuditLog
    from api.key_file import KeyFile


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Make, list and revoke keys of the wire; the store keeps their digests alone.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def add(
    tenant: Annotated[str, typer.Option("--tenant", help="Whose rows the key reads and writes.")] = "default",
    scopes: Annotated[
        str, typer.Option("--scopes", help="What it may do: read, events, write, agent, metrics, admin; by commas.")
    ] = "read,events,agent",
    label: Annotated[str, typer.Option("--label", help="What it is for, to be told from others.")] = "",
    days: Annotated[int | None, typer.Option("--days", min=1, help="How long it is good; for ever otherwise.")] = None,
    rate: Annotated[
        int | None, typer.Option("--rate", min=1, help="Requests a minute; api.rate_per_minute otherwise.")
    ] = None,
    quota: Annotated[
        int | None, typer.Option("--quota", min=1, help="Requests a day (UTC); no limit otherwise.")
    ] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Make a key and show it, this once: what the store keeps cannot be turned back into it."""
    from datetime import UTC, datetime, timedelta

    file, audit = _opened(store, set_)
    until = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    secret, record = file.add(
        tenant, scopes.split(","), label=label, expires_at=until, rate_per_minute=rate, daily_quota=quota
    )
    _told(audit, "keys add", record.tenant, record.key_id)
    say(secret)
    say(
        f"key {record.key_id} of tenant {record.tenant!r} may: {', '.join(record.scopes)}. "
        "It is not kept and not shown again.",
        error=True,
    )


def list_keys(
    store: Store = None,
    set_: Set = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show every key of the store by its id, with what it may do and whether it still opens anything."""
    from datetime import UTC, datetime

    file, _ = _opened(store, set_)
    now, records = datetime.now(UTC), file.read()
    for each in records:
        if as_json:
            say_json(each.model_copy(update={"sha256": f"{each.sha256[:8]}..."}).model_dump_json())
            continue
        limits = [f"{each.rate_per_minute} a minute" if each.rate_per_minute else ""]
        limits += [f"{each.daily_quota} a day" if each.daily_quota else ""]
        said = (each.key_id, each.state(now), each.tenant, "+".join(each.scopes), *limits, each.label)
        say("  ".join(part for part in (f"{each.created_at:%Y-%m-%d}", *said) if part))
    if not records and not as_json:
        say("no key; 'vitrine keys add --tenant acme' makes one")


def revoke(
    key_id: Annotated[str, typer.Argument(help="As `vitrine keys list` shows it.")],
    store: Store = None,
    set_: Set = None,
) -> None:
    """Let a key open nothing any more, from the next request on, in running services too."""
    file, audit = _opened(store, set_)
    record = file.revoke(key_id)
    _told(audit, "keys revoke", record.tenant, record.key_id)
    say(f"key {record.key_id} of tenant {record.tenant!r} opens nothing since {record.revoked_at:%Y-%m-%d %H:%M} UTC")


def audit_log(
    store: Store = None,
    set_: Set = None,
    days: Annotated[float, typer.Option("--days", min=0, help="How far back.")] = 1.0,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose alone.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Of this key id alone.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="About this shopper, known by digest.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show who wrote what and when: the key's id, the address, what it was about, the answer, the request's id."""
    import json
    from dataclasses import asdict
    from datetime import UTC, datetime, timedelta

    from api.audit import person

    _, audit = _opened(store, set_)
    about = person(user) if user is not None else None
    for line in audit.lines(datetime.now(UTC) - timedelta(days=days)):
        if tenant not in (None, line.tenant) or key not in (None, line.key_id):
            continue
        if about is not None and about not in line.target.split():
            continue
        if as_json:
            say_json(json.dumps(asdict(line)))
        else:
            whose = f"{line.key_id} of {line.tenant}"
            say(f"{line.at}  {whose}  {line.action}  {line.target}  {line.status}  {line.request_id}")


def _opened(store: Path | None, pairs: list[str] | None) -> tuple[KeyFile, AuditLog]:
    from api.audit import AUDIT_FOLDER, AuditLog
    from api.key_file import KEY_FILE, KeyFile
    from catalog.workspace import Workspace

    settings = load(store, pairs)
    root = Workspace(settings.store).root
    return KeyFile(root / KEY_FILE), AuditLog(root / AUDIT_FOLDER, settings.api.audit_days)


def _told(audit: AuditLog, action: str, tenant: str, key_id: str) -> None:
    from datetime import UTC, datetime

    from api.audit import AuditLine, moment

    audit.append(AuditLine(moment(datetime.now(UTC)), "console", tenant, action, key_id, 0, ""))
