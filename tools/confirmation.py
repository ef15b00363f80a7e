"""Consent by token: what a shopper agreed to, carried by the caller and good for exactly that.

Where the shop talks with the shopper itself (chat) their yes is known, and no token exists. Where someone else
carries the yes (REST, MCP, a foreign agent), the question of a write comes with a token, and the same call with
that token writes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from catalog.errors import ToolRetry
from catalog.tenancy import current_tenant
from tools.base import Shopper

VALID = timedelta(minutes=10)
"""How long a token is good for: time enough to ask a person, too short to be found later."""
SKEW = timedelta(minutes=1)
"""How far the clocks of two workers may differ; one that was set back must not make tokens live longer."""

MOST_SPENT = 10_000
_ANEW = "call again without it to ask the shopper anew"


class Confirmations:
    """Mints and checks tokens: a MAC over tool, arguments, tenant, shopper and expiry; a change of any voids it.

    Args:
        secret: What the MAC is keyed by. A new one for each process by default, so that no token outlives it; processes
            that stand in for each other need the same.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def token(self, tool: str, arguments: str, shopper: Shopper, now: datetime) -> str:
        """Return the token for `arguments` (canonical JSON, ids resolved), good until `now + VALID`."""
        expires = int((now + VALID).timestamp())
        return f"{expires}-{self._mac(tool, arguments, shopper, expires)}"

    def check(self, token: str, tool: str, arguments: str, shopper: Shopper, now: datetime) -> None:
        """Let a token pass that was minted for this very call.

        Raises:
            ToolRetry: When it was not, or is too old.
        """
        written, _, mac = token.strip().partition("-")
        expires = int(written) if written.isascii() and written.isdigit() and len(written) < 13 else 0
        if not hmac.compare_digest(mac.encode(), self._mac(tool, arguments, shopper, expires).encode()):
            raise ToolRetry(f"'confirmation' is not for {tool} with these arguments; {_ANEW}")
        if now + VALID + SKEW < datetime.fromtimestamp(expires, UTC):
            raise ToolRetry(f"'confirmation' is of a later time than this; {_ANEW}")
        if now.timestamp() > expires:
            minutes = int(VALID.total_seconds() // 60)
            raise ToolRetry(f"'confirmation' is older than {minutes} minutes; {_ANEW}")

    def spent(self, token: str) -> bool:
        """Whether a token has written already."""
        with self._lock:
            return token.strip() in self._spent

    def spend(self, token: str) -> None:
        """Remember that a token has written."""
        with self._lock:
            self._spent[token.strip()] = None
            if len(self._spent) > MOST_SPENT:
                self._spent.popitem(last=False)

    def _mac(self, tool: str, arguments: str, shopper: Shopper, expires: int) -> str:
        # JSON keeps the parts apart: no two calls spell the same bytes.
        said = json.dumps([tool, arguments, current_tenant(), shopper.user_id, shopper.session_id, expires])
        digest = hmac.digest(self._secret, said.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()
