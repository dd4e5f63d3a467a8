"""Changes of meaning: a model computes a column otherwise although its contract stayed the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mesh.review.contracts.diff import ContractDiff
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import shortened
from mesh.review.findings import Finding, finding
from mesh.review.models.lines import Files
from mesh.review.models.meaning import Meanings, expressions
from mesh.review.models.review_worker.facts import Model, RowDiff
from mesh.review.rules import Level

_ABOUT_READERS = ("COLUMN_CLASSIFICATION_NO_RAISE", "COLUMN_PERSONAL_NO_RELEASE")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\[\d+m")
Broken = set[tuple[str, str | None]]
"""Products and their columns, None for their rows, of which it is known that they are others."""


def model_changes(files: Files, diff: ContractDiff, known: list[Finding]) -> Iterator[Finding]:
    """Findings on the models of products that both revisions have."""
    sides = Meanings(files.base), Meanings(files.head)
    # What a contract says about a column itself, or about its rows, accounts for another query.
    broken: Broken = {
        (f.product, f.column)
        for f in known
        if f.breaking and f.rule not in _ABOUT_READERS and (f.column or f.rule == "GRAIN_SAME")
    }
    for product, pair in diff.pairs.items():
        was, now = files.base.models.get(product), files.head.models.get(product)
        if was is None:
            continue
        if now is None:
            message = f"The model of {product} is gone, but its contract is there."
            yield pair.report("MODEL_NO_DELETE", message, pair.new.line_of("name"))
        elif now.unread:
            if not was.unread:
                why = plain_error(now.unread, files.root)
                message = f"{product} cannot be resolved any more: {why}"
                yield finding("CONSUMER_NO_BREAK", product, message, files.place(product, None))
        else:
            drifted = list(_columns(was, now, pair, broken, files))
            yield from drifted
            broken |= {(product, one.column) for one in drifted}
            yield from _meaning(product, pair, sides, files, broken)


def _columns(was: Model, now: Model, pair: Pair, broken: Broken, files: Files) -> Iterator[Finding]:
    for column, kind in was.columns.items():
        after = now.columns.get(column)
        if column not in pair.names or (now.name, column) in broken or after == kind:
            continue
        what = f"gives {column} as {after} instead of {kind}"
        if after is None:
            what = f"no longer has the column {column}"
        yield finding(
            "MODEL_KEEPS_COLUMNS",
            now.name,
            f"The model {what}, which its contract still promises.",
            files.place(now.name, column),
            column=column,
            before=kind,
            after=after or "",
        )


def _meaning(
    product: str, pair: Pair, sides: tuple[Meanings, Meanings], files: Files, broken: Broken
) -> Iterator[Finding]:
    causes = _causes(product, *sides)
    if not causes:
        return
    read = [{m for one in side.behind(product) for m in one.parents} for side in sides]
    # One product for another that holds the same is no change, so where they differ they are read.
    unfolded = [(), read[0] - read[1]], [(), read[1] - read[0]]
    olds, news = (
        [side.of(product, which) for which in both]
        for side, both in zip(sides, unfolded, strict=True)
    )
    through = ", ".join(name for name in causes if name != product)
    because = f", because of {through}" if through else ""
    other_rows = all(o.rows != n.rows for o, n in zip(olds, news, strict=True))
    texts = [
        (o.blurred, n.blurred) if other_rows else (o.texts, n.texts)
        for o, n in zip(olds, news, strict=True)
    ]
    for column in olds[0].columns:
        same = any(was[column] == now.get(column) for was, now in texts)
        there = column in news[0].columns and column in pair.names
        if same or not there or (product, column) in broken:
            continue
        before, after = _texts(column, [*causes, product], sides) or files.changed(causes[0])
        yield finding(
            "COLUMN_SAME_MEANING",
            product,
            f"{column} is computed otherwise{because}.",
            files.place(causes[0], column),
            column=column,
            before=shortened(before),
            after=shortened(after),
            because=tuple(causes),
        )
    if (product, None) in broken or not other_rows:
        return
    before, after = files.changed(causes[0])
    what = _new_start(causes, *sides) or "Rows are chosen, joined or grouped otherwise"
    yield finding(
        "ROWS_SAME_MEANING",
        product,
        f"{what}{because}.",
        files.place(causes[0], None),
        before=shortened(before),
        after=shortened(after),
        because=tuple(causes),
    )


def _causes(product: str, base: Meanings, head: Meanings) -> list[str]:
    """The models that were changed themselves: a product, and internal ones behind it."""

    def own(model: Model | None) -> tuple[str, ...] | None:
        return model and (model.query or model.version, model.since)

    return [
        model.name
        for model in head.behind(product)
        if own(model) != own(base.models.get(model.name))
    ]


def _texts(
    column: str, causes: list[str], sides: tuple[Meanings, Meanings]
) -> tuple[str, str] | None:
    """How the first of the models that computes a column otherwise does so, before and after."""
    for name in causes:
        was, now = (expressions(side.models.get(name)).get(column, "") for side in sides)
        if was != now:
            return was, now
    return None


def _new_start(causes: list[str], base: Meanings, head: Meanings) -> str:
    """What to say when models only begin at another day."""
    for name in causes:
        was, now = (side.models[name].since if name in side.models else "" for side in (base, head))
        if was and now and was != now:
            return f"Rows begin at {now} instead of {was}"
    return ""


def plain_error(text: str, root: Path) -> str:
    """What SQLMesh said, without colours and without the folders of this machine."""
    text = _COLOURS.sub("", text)
    for folder in (root.resolve(), root):
        text = text.replace(f"{folder}/", "")
    return shortened(text, 600)


def weighed(found: Finding, rows: Mapping[str, RowDiff]) -> Finding:
    """A change of meaning that the data diff refutes is told of, but does not break anything."""
    diff = rows.get(found.product)
    if found.rule not in ("COLUMN_SAME_MEANING", "ROWS_SAME_MEANING") or diff is None:
        return found
    same_rows = diff.added == diff.removed == 0 and diff.before == diff.after > 0
    match = [m for column, m in diff.match.items() if found.column in (None, column)]
    if diff.problem or not same_rows or any(share < 100 for share in match):
        return found
    reason = "the data diff against prod found the same values in every row"
    return dataclasses.replace(found, level=Level.INFO, reason=reason)
