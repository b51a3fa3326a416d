"""What every page has in common for safety: keys, cookies, CSRF, limits and response headers.

Nothing here trusts the Host header: links are relative, or come from the public URL of the settings
(OWASP Cheat Sheets: Session Management, CSRF Prevention, HTTP Headers).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest

from bridge import logs
from bridge.web import counts
from bridge.wiring import Bridge

#: A page's form is a few fields; nothing here is ever uploaded.
MAX_BODY_BYTES = 256 * 1024
MAX_FORM_FIELDS = 2_000

#: Scripts, styles, pictures: from this server's own files alone; nothing inline, nothing framed.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

csrf = CSRFProtect()
#: Where the counts are away (Redis is lost, the disk full), each process counts for itself meanwhile.
limiter = Limiter(key_func=get_remote_address, headers_enabled=True, in_memory_fallback_enabled=True)


def the_bridge() -> Bridge:
    """The installation whose pages the current application shows."""
    return cast(Bridge, current_app.extensions["bridge"])


def style_nonce() -> str:
    """Lets one script of ours add a style sheet to this one answer: FullCalendar brings its own."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    return str(g.style_nonce)


def install(app: Flask, bridge: Bridge) -> None:
    """Set up keys, cookies, CSRF, limits and headers."""
    https = urlsplit(bridge.settings.public_url or "").scheme == "https"
    app.config.update(
        # From the master key: every process of a fleet signs alike, and there is no second secret.
        SECRET_KEY=bridge.vault.mac("bridge.web: key that signs the session cookies"),
        # The __Host- prefix makes browsers refuse the cookie unless it is Secure and of this host alone.
        SESSION_COOKIE_NAME="__Host-bridge" if https else "bridge",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        # Else every answer would carry it, those too that a proxy may keep for everybody. See session._gate.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=MAX_FORM_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session it belongs to
        WTF_CSRF_SSL_STRICT=False,  # it would compare the Referer with the Host header
        RATELIMIT_STORAGE_URI=_limits_storage(bridge),
    )
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(_plain_text)
    app.after_request(_headers(https))


def _plain_text() -> None:
    """Say what is asked for, without what is in the address (``bridge.logs``); and refuse the one character
    that no database keeps and no person types."""
    if request.url_rule is not None:
        request.environ[logs.ROUTE] = request.url_rule.rule
    given = (request.path, *request.args.values(), *request.form.values())
    if any("\x00" in text for text in given):
        raise BadRequest


def _limits_storage(bridge: Bridge) -> str:
    """Counts are shared where the queue is: in Redis for a fleet, else by the processes of this machine."""
    queue = bridge.settings.queue_url or ""
    shared = queue.startswith(("redis://", "rediss://"))
    return queue if shared else f"{counts.SCHEME}://{bridge.settings.data / 'limits.sqlite'}"


def _headers(https: bool) -> Callable[[Response], Response]:
    def add(response: Response) -> Response:
        headers = response.headers
        policy = CONTENT_SECURITY_POLICY
        if nonce := g.get("style_nonce"):
            policy = policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
            policy = policy.replace("font-src 'self'", "font-src 'self' data:")  # the arrows in that sheet
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"  # for browsers older than frame-ancestors
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static" and not response.cache_control.private:
            headers["Cache-Control"] = "no-store"  # pages hold private events and, once, a password
        return response

    return add
