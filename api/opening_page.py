"""What a browser is shown at `/` while the shop is being opened: a page that looks again by itself."""

from __future__ import annotations

SECONDS = 2
"""After which anybody may ask again."""

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Retry-After": str(SECONDS),
    "Refresh": str(SECONDS),
}

PAGE = b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Vitrine</title>
  <style>
    :root { color-scheme: light dark; }
    body { margin: 0; min-height: 100dvh; display: grid; place-content: center; padding: 1.5rem; text-align: center;
      background: light-dark(#f6f1e9, #151311); color: light-dark(#231e19, #f2ebe1); font: 1.05rem/1.5 Georgia, serif; }
    h1 { margin: 0; font-weight: 400; font-size: 2.6rem; }
    p { margin: 0.6rem 0 0; color: light-dark(#6a5f54, #b3a799); }
  </style>
</head>
<body><h1>Vitrine</h1><p role="status">The shop is being opened. This page looks again by itself.</p></body>
</html>
"""


def is_for(path: str, accept: str) -> bool:
    """Return whether somebody looks at the shop's page with a browser."""
    return path == "/" and "text/html" in accept.lower()
