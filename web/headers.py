"""Security headers of every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from web.room import room

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
}
YEAR_S = 31_536_000


def after(answer: Response) -> Response:
    """Add the headers; pages are never kept by a browser, assets (whose address carries their hash) for a year."""
    for name, value in _FIXED.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Content-Security-Policy", policy(video_base()))
    if room().settings.https:
        answer.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}; includeSubDomains")
    hashed = request.endpoint == "static" and "v" in request.args
    answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if hashed else _kept(answer)
    return answer


def policy(video: str) -> str:
    """Give the content security policy; pictures may also come from the video process."""
    pictures = f"'self' {_origin(video)}" if video else "'self'"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src {pictures}; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def video_base() -> str:
    """Give the video process as this browser reaches it; "" when there is none."""
    url = room().settings.video_url
    if url.startswith(":"):
        return f"{request.scheme}://{_host(request.host)}{url}"
    return url.rstrip("/")


def _host(netloc: str) -> str:
    host = urlsplit(f"//{netloc}").hostname or ""
    return f"[{host}]" if ":" in host else host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _kept(answer: Response) -> str:
    return answer.headers.get("Cache-Control") or "no-store"
