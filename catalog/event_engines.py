"""Connections to the two databases an event store may stand on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from catalog.errors import ConfigError
from catalog.write_ahead import write_ahead

_PASSWORDS = ("password", "sslpassword")
"""Parameters of libpq that hold one."""


def sqlite_engine(path: Path | str) -> Engine:
    """Return connections to a SQLite file: write-ahead log, every commit on the disk before it is acknowledged."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 30})
    event.listen(engine, "connect", _of_sqlite)
    return engine


def postgres_engine(url: str, pool_size: int = 8, connect_seconds: int = 5) -> Engine:
    """Return connections to PostgreSQL through psycopg 3; one that a restart of the server has cut is replaced.

    Raises:
        ConfigError: When psycopg is not installed, or a parameter of the address is none that libpq knows.
    """
    # A network that is gone says nothing: the system would wait a quarter of an hour for it.
    patience = {"tcp_user_timeout": connect_seconds * 1000, "keepalives_idle": connect_seconds}
    arguments = {"connect_timeout": connect_seconds, "application_name": "vitrine", **patience}
    try:
        engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            connect_args=arguments,
            pool_size=pool_size,
            pool_timeout=connect_seconds,
            pool_pre_ping=True,
        )
    except ImportError as error:
        raise ConfigError(
            "events.url names PostgreSQL and psycopg is not installed: "
            "pip install -e '.[postgres]' -c constraints.txt in the checkout brings it"
        ) from error
    _check_parameters(engine)
    event.listen(engine, "connect", partial(_of_postgres, lock_seconds=connect_seconds))
    return engine


def _check_parameters(engine: Engine) -> None:
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo("", **dict.fromkeys(engine.url.query, ""))
    except ProgrammingError as error:
        raise ConfigError(
            f"events.url is {shown_url(engine.url)!r}: {str(error).strip()}; the parameters of libpq would be valid"
        ) from error


def read_url(url: str) -> URL:
    """Return a database's address, taken apart.

    Raises:
        ConfigError: When it is none of SQLite or PostgreSQL; a password in it is not repeated.
    """
    valid = "'postgresql://user@host:5432/shop' or 'sqlite:////srv/shop/events.sqlite' would be valid"
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"events.url is no address of a database; {valid}") from None
    kind = read.drivername.partition("+")[0]
    if kind != "sqlite" and "@" in f"{read.host}{read.database}":  # the tail of a password would be shown as a host
        raise ConfigError(f"events.url holds more than one '@'; in a password it is written %40; {valid}")
    if kind not in ("postgresql", "postgres", "sqlite") or (kind == "sqlite" and not read.database):
        raise ConfigError(f"events.url is {shown_url(read)!r}; {valid}")
    return read


def holds_password(url: URL) -> bool:
    """Whether a password stands in an address, before its host or, as libpq has it, among its parameters."""
    return url.password is not None or any(name in url.query for name in _PASSWORDS)


def shown_url(url: URL) -> str:
    """Return an address as people may see it: without any password."""
    return url.difference_update_query(_PASSWORDS).render_as_string(hide_password=True)


def _of_sqlite(connection: Any, _record: object) -> None:
    """Set what each new connection needs; `secure_delete` overwrites what is erased."""
    write_ahead(connection)
    cursor = connection.cursor()
    for setting in ("synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _of_postgres(connection: Any, _record: object, *, lock_seconds: int) -> None:
    """Have commits wait for the disk where the server was told not to: acknowledged means kept.

    And have nobody wait without end for a table that somebody else has locked (`ALTER TABLE`, `VACUUM FULL`): that is
    a database which does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{lock_seconds}s",))
    connection.commit()
