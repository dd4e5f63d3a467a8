"""docs/reviews.md shows what a review really prints."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tools"))


def test_the_worked_example_is_what_a_review_prints() -> None:
    from review_example import PAGE, page, report, right, wrong

    text = PAGE.read_text()
    assert page(text) == text, "run `python tools/review_example.py`"
    assert "❌" in report(wrong) and "breaking, and done properly" in report(right)


def test_levels_in_the_page_are_levels_that_lint_accepts(tmp_path: Path) -> None:
    from mesh.review.levels import lint_levels

    (block,) = re.findall(r"```yaml\n(levels:.*?)```", (ROOT / "docs/reviews.md").read_text(), re.S)
    (tmp_path / "review.yaml").write_text(block)
    assert lint_levels(tmp_path) == []
