"""Any text in Markdown: shown as it is, and doing nothing."""

from __future__ import annotations

import re

from mesh.plain import one_line

# Within a word `_` does nothing.
_LIVE = re.compile(r"[\\`*{}\[\]!|~$]|(?<!\w)_|_(?!\w)")
# Code in which nothing needs to be escaped stays.
_CODE = re.compile(r"(`[^`|<>&\\]+`)")
# What makes a heading, a list or a line of what begins a line.
_BEGINS = re.compile(r"^(\d*)([#+=.)-])")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def escape(text: object) -> str:
    """Any text as Markdown that shows it and does nothing: no HTML, links, mentions or tables."""
    plain = _printable(text)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _SPECIAL.sub(r"\\\1", plain)
    # A mention, a reference or a bare address would notify or lead somewhere.
    plain = plain.replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")
    return re.sub(r"\\#(\d)", r"&#35;\1", plain)


def escape_html(text: object) -> str:
    """The same for a line of HTML, in which Markdown's backslashes would show."""
    plain = _printable(text)
    return re.sub(r"[^\w .,:;/()'-]", lambda found: f"&#{ord(found[0])};", plain)


def code(text: object, limit: int = 300) -> str:
    """Any text as inline code; line ends and backticks cannot end it."""
    plain = _printable(text).replace("`", "ʼ")
    plain = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return f"`{plain.replace('|', '¦')}`" if plain.strip() else ""


def _printable(text: object) -> str:
    return "".join(c if c.isprintable() else " " for c in str(text))


def prose(text: object) -> str:
    """The same of a text of one line in a page whose source is read too: only what would do
    something is escaped. A mention there tells nobody, and a bare address says where it leads."""
    parts = _CODE.split(one_line(" ".join(str(text).split())))
    parts[::2] = map(_prose, parts[::2])
    return _BEGINS.sub(r"\1\\\2", "".join(parts))


def _prose(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LIVE.sub(r"\\\g<0>", plain)
