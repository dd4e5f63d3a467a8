"""Texts of others in pages whose source is read too."""

from __future__ import annotations

import pytest

from mesh.files.markdown import prose


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<img src=x onerror=a()> & more", "&lt;img src=x onerror=a()&gt; &amp; more"),
        ("![x](http://a) [y][z]", r"\!\[x\](http://a) \[y\]\[z\]"),
        ("a | b\n\n# Heading\n- one", r"a \| b # Heading - one"),
        ("# Heading", r"\# Heading"),
        ("1. one", r"1\. one"),
        ("*bold* _em_ user_id ~~no~~", r"\*bold\* \_em\_ user_id \~\~no\~\~"),
        ("\x1b[31mred", r"␛\[31mred"),
        ("see `a_b (x)` and `<b>`", r"see `a_b (x)` and \`&lt;b&gt;\`"),
        ("Counted over all time, 0.5 to 5.0.", "Counted over all time, 0.5 to 5.0."),
    ],
)
def test_only_what_would_do_something_is_escaped(text: str, written: str) -> None:
    assert prose(text) == written
