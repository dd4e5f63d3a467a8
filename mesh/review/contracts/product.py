"""The product as a whole: status, place, purpose, and every key that no other comparison knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mesh.files.tree import Steps
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import same_words, shortened
from mesh.review.findings import Finding

COVERED = frozenset(
    {
        *("path", "line", "domain", "name", "id", "version", "status", "kind", "purpose", "usage"),
        *("limitations", "grain_label", "tags", "columns", "rules", "service_levels", "owner"),
        *("owner_description", "support", "roles", "servers", "end_of_life", "properties", "lines"),
    }
)
"""The fields of a Contract that are compared, here or beside here."""
_RELIABLE = ("active", "deprecated")


def compare_product(pair: Pair) -> Iterator[Finding]:
    yield from _status(pair)
    yield from _places(pair)
    yield from _texts(pair)
    yield from _residue(pair)


def _status(pair: Pair) -> Iterator[Finding]:
    old, new = pair.old, pair.new
    line, was = new.line_of("status"), old.line_of("status")
    texts = {"before": old.status, "after": new.status}
    if old.status != new.status:
        message = f"The status was {old.status}, and is {new.status}."
        if new.status == "deprecated":
            until = f" and ends on {new.end_of_life}" if new.end_of_life else ""
            message = f"Version {new.version} is deprecated{until}."
            yield pair.report("PRODUCT_DEPRECATED", message, line, was, **texts)
        elif old.status in _RELIABLE and new.status not in _RELIABLE:
            yield pair.report("PRODUCT_STATUS_NO_RETREAT", message, line, was, **texts)
        else:
            yield pair.report("PRODUCT_STATUS_CHANGED", message, line, was, **texts)
    if old.end_of_life == new.end_of_life or old.end_of_life is None:
        return
    level = new.service_level("endOfLife")
    where = level.line if level else line
    texts = {"before": str(old.end_of_life), "after": str(new.end_of_life or "none")}
    if new.end_of_life is None or new.end_of_life > old.end_of_life:
        message = f"The end date moved from {texts['before']} to {texts['after']}."
        yield pair.report("END_LATER", message, where, **texts)
    else:
        message = f"The end date moved forward from {texts['before']} to {texts['after']}."
        yield pair.report("END_NO_EARLIER", message, where, **texts)


def _places(pair: Pair) -> Iterator[Finding]:
    old, new = ({(s.type, s.schema): s for s in c.servers} for c in (pair.old, pair.new))
    for key, server in old.items():
        if key not in new:
            message = f"The product is no longer read at {key[1]} on {key[0]}."
            yield pair.gone("PRODUCT_SAME_PLACE", message, server.line)
    for key, server in new.items():
        if key not in old:
            message = f"The product can now be read at {key[1]} on {key[0]} too."
            yield pair.report("PRODUCT_PLACE_ADDED", message, server.line)
    if pair.old.kind != pair.new.kind:
        yield pair.report(
            "PRODUCT_SAME_KIND",
            f"The product was a {pair.old.kind}, and is a {pair.new.kind}.",
            pair.line_of(("schema", 0, "physicalType")),
            before=pair.old.kind,
            after=pair.new.kind,
        )


def _texts(pair: Pair) -> Iterator[Finding]:
    for key, rule in (
        ("purpose", "PRODUCT_SAME_PURPOSE"),
        ("usage", "PRODUCT_SAME_PURPOSE"),
        ("limitations", "PRODUCT_SAME_LIMITS"),
    ):
        before, after = getattr(pair.old, key), getattr(pair.new, key)
        if not same_words(before, after):
            yield pair.report(
                rule,
                f"The {key} of the product {'were' if key == 'limitations' else 'was'} changed.",
                pair.line_of(("description", key)),
                before=shortened(before),
                after=shortened(after),
            )
    if sorted(pair.old.tags) != sorted(pair.new.tags):
        yield pair.report(
            "PRODUCT_SAME_LABELS",
            "The tags of the product were changed.",
            pair.line_of(("tags",)),
            before=", ".join(pair.old.tags),
            after=", ".join(pair.new.tags),
        )


# Keys by their path in the file, `*` for an item of a list. What no pattern names is unknown.
_COMPARED = """
id name domain version status tags.* tags kind apiVersion
description.(purpose|usage|limitations)
servers.*.(server|type|schema|dataset)
schema.*.(id|name|physicalType|dataGranularityDescription)
schema.*.properties.*.(id|name|logicalType|physicalType|description|classification|required)
schema.*.properties.*.(primaryKey|primaryKeyPosition|unique|deprecated)
schema.*.properties.*.(tags|examples|enum|logicalTypeOptions|customProperties)(..*)?
schema.*.quality.*.(id|name|type|description|dimension|severity|query|metric)
schema.*.quality.*.mustBe[A-Za-z]*(..*)?
schema.*.quality.*.arguments(..*)?
slaProperties.*.(id|property|value|unit|element|description)
slaProperties.*.customProperties(..*)?
team.(name|description)
support.*.(channel|tool|url|description)
roles.*.(role|access|description)
"""
_LABELS = """
(description|servers.*|team|support.*|roles.*)?.?authoritativeDefinitions(..*)?
schema.*.(properties.*.|quality.*.)?authoritativeDefinitions(..*)?
description.customProperties(..*)?
servers.*.(environment|description|roles)
schema.*.(logicalType|businessName|description|tags)(..*)?
schema.*.properties.*.(businessName|physicalName|criticalDataElement)
schema.*.properties.*.(partitioned|partitionKeyPosition|encryptedName|transform[A-Za-z]*)(..*)?
schema.*.quality.*.(businessImpact|tags|customProperties)(..*)?
slaProperties.*.(driver|scheduler|schedule)
team.(members|tags|id)(..*)?
support.*.(scope|invitationUrl|id|customProperties)(..*)?
roles.*.(firstLevelApprovers|secondLevelApprovers|id|customProperties)(..*)?
contractCreatedTs
"""
_PLACES = "servers.*.(project|database|host|port|location|path|catalog|account)"


def _pattern(text: str) -> re.Pattern[str]:
    lines = [
        part.replace("..*", "@").replace(".*", r"\.\d+").replace("@", r"\..*")
        for part in text.split()
    ]
    dots = [re.sub(r"(?<!\\)\.(?![*?])", r"\\.", line) for line in lines]
    return re.compile("|".join(f"(?:{line})" for line in dots))


_KNOWN = _pattern(_COMPARED)
_ARE_LABELS = _pattern(_LABELS)
_ARE_PLACES = _pattern(_PLACES)
_IDENTITY = ("id", "server", "channel", "role", "property", "value", "name")


def _residue(pair: Pair) -> Iterator[Finding]:
    """Changes at keys that the typed contract does not carry."""
    before, after = _leaves(pair.before.data), _leaves(pair.after.data)
    said: set[str] = set()
    for key in sorted(before.keys() | after.keys(), key=str):
        was, now = before.get(key), after.get(key)
        if (was and was[1]) == (now and now[1]) or _item_is_gone(key, before, after):
            continue
        steps = (now or was)[0]  # type: ignore[index]
        path = ".".join(map(str, steps))
        if _KNOWN.fullmatch(path):
            continue
        shown = ".".join(str(step) for step in steps if not isinstance(step, int))
        line = pair.line_of(steps)
        texts = {"before": str(was[1]) if was else "", "after": str(now[1]) if now else ""}
        if _ARE_LABELS.fullmatch(path):
            rule, message = "PRODUCT_SAME_LABELS", f"`{shown}` was changed."
        elif _ARE_PLACES.fullmatch(path):
            rule, message = "PRODUCT_PLACE_CHANGED", f"`{shown}` of a server was changed."
        else:
            rule = "CHANGE_UNKNOWN"
            message = f"`{shown}` was changed, and no rule knows what that means to a consumer."
        if message not in said:
            said.add(message)
            yield pair.report(rule, message, line, **texts)


Key = tuple[str, ...]


def _leaves(data: Any) -> dict[Key, tuple[Steps, Any]]:
    """All scalars of a document by a path that stays when items of a list move."""
    found: dict[Key, tuple[Steps, Any]] = {}

    def walk(node: Any, key: Key, steps: Steps) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                walk(value, (*key, str(name)), (*steps, str(name)))
        elif isinstance(node, list):
            for index, item in enumerate(node):
                identity = str(index)
                if isinstance(item, dict):
                    named = next((item[k] for k in _IDENTITY if k in item), index)
                    identity = f"={named}"
                elif not isinstance(item, list):
                    identity = f"={item}"
                walk(item, (*key, identity), (*steps, index))
        else:
            found[key] = (steps, node)

    walk(data, (), ())
    return found


def _item_is_gone(key: Key, before: dict, after: dict) -> bool:
    """Whether the key lies in an item of a list that only one side has: others tell of that."""
    for depth, part in enumerate(key):
        if part.startswith("="):
            prefix = key[: depth + 1]
            sides = [any(k[: depth + 1] == prefix for k in side) for side in (before, after)]
            if not all(sides):
                return (
                    _KNOWN_LISTS.fullmatch(".".join(p for p in key[:depth] if p[0] != "="))
                    is not None
                )
    return False


_KNOWN_LISTS = re.compile(
    r"tags|servers|schema|schema\.(?:properties|quality)|slaProperties|support|roles|team\.members"
)
