"""The product as a whole: status, place, purpose, and every key that no other comparison knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mesh.bite.excuses import EXCUSED, SHARE
from mesh.contracts.constraints import quality_keys
from mesh.contracts.findings import same_words
from mesh.files.tree import Steps
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import both_shortened
from mesh.review.rules import BREAKS, MAJOR, MINOR, PATCH, SAY, TELLS, WARNS, Found, Rules

_RELIABLE = ("active", "deprecated")
rule: Rules[[Pair]] = Rules("product")
ends: Rules[[Pair]] = Rules("version")
unknown: Rules[[Pair]] = Rules("review")


def _status(pair: Pair, message: str) -> Found:
    before, after = pair.old.status, pair.new.status
    yield pair.change(message, pair.new.line_of("status"), before=before, after=after)


def _retreats(pair: Pair) -> bool:
    return pair.old.status in _RELIABLE and pair.new.status not in _RELIABLE


@rule(BREAKS, MAJOR, "Keep it active, or deprecate it with an end date.")
def product_status_no_retreat(pair: Pair) -> Found:
    """Who relies on an active product may go on doing so."""
    if _retreats(pair):
        yield from _status(pair, f"The status was {pair.old.status}, and is {pair.new.status}.")


@rule(WARNS, MINOR, SAY)
def product_deprecated(pair: Pair) -> Found:
    """Consumers learn in time that a version ends."""
    if pair.old.status != pair.new.status == "deprecated":
        until = f" and ends on {pair.new.end_of_life}" if pair.new.end_of_life else ""
        yield from _status(pair, f"Version {pair.new.version} is deprecated{until}.")


@rule(TELLS, MINOR)
def product_status_changed(pair: Pair) -> Found:
    """Consumers see when a product is ready, or stays after all."""
    old, new = pair.old.status, pair.new.status
    if old != new != "deprecated" and not _retreats(pair):
        yield from _status(pair, f"The status was {old}, and is {new}.")


def _end(pair: Pair, *, later: bool) -> Found:
    old, new = pair.old.end_of_life, pair.new.end_of_life
    if old is None or old == new or (new is None or new > old) != later:
        return
    level = pair.new.service_level("endOfLife")
    line = level.line if level else pair.new.line_of("status")
    before, after = str(old), str(new or "none")
    message = f"The end date moved {'' if later else 'forward '}from {before} to {after}."
    yield pair.change(message, line, before=before, after=after)


@ends(BREAKS, instead="Keep the date that was announced.")
def end_no_earlier(pair: Pair) -> Found:
    """Consumers plan their move by the end date."""
    return _end(pair, later=False)


@ends(TELLS, PATCH)
def end_later(pair: Pair) -> Found:
    """More time takes nothing from anyone."""
    return _end(pair, later=True)


@rule(BREAKS, MAJOR, "Add the new place, and keep the old one.")
def product_same_place(pair: Pair) -> Found:
    """A product stays where it is read: engine, schema, data set."""
    new = {(server.type, server.schema) for server in pair.new.servers}
    for server in pair.old.servers:
        if (server.type, server.schema) not in new:
            message = f"The product is no longer read at {server.schema} on {server.type}."
            yield pair.gone(message, server.line)


@rule(TELLS, MINOR)
def product_place_added(pair: Pair) -> Found:
    """Consumers see a further place to read."""
    old = {(server.type, server.schema) for server in pair.old.servers}
    for server in pair.new.servers:
        if (server.type, server.schema) not in old:
            message = f"The product can now be read at {server.schema} on {server.type} too."
            yield pair.change(message, server.line)


@rule(TELLS, PATCH)
def product_same_kind(pair: Pair) -> Found:
    """A view and a table are read alike, but cost differently."""
    before, after = pair.old.kind, pair.new.kind
    if before != after:
        message = f"The product was a {before}, and is a {after}."
        line = pair.line_of(("schema", 0, "physicalType"))
        yield pair.change(message, line, before=before, after=after)


def _text(pair: Pair, key: str, verb: str) -> Found:
    before, after = getattr(pair.old, key), getattr(pair.new, key)
    if not same_words(before, after):
        message = f"The {key} of the product {verb} changed."
        line, texts = pair.line_of(("description", key)), both_shortened(before, after)
        yield pair.change(message, line, before=texts[0], after=texts[1])


@rule(TELLS, PATCH)
def product_same_purpose(pair: Pair) -> Found:
    """Purpose and usage are read before a product is chosen."""
    yield from _text(pair, "purpose", "was")
    yield from _text(pair, "usage", "was")


@rule(WARNS, MINOR, SAY)
def product_same_limits(pair: Pair) -> Found:
    """A new limit takes something away from those who relied on more."""
    return _text(pair, "limitations", "were")


_DEFINITIONS = "authoritativeDefinitions"
# Keys by what they lie under, lists left out; each with all below it. What is not here is unknown.
_COMPARED = {
    "": "id name domain version status tags kind apiVersion",
    "description": "purpose usage limitations",
    "servers": "server type schema dataset",
    "schema": "id name physicalType dataGranularityDescription",
    "schema.properties": "id name logicalType physicalType description classification required "
    "primaryKey primaryKeyPosition unique deprecated tags examples enum logicalTypeOptions "
    "customProperties",
    "schema.quality": f"id name type description dimension severity {' '.join(quality_keys())}",
    "slaProperties": "id property value unit element description customProperties",
    "team": "name description",
    "support": "channel tool url description",
    "roles": "role access description",
}
_LABELS = {
    "": f"contractCreatedTs {_DEFINITIONS}",
    "description": f"customProperties {_DEFINITIONS}",
    "servers": f"environment description roles {_DEFINITIONS}",
    "schema": f"logicalType businessName description tags customProperties {_DEFINITIONS}",
    "schema.properties": "businessName physicalName criticalDataElement partitioned "
    "partitionKeyPosition encryptedName transformSourceObjects transformLogic "
    f"transformDescription {_DEFINITIONS}",
    "schema.quality": f"businessImpact tags customProperties {_DEFINITIONS}",
    "slaProperties": "driver scheduler schedule",
    "team": f"members tags id {_DEFINITIONS}",
    "support": f"scope invitationUrl id customProperties {_DEFINITIONS}",
    "roles": f"firstLevelApprovers secondLevelApprovers id customProperties {_DEFINITIONS}",
}
_PLACES = {"servers": "project database host port location path catalog account"}
_KEYS = {"compared": _COMPARED, "label": _LABELS, "place": _PLACES}
_LISTS = {
    *("tags", "servers", "schema", "schema.properties", "schema.quality", "slaProperties"),
    *("support", "roles", "team.members"),
}
_IDENTITY = ("id", "server", "channel", "role", "property", "value", "name")
# What stands in an item of this name mesh.review.guards compares.
_OF_BITE = frozenset({f"={SHARE}", f"={EXCUSED}"})
Key = tuple[str, ...]


class _Leaf(NamedTuple):
    steps: Steps
    value: Any

    @property
    def keys(self) -> list[str]:
        """Where it lies, lists left out."""
        return [step for step in self.steps if isinstance(step, str)]

    @property
    def kind(self) -> str:
        """What its key is to the review."""
        keys = self.keys
        for kind, known in _KEYS.items():
            under = (known.get(".".join(keys[:depth]), "") for depth in range(len(keys)))
            if any(key in names.split() for key, names in zip(keys, under, strict=True)):
                return kind
        return "unknown"


def _residue(pair: Pair, kind: str) -> Found:
    """Changes at keys that the typed contract does not carry; each sentence once."""
    before, after = _leaves(pair.before.data), _leaves(pair.after.data)
    said: set[str] = set()
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        leaf = now or was
        if leaf is None or (was and was.value) == (now and now.value) or leaf.kind != kind:
            continue
        if not _OF_BITE.isdisjoint(key) or _item_is_gone(key, before, after):
            continue
        what = f"`{'.'.join(leaf.keys)}`" + (" of a server" if kind == "place" else "")
        message = f"{what} was changed."
        if kind == "unknown":
            message = f"{what} was changed, and no rule knows what that means to a consumer."
        texts = (str(was.value) if was else "", str(now.value) if now else "")
        if message not in said:
            said.add(message)
            line = pair.line_of(leaf.steps)
            yield pair.change(message, line, before=texts[0], after=texts[1])


@rule(TELLS, PATCH)
def product_same_labels(pair: Pair) -> Found:
    """Tags, links and notes find a product; no query holds them."""
    before, after = sorted(pair.old.tags), sorted(pair.new.tags)
    if before != after:
        message, line = "The tags of the product were changed.", pair.line_of(("tags",))
        yield pair.change(message, line, before=", ".join(before), after=", ".join(after))
    yield from _residue(pair, "label")


@rule(WARNS, PATCH, SAY)
def product_place_changed(pair: Pair) -> Found:
    """Consumers know when a project or a database has another name."""
    return _residue(pair, "place")


@unknown(BREAKS, instead="Take the change out, or teach mesh.review this kind of change.")
def change_unknown(pair: Pair) -> Found:
    """What the review does not understand it does not wave through."""
    return _residue(pair, "unknown")


def _leaves(data: Any) -> dict[Key, _Leaf]:
    """All scalars of a document by a path that stays when items of a list move."""
    found: dict[Key, _Leaf] = {}

    def walk(node: Any, key: Key, steps: Steps) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                walk(value, (*key, str(name)), (*steps, str(name)))
        elif isinstance(node, list):
            for index, item in enumerate(node):
                identity: Any = index if isinstance(item, list) else f"={item}"
                if isinstance(item, dict):
                    identity = f"={next((item[k] for k in _IDENTITY if k in item), index)}"
                walk(item, (*key, str(identity)), (*steps, index))
        else:
            found[key] = _Leaf(steps, node)

    walk(data, (), ())
    return found


def _item_is_gone(key: Key, before: Mapping[Key, _Leaf], after: Mapping[Key, _Leaf]) -> bool:
    """Whether the key lies in an item of a list that only one side has: others tell of that."""
    for depth, part in enumerate(key, 1):
        if part.startswith("="):
            sides = [any(k[:depth] == key[:depth] for k in side) for side in (before, after)]
            if not all(sides):
                return ".".join(p for p in key[: depth - 1] if p[0] != "=") in _LISTS
    return False
