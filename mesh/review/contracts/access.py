"""Who may read a product, and whom to ask."""

from __future__ import annotations

from mesh.contracts.findings import same_words
from mesh.review.contracts.pair import Pair
from mesh.review.rules import BREAKS, MAJOR, MINOR, PATCH, TELLS, WARNS, Found, Rules

rule: Rules[[Pair]] = Rules("access")


@rule(BREAKS, MAJOR, "Keep the role until its readers have moved.")
def role_no_delete(pair: Pair) -> Found:
    """Whoever reads the product today is not locked out."""
    new = {role.name: role for role in pair.new.roles}
    for role in pair.old.roles:
        now = new.get(role.name)
        if now is None:
            yield pair.gone(f"The role {role.name} may no longer read.", role.line)
        elif role.access != now.access:
            but = f", but {now.access}" if now.access else ""
            message = f"The role {role.name} may no longer {role.access}{but}."
            yield pair.change(message, now.line)


def _new_roles(pair: Pair, what: str, *, personal: bool) -> Found:
    if bool(pair.new.personal_columns) == personal:
        known = {role.name for role in pair.old.roles}
        for role in (role for role in pair.new.roles if role.name not in known):
            yield pair.change(f"The role {role.name} may now read{what}.", role.line)


@rule(TELLS, MINOR)
def role_added(pair: Pair) -> Found:
    """A further reader takes nothing from the others."""
    return _new_roles(pair, "", personal=False)


@rule(WARNS, MINOR, "Let the owner of the data confirm it.")
def role_added_to_personal(pair: Pair) -> Found:
    """Personal data reaches further people."""
    names = ", ".join(column.name for column in pair.new.personal_columns)
    return _new_roles(pair, f" personal data ({names})", personal=True)


@rule(TELLS, PATCH)
def role_same_words(pair: Pair) -> Found:
    """The description of a role explains it; it grants nothing."""
    new = {role.name: role for role in pair.new.roles}
    for role in pair.old.roles:
        now = new.get(role.name)
        same = now is None or same_words(role.description, now.description)
        if now and now.access == role.access and not same:
            yield pair.change(f"The role {role.name} is described otherwise.", now.line)


@rule(WARNS, MINOR, "Let both teams agree.")
def owner_same(pair: Pair) -> Found:
    """Consumers know who answers for the data."""
    if pair.old.owner != pair.new.owner:
        message = f"The owner was {pair.old.owner}, and is {pair.new.owner}."
        yield pair.change(message, pair.new.line_of("team"))


@rule(WARNS, MINOR, "Keep the channel, or let it point to the new one.")
def support_no_delete(pair: Pair) -> Found:
    """Consumers know where to ask."""
    new = {channel.channel for channel in pair.new.support}
    for channel in pair.old.support:
        if channel.channel not in new:
            yield pair.gone(f"The support channel {channel.channel} is gone.", channel.line)


@rule(TELLS, PATCH)
def support_changed(pair: Pair) -> Found:
    """Consumers see where else to ask."""
    same = same_words(pair.old.owner_description, pair.new.owner_description)
    if pair.old.owner == pair.new.owner and not same:
        yield pair.change("The owner is described otherwise.", pair.new.line_of("team"))
    old = {channel.channel: channel for channel in pair.old.support}
    for new in pair.new.support:
        was = old.get(new.channel)
        if was is None:
            yield pair.change(f"The support channel {new.channel} was added.", new.line)
        elif (was.tool, was.url) != (new.tool, new.url) or not same_words(
            was.description, new.description
        ):
            yield pair.change(f"The support channel {new.channel} was changed.", new.line)
