"""Domains that look like a well-known one and are not: mistyped, or made to be mistaken for it.

A match makes detection say “unknown” and name the likeness; it never makes it choose anything.
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress

#: The houses whose names are mistyped and imitated.
FAMOUS = (
    "fastmail.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mailbox.org",
    "outlook.com",
    "posteo.de",
    "protonmail.com",
    "yahoo.com",
)
#: The shortest first label in which one wrong letter is a slip and not another name.
SHORTEST = 5

#: Letters of other scripts and signs that are drawn like a Latin letter (Unicode TR 39, the common ones).
_DRAWN = str.maketrans(
    "аеорсухіӏԁɡıοαεικνρτυՏօ01",
    "aeopcyxildgioaeiknptusool",
)


def looks_like(domain: str) -> str | None:
    """The famous domain that this one (as DNS spells it) looks like, without being it."""
    if domain in FAMOUS:
        return None
    drawn = _drawn(domain)
    for famous in FAMOUS:
        if drawn == famous:
            return famous
        if len(famous.partition(".")[0]) >= SHORTEST and _one_slip(drawn, famous):
            return famous
    return None


def _drawn(domain: str) -> str:
    """The domain as it looks on a screen, in Latin letters."""
    labels = []
    for label in domain.split("."):
        if label.startswith("xn--"):
            with suppress(UnicodeError):
                label = label[4:].encode("ascii").decode("punycode")
        plain = unicodedata.normalize("NFKD", label.lower())
        plain = "".join(character for character in plain if not unicodedata.combining(character))
        labels.append(plain.translate(_DRAWN).replace("rn", "m").replace("vv", "w"))
    return ".".join(labels)


def _one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is missing, added, wrong, or two neighbours are swapped (Damerau)."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    left, right = typed[start:], meant[start:]
    swapped = len(left) > 1 and len(right) > 1 and left[0] == right[1] and left[1] == right[0]
    return (
        left[1:] == right[1:] or left[1:] == right or left == right[1:] or (swapped and left[2:] == right[2:])
    )
