"""`vitrine events`: backup, restore, retention and dead letters of what shoppers did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import ConfigError, NotBuiltError
from vitrine.cli.keys import audit_log
from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say, say_json

if TYPE_CHECKING:
    from catalog.event_store import SqlEventStore
    from vitrine.settings import Settings

Tenant = Annotated[str, typer.Option("--tenant", help="Whose; `open` is a service without keys.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Back up, restore and prune what shoppers did; see what was refused, and who wrote what.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("backup")(backup_events)
    group.command("restore")(restore_events)
    group.command("list")(list_backups)
    group.command("prune")(prune)
    group.command("dead-letters")(dead_letters)
    group.command("audit")(audit_log)
    app.add_typer(group, name="events")


def backup_events(
    file: Annotated[Path, typer.Argument(help="A file yet to be made: .jsonl.gz, .jsonl, or .sqlite from SQLite.")],
    store: Store = None,
    set_: Set = None,
) -> None:
    """Write events, slates, traces and what shoppers told to one file, as of one moment, while the shop is open."""
    from catalog.backup_origin import origin_of
    from catalog.event_backup import backup
    from catalog.workspace import Workspace

    settings = load(store, set_)
    origin = origin_of(Workspace(settings.store))
    with opened_events(settings) as events:
        say(f"{file}: {origin}: {_counted(backup(events, file, origin))}")


def list_backups(
    files: Annotated[list[Path], typer.Argument(help="What `vitrine events backup` wrote, e.g. backups/*.")],
) -> None:
    """Say of backups whose shop, of when and of which tenants they are; each is read to its end and against its sum."""
    from catalog.backup_files import contents
    from catalog.readers.rejects import shown

    for file in files:
        held = contents(file)
        tenants = ", ".join(f"{count:,} of tenant {shown(name)}" for name, count in sorted(held.tenants.items()))
        say(f"{file}: {held.origin}: {_counted(held.rows)}" + (f"; rows: {tenants}" if tenants else ""))


def restore_events(
    file: Annotated[Path, typer.Argument(help="What `vitrine events backup` wrote.")],
    store: Store = None,
    set_: Set = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose the rows become; as they were otherwise.")
    ] = None,
    other_shop: Annotated[
        bool, typer.Option("--other-shop", help="Restore what was backed up from another shop than the store's.")
    ] = False,
) -> None:
    """Read a backup into the store, SQLite or PostgreSQL, empty or not; what is known already stands."""
    from catalog.backup_files import said_origin
    from catalog.backup_origin import check_same_shop, origin_of
    from catalog.event_backup import restore
    from catalog.workspace import Workspace

    settings, origin = load(store, set_), said_origin(file)
    if not other_shop:
        check_same_shop(file, origin, origin_of(Workspace(settings.store)))
    with opened_events(settings, make=True) as events:
        restored = restore(events, file, tenant)
        say(f"read of {origin}: {_counted(restored.read)}; new: {_counted(restored.new)}")


def prune(
    store: Store = None,
    set_: Set = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="events.retention_days otherwise.")
    ] = None,
) -> None:
    """Erase what is older than the retention, also what shoppers told of themselves. For a nightly timer."""
    from dataclasses import asdict
    from datetime import UTC, datetime, timedelta

    settings = load(store, set_)
    days = older_than if older_than is not None else settings.events.retention_days
    if days is None:
        raise ConfigError("how old is too old is not said; --older-than 400 or events.retention_days would be valid")
    with opened_events(settings) as events:
        before = datetime.now(UTC) - timedelta(days=days)
        say(f"before {before:%Y-%m-%d %H:%M} UTC, erased: {_counted(asdict(events.prune(before)))}")


def dead_letters(
    store: Store = None,
    set_: Set = None,
    tenant: Tenant = "open",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most that are shown, the latest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show events that were refused, with the reason and how often the same was sent."""
    import json
    from dataclasses import asdict

    from catalog.tenancy import acting_for

    with opened_events(load(store, set_)) as events, acting_for(tenant):
        for letter in events.dead_letters(limit):
            if as_json:
                say_json(json.dumps({**asdict(letter), "received_at": letter.received_at.isoformat()}))
            else:
                say(f"{letter.received_at:%Y-%m-%d %H:%M:%S}  {letter.times} x  {letter.reason}")
                say(f"    {letter.payload[:200]}")
        counts = events.dead_letter_counts()
    if not as_json:
        say(", ".join(f"{count} of tenant {name!r}" for name, count in counts.items()) or "no event was refused")


@contextmanager
def opened_events(settings: Settings, *, make: bool = False) -> Iterator[SqlEventStore]:
    """Open the store's events for a command, and close them after it.

    Args:
        settings: Where they are.
        make: Whether a store without events gets some.

    Raises:
        NotBuiltError: When there are none.
    """
    from catalog.events import open_event_store
    from catalog.workspace import Workspace

    path = Workspace(settings.store).events_path
    if settings.events.url is None and not make and not path.exists():
        raise NotBuiltError(f"no events in the store {str(path.parent)!r}: vitrine serve takes them")
    events = open_event_store(settings.events, path)
    try:
        yield events
    finally:
        events.close()


def _counted(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()) or "nothing"
