"""A model hub on loopback with folders for models, spoken to by huggingface_hub itself: the double of the hub."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from catalog.loopback import LoopbackServer

_API = re.compile(r"/api/models/(?P<repo>[\w.-]+/[\w.-]+)(?P<rest>/.*)?")
_FILE = re.compile(r"/(?P<repo>[\w.-]+/[\w.-]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
BLOCK = 1 << 16


class ScriptedHub(LoopbackServer):
    """Serves models by folder on a free port: revision, tree and files, with digests and ranges; a context manager.

    Args:
        models: `organisation/model` -> the folder with its files.
        licence: What every card states.

    Attributes:
        asked: Paths of GET requests for files, in their order.
        sent: Bytes of file bodies that left.
        cut_on: Name of the file on which the line breaks, once; None: it holds.
        cut_after: Bytes of it that are sent before.
    """

    def __init__(self, models: Mapping[str, Path], *, licence: str = "apache-2.0") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models = dict(models)
        self.licence = licence
        self.asked: list[str] = []
        self.sent = 0
        self.cut_on: str | None = None
        self.cut_after = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """What `HF_ENDPOINT` names."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def commit(self, repo: str) -> str:
        """Return the commit of a model, which follows from its files."""
        digest = hashlib.sha256()
        for path in self.files(repo):
            digest.update(path.name.encode() + sha256(path).encode())
        return digest.hexdigest()[:40]

    def files(self, repo: str) -> list[Path]:
        """Return the files of a model."""
        folder = self.models[repo]
        return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedHub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if (api := _API.fullmatch(path)) and api["repo"] in self.server.models:
            self._describe(api["repo"], api["rest"] or "")
        elif found := self._file(path):
            self._send_file(found)
        else:
            self._refuse()

    def do_HEAD(self) -> None:
        found = self._file(unquote(urlsplit(self.path).path))
        if found is None:
            self._refuse()
        else:
            self._head(200, found, found.stat().st_size)

    def _describe(self, repo: str, rest: str) -> None:
        if rest.startswith("/tree/"):
            self._json([_entry(path, self.server.models[repo]) for path in self.server.files(repo)])
            return
        revision = rest.removeprefix("/revision/")
        if rest and revision not in ("main", self.server.commit(repo)):
            self._refuse("RevisionNotFound")
            return
        names = [str(path.relative_to(self.server.models[repo])) for path in self.server.files(repo)]
        self._json(
            {
                "id": repo, "modelId": repo, "sha": self.server.commit(repo), "private": False, "gated": False,
                "tags": [f"license:{self.server.licence}"], "cardData": {"license": self.server.licence},
                "siblings": [{"rfilename": name} for name in names],
            }
        )  # fmt: skip

    def _file(self, path: str) -> Path | None:
        match = _FILE.fullmatch(path)
        if match is None or match["repo"] not in self.server.models:
            return None
        self.repo = match["repo"]
        found = self.server.models[self.repo] / match["path"]
        return found if found in self.server.files(self.repo) else None

    def _send_file(self, path: Path) -> None:
        data = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-\d*", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        with self.server.lock:
            self.server.asked.append(urlsplit(self.path).path)
            is_cut = self.server.cut_on == path.name
            self.server.cut_on = None if is_cut else self.server.cut_on
        extra = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if asked else {}
        self._head(206 if asked else 200, path, len(data) - start, extra)
        body = data[start : start + self.server.cut_after] if is_cut else data[start:]
        self.wfile.write(body)
        with self.server.lock:
            self.server.sent += len(body)
        self.close_connection = self.close_connection or is_cut

    def _head(self, status: int, path: Path, length: int, extra: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{sha256(path)}"')
        self.send_header("X-Repo-Commit", self.server.commit(self.repo))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _json(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, code: str = "RepoNotFound") -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write no access log."""


def _entry(path: Path, folder: Path) -> dict[str, Any]:
    """Return a row of the tree as the hub gives it, weights as large files."""
    size, digest = path.stat().st_size, sha256(path)
    large = {"lfs": {"oid": digest, "size": size, "pointerSize": 130}} if path.suffix == ".safetensors" else {}
    return {"type": "file", "path": str(path.relative_to(folder)), "size": size, "oid": digest[:40], **large}
