"""Mail by the studio's own SMTP server: one message, sent or not; what it says and when is the callers'.

``smtp://`` turns to TLS where the server offers it (RFC 3207), ``smtps://`` begins with it. Passwords are
only ever sent under TLS, or to this very machine.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from urllib.parse import unquote, urlsplit

from bridge.errors import RetryLater, SignInNeeded, Unreachable

TIMEOUT_SECONDS = 15


def send(
    smtp_url: str, mail_from: str, to: str, subject: str, text: str, calendar: str | None = None
) -> None:
    """Send one plain-text message; ``calendar``: an iCalendar text to go with it as ``booking.ics``.

    Raises Unreachable, RetryLater and SignInNeeded.
    """
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = mail_from, to, subject
    message["Message-ID"] = make_msgid(domain=mail_from.rpartition("@")[2].rstrip("> ") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if calendar is not None:
        message.add_attachment(calendar.encode(), maintype="text", subtype="calendar", filename="booking.ics")
    try:
        with _connected(smtp_url) as server:
            server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise SignInNeeded(
            "The mail server does not accept the name and password in the settings."
        ) from error
    except smtplib.SMTPException as error:
        raise RetryLater(f"The mail server did not take the mail ({type(error).__name__}).") from error
    except OSError as error:
        raise Unreachable(f"The mail server cannot be reached: {error.strerror or error}.") from error


def _connected(smtp_url: str) -> smtplib.SMTP:
    parts = urlsplit(smtp_url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif parts.username and host not in ("localhost", "127.0.0.1", "::1"):
            server.close()
            raise smtplib.SMTPNotSupportedError("the server offers no TLS, so no password is sent to it")
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
