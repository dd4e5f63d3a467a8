"""What kinds of charts share to say in a sentence what is seen: names, amounts, estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mesh.dashboards.drawing.evidence import Estimate, apart, counted, pairs, share
from mesh.dashboards.kinds.base import Board, Row
from mesh.dashboards.parts import Interval
from mesh.words import joined

T = TypeVar("T")
LONGEST_NAME = 60
# Of more that cannot be told apart nothing is said.
ALIKE = 3
# So many times wider an interval is that of a rough number.
ROUGH = 2


def named(name: str) -> str:
    """A name from the data in a sentence of ours: not too long, and in its own direction."""
    cut = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
    return cut if cut.isascii() else f"\u2068{cut}\u2069"


def lowered(label: str) -> str:
    """A label within a sentence; what is written in capitals stays so."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def amount(board: Board, metric: str, row: Row, of: str | None = None) -> str:
    """`610 users`, or `27.1%`, or `27.1% of 277`."""
    text = board.text(metric, row)
    if of:
        return f"{text} of {board.text(of, row)}"
    stated = board.metrics[metric]
    return f"{text} {lowered(stated.label)}" if stated.format == "count" else text


def estimate(
    board: Board,
    row: Row,
    metric: str,
    interval: Interval | None = None,
    of: str | None = None,
    part: str | None = None,
) -> Estimate | None:
    """A metric of a row with how sure it is: by the interval that the product has of it, as a
    share of so many, or as a count. None where nothing tells how sure it is.

    part: the share that a count is of all whom it could count: of 610 nearly all are surely more
    than 554, though by themselves such counts could come out alike.
    """
    value = row[metric]
    if value is None:
        return None
    if interval:
        low, high = interval.ends(row)
        if low is not None and high is not None:
            return Estimate(value, low, high, interval.level)
        return None
    steps = board.metrics[metric].rounded_to or 1
    if part and value and 0 < (row[part] or 0) <= 1:
        whole = value / row[part]
        one = share(row[part], whole)
        return Estimate(value, one.low * whole, one.high * whole, exact=steps == 1)
    if board.metrics[metric].format == "count":
        return counted(value, steps) if value >= 0 else None
    if of and row[of] and 0 <= value <= 1:
        return share(value, row[of])
    return None


def leader(
    found: Sequence[tuple[T, Estimate]], place: str, told: Callable[[T], tuple[str, str]]
) -> str:
    """`the highest is War with 9 users`, or those that were counted to be alike, and which others
    may be as high; nothing where these are many, or all.

    told: name and amount of one. place: whose it is; at the `lowest` the least.
    """
    if not found:
        return ""
    sign = -1 if place == "lowest" else 1
    (first, most), *others = sorted(found, key=lambda one: -sign * one[1].value)
    # What leads is compared with each of the others, and they are not with one another (Hsu).
    near = [(one, own) for one, own in others if not apart(most, own, len(others))]
    if len(near) > ALIKE or len(near) == len(others):
        return ""
    ties = [most.exact and own.exact and own.value == most.value for _, own in near]
    tied = [told(one)[0] for (one, _), tie in zip(near, ties, strict=True) if tie]
    alike = [(*told(one), own) for (one, own), tie in zip(near, ties, strict=True) if not tie]
    name, amount_ = told(first)
    said = f"the {place} is {name} with {amount_}"
    if tied:
        names = joined([name, *tied])
        each = f"the {place} are {names} with {amount_} each"
        said = each if most.value else f"{names} have none"
    # What lies far off and is told apart by nothing but its few is no rival.
    wide = ROUGH * (most.high - most.low)
    rough = [f"{other}, a rough {much}" for other, much, own in alike if own.high - own.low > wide]
    close = [other for other, _, own in alike if own.high - own.low <= wide]
    word = {"highest": "high", "lowest": "low"}.get(place, "far")
    # What was counted is so; that it is less or more another time too is what may be chance.
    chance = f", which may be chance against {joined(close)}"
    may = chance if most.exact else f", though {joined(close)} may be as {word}"
    said += may if close else ""
    be = "cannot be told apart from it"
    return said + (f"{';' if close else ', though'} {joined(rough)}, {be}" if rough else "")


def extremes(
    found: Sequence[tuple[T, Estimate]],
    told: Callable[[T], tuple[str, str]],
    places: Sequence[str] = ("highest", "lowest"),
) -> str:
    """The highest and the lowest in a sentence, if they surely differ."""
    ordered = sorted((own for _, own in found), key=lambda own: own.value)
    if not ordered or not apart(ordered[-1], ordered[0], pairs(len(found))):
        return ""
    said = "; ".join(text for place in places if (text := leader(found, place, told)))
    return f"{said[0].upper()}{said[1:]}." if said else ""
