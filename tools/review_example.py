"""Write the worked example into docs/reviews.md: a breaking change done wrong, then right.

The reports are those of `mesh review`, on the small project of the tests. A test holds the page to
what this writes: run `python tools/review_example.py` after a change of the report.
"""

from __future__ import annotations

import datetime
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
PAGE = ROOT / "docs" / "reviews.md"
TODAY = datetime.date(2026, 11, 24)
ORDERS = "contracts/shop/orders.odcs.yaml"


def wrong(root: Path) -> None:
    """The price in cents, in place: contract and model are edited, everything else stays."""
    _edit(root / ORDERS, "The price in euros.", "The price in cents.")
    _edit(root / "models/shop/orders.sql", "amount::FLOAT64 AS", "(100 * amount)::FLOAT64 AS")


def right(root: Path) -> None:
    """The price in cents as a second version beside the first, which gets an end date."""
    old, new = root / ORDERS, root / "contracts/shop/orders_v2.odcs.yaml"
    text = old.read_text().replace("shop.orders", "shop.orders_v2")
    text = text.replace("name: orders\n", "name: orders_v2\n")
    text = text.replace("version: 1.0.0", "version: 2.0.0")
    new.write_text(text.replace("The price in euros.", "The price in cents."))
    model = (root / "models/shop/orders.sql").read_text().replace("shop.orders,", "shop.orders_v2,")
    model = model.replace("amount::FLOAT64 AS", "(100 * amount)::FLOAT64 AS")
    (root / "models/shop/orders_v2.sql").write_text(model)
    _edit(old, "version: 1.0.0\nstatus: active", "version: 1.1.0\nstatus: deprecated")
    _edit(
        old,
        "slaProperties:\n",
        "slaProperties:\n  - {id: end_of_life, property: endOfLife, value: '2027-05-31', "
        "description: Until then both versions are there; move to orders_v2.}\n",
    )


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def report(change: object) -> str:
    """The comment that a change of the small project gets."""
    from review_projects import load_here, shop

    from mesh.review.markdown import MARKER, markdown
    from mesh.review.report import Review, compare_roots

    assert callable(change)
    folder = Path(tempfile.mkdtemp(prefix="review-example-"))
    try:
        before, after = shop(folder / "before"), shop(folder / "after")
        change(after)
        made = Review(
            base="main", base_name="main", **compare_roots(before, after, load_here, TODAY)
        )
        return markdown(made).replace(MARKER, "").strip()
    finally:
        shutil.rmtree(folder)


def rules_table() -> str:
    """The table of rules, as Markdown."""
    from mesh.review.markdown import code, escape
    from mesh.review.rules import CATEGORIES, RULES

    lines = []
    for category, what in CATEGORIES.items():
        lines += ["", f"**{category}**: {what}", "", "| rule | level | version | guards |"]
        lines.append("| --- | --- | --- | --- |")
        for rule in RULES.values():
            if rule.category == category:
                bump = "" if rule.bump.word == "none" else rule.bump.word
                lines.append(f"| {code(rule.id)} | {rule.level} | {bump} | {escape(rule.guards)} |")
    return "\n".join(lines).strip()


def page(text: str) -> str:
    """The page with its generated parts written anew."""
    parts = {
        "wrong": report(wrong),
        "right": report(right),
        "rules": rules_table(),
    }
    for name, part in parts.items():
        start, end = (
            f"<!-- {name}: written by tools/review_example.py -->",
            f"<!-- end {name} -->",
        )
        pattern = re.compile(re.escape(start) + r".*?" + re.escape(end), re.DOTALL)
        assert pattern.search(text), f"docs/reviews.md has no place for {name}"
        text = pattern.sub(lambda _, s=start, p=part, e=end: f"{s}\n{p}\n{e}", text)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
