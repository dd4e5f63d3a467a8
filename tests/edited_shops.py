"""Reviews of the shop with edits in its files, its models loaded."""

from __future__ import annotations

from pathlib import Path

from mesh.project import Project
from mesh.review.models.impact import Hit
from mesh.review.run import Review, compare_projects
from tests.review_projects import TODAY, load_here, shop

ORDERS = "models/shop/orders.sql"
CUSTOMERS = "models/reporting/customers.sql"
LINES = "models/shop/internal/order_lines.sql"


def compared(before: Path, after: Path) -> Review:
    return compare_projects(Project(before), Project(after), load_here, TODAY)


def edited(tmp_path: Path, file: str, *edits: tuple[str, str]) -> Review:
    return all_edited(tmp_path, *((file, *edit) for edit in edits))


def all_edited(tmp_path: Path, *edits: tuple[str, str, str]) -> Review:
    """The review of a project with these edits, each of a file."""
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for file, old, new in edits:
        text = (after / file).read_text()
        assert old in text, old
        (after / file).write_text(text.replace(old, new, 1))
    return compared(before, after)


def hit(review: Review, name: str) -> Hit:
    return next(one for one in review.impact.hits if one.name == name)
