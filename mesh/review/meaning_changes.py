"""Changes of meaning: a model computes a column otherwise although its contract stayed the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesh.review.diff import ContractDiff
from mesh.review.findings import Finding, finding
from mesh.review.lines import Files
from mesh.review.load import Models
from mesh.review.rules import Level
from mesh.review.words import shortened

_ABOUT_READERS = ("COLUMN_CLASSIFICATION_NO_RAISE", "COLUMN_PERSONAL_NO_RELEASE")
_PURE, _FULL = (0, 2), (1, 3)


def model_changes(files: Files, diff: ContractDiff, known: list[Finding]) -> Iterator[Finding]:
    """Findings on the models of products that both revisions have."""
    base, head = files.base, files.head
    # What a contract says about a column itself, or about its rows, accounts for another query.
    broken = {
        (f.product, f.column)
        for f in known
        if f.level is Level.BREAKING
        and f.rule not in _ABOUT_READERS
        and (f.column or f.rule == "GRAIN_SAME")
    }
    for product, pair in diff.pairs.items():
        was, now = base.models.get(product), head.models.get(product)
        if was is None:
            continue
        if now is None:
            message = f"The model of {product} is gone, but its contract is there."
            yield pair.report("MODEL_NO_DELETE", message, pair.new.line_of("name"))
            continue
        if "unread" in now:
            if "unread" not in was:
                why = plain_error(now["unread"], files.root)
                message = f"{product} cannot be resolved any more: {why}"
                yield finding("CONSUMER_NO_BREAK", product, message, files.place(product, None))
            continue
        promised = {old.name: new.name for old, new in pair.columns if old and new}
        drifted = list(_columns(product, was, now, promised, broken, files))
        yield from drifted
        broken |= {(product, one.column) for one in drifted}
        yield from _meaning(product, was, now, files, broken, promised)


def _columns(
    product: str,
    was: dict[str, Any],
    now: dict[str, Any],
    promised: dict[str, str],
    broken: set[tuple[str, str | None]],
    files: Files,
) -> Iterator[Finding]:
    for column, kind in was["columns"].items():
        if column not in promised or (product, column) in broken:
            continue
        after = now["columns"].get(column)
        if after == kind:
            continue
        what = (
            f"no longer has the column {column}"
            if after is None
            else (f"gives {column} as {after} instead of {kind}")
        )
        message = f"The model {what}, which its contract still promises."
        where = files.place(product, column)
        yield finding(
            "MODEL_KEEPS_COLUMNS",
            product,
            message,
            where,
            column=column,
            before=kind,
            after=after or "",
        )


def _differs(was: list[str], now: list[str], which: tuple[int, int]) -> bool:
    """Whether a column differs both with products by name and with all that they hold.

    By name alone, a move to a product that holds the same would count; by content alone, each
    change would be found again in everything downstream.
    """
    return all(was[index] != now[index] for index in which)


def _meaning(
    product: str,
    was: dict[str, Any],
    now: dict[str, Any],
    files: Files,
    broken: set[tuple[str, str | None]],
    promised: dict[str, str],
) -> Iterator[Finding]:
    old, new = was["meaning"], now["meaning"]
    base, head = files.base, files.head
    because = _roots(product, base, head)
    cause = because[0] if because else product
    affected = []
    for column, before in old["columns"].items():
        after = new["columns"].get(column)
        if after is None or column not in promised or (product, column) in broken:
            continue
        if _differs(before, after, _PURE):
            message = f"{column} is computed otherwise{_through(product, because)}."
            texts = [_expression(*side, because, column) for side in ((was, base), (now, head))]
            if texts[0] == texts[1]:
                texts = _differences(because, base, head)
            if texts[0] == texts[1]:
                texts = files.changed(cause)
            yield finding(
                "COLUMN_SAME_MEANING",
                product,
                message,
                files.place(cause, column),
                column=column,
                before=shortened(texts[0]),
                after=shortened(texts[1]),
                because=tuple(because),
            )
        elif _differs(before, after, _FULL):
            affected.append(column)
    grain_changed = any(f == product and c is None for f, c in broken)
    if all(old["rows"][i] != new["rows"][i] for i in (0, 1)) and not grain_changed:
        which = f" It touches {', '.join(affected)}." if affected else ""
        what = _new_start(because, base, head) or "Rows are chosen, joined or grouped otherwise"
        message = f"{what}{_through(product, because)}.{which}"
        texts = files.changed(cause)
        yield finding(
            "ROWS_SAME_MEANING",
            product,
            message,
            files.place(cause, None),
            before=shortened(texts[0]),
            after=shortened(texts[1]),
            because=tuple(because),
        )


def _new_start(because: list[str], base: Models, head: Models) -> str:
    """What to say when models only begin at another day."""
    starts = [[s.models.get(name, {}).get("since", "") for s in (base, head)] for name in because]
    moved = next((pair for pair in starts if all(pair) and pair[0] != pair[1]), None)
    return f"Rows begin at {moved[1]} instead of {moved[0]}" if moved else ""


def _through(product: str, because: list[str]) -> str:
    others = [name for name in because if name != product]
    return f", because of {', '.join(others)}" if others else ""


def _expression(model: dict[str, Any], side: Models, because: list[str], column: str) -> str:
    """How a column is computed there; for a change further up, what was changed in that model."""
    for name in because:
        own = side.models.get(name, {}).get("expressions", {})
        if column in own:
            return own[column]
    return model.get("expressions", {}).get(column, "")


def _differences(because: list[str], base: Models, head: Models) -> list[str]:
    """The expressions that differ in the models that were changed, of both sides."""
    sides: tuple[list[str], list[str]] = ([], [])
    for name in because:
        was, now = (s.models.get(name, {}).get("expressions", {}) for s in (base, head))
        for column in was.keys() | now.keys():
            if was.get(column) != now.get(column):
                for side, own in zip(sides, (was, now), strict=True):
                    side.append(f"{column}: {own.get(column, 'not there')}")
    return ["; ".join(sorted(side)) for side in sides]


def _roots(product: str, base: Models, head: Models) -> list[str]:
    """The models that were changed themselves, among a product and the internal ones behind it."""
    found: list[str] = []
    seen: set[str] = set()
    waiting = [product]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in head.models:
            continue
        seen.add(name)
        model, before = head.models[name], base.models.get(name)
        if (
            before is None
            or before.get("expressions") != model.get("expressions")
            or (
                before["meaning"] != model["meaning"]
                and all(
                    p in base.models and base.models[p]["meaning"] == head.models[p]["meaning"]
                    for p in model["parents"]
                    if p in head.models
                )
            )
        ):
            found.append(name)
        waiting += [
            p for p in model["parents"] if p in head.models and not head.models[p]["public"]
        ]
    return sorted(found, key=lambda name: name != product)


_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\[\d+m")


def plain_error(text: str, root: Path) -> str:
    """What SQLMesh said, without colours and without the folders of this machine."""
    text = _COLOURS.sub("", text)
    for folder in (root.resolve(), root):
        text = text.replace(f"{folder}/", "")
    return shortened(text, 600)


def weighed(found: Finding, rows: list[dict[str, Any]] | None) -> Finding:
    """A change of meaning that the data diff refutes is told of, but does not break anything."""
    if found.rule not in ("COLUMN_SAME_MEANING", "ROWS_SAME_MEANING"):
        return found
    for diff in rows or []:
        if diff["product"] != found.product or "problem" in diff or not diff["before"]:
            continue
        same_rows = diff["added"] == diff["removed"] == 0 and diff["before"] == diff["after"]
        values = (
            diff["match"]
            if found.column is None
            else {c: m for c, m in diff["match"].items() if c == found.column}
        )
        if same_rows and all(match >= 100 for match in values.values()):
            reason = "the data diff against prod found the same values in every row"
            return dataclasses.replace(found, level=Level.INFO, reason=reason)
    return found
