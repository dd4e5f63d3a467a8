"""`mesh contracts list`: which contracts there are, all or by a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import InProject, Json, tell_left_out
from mesh.console import in_line, out, say, say_json, table

if TYPE_CHECKING:
    from mesh.catalogue.find import Hit


def list_command(
    project: InProject,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="word",
            help="Only those that say all of these words, of themselves, a column or a value.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the contracts: what each is for, of which version, and who owns it.

    A contract that is not finished, or not valid, is left out with a note of where.
    """
    from mesh.catalogue.find import find_by_words
    from mesh.contracts import usable_contracts

    tell_left_out(project)
    hits = find_by_words(usable_contracts(project.contracts).values(), words or [])
    if as_json:
        listed = [
            {
                "product": hit.contract.product,
                "version": str(hit.contract.version),
                "status": hit.contract.status,
                "owner": hit.contract.owner,
                "is_source": hit.contract.is_of_source,
                "purpose": hit.contract.purpose,
                "found_in": hit.found_in,
            }
            for hit in hits
        ]
        say_json(listed)
        return
    if not hits:
        said = " ".join(words or [])
        say(f"No contract says {said!r}." if words else "There are no contracts yet.")
        return
    _table(hits)
    say("More of one of them: mesh contracts show PRODUCT")


def _table(hits: tuple[Hit, ...]) -> None:
    by_word = any(hit.found_in for hit in hits)
    heads = ("product", "version", "owner")
    made = table(*heads, "what for", *(["found at"] if by_word else []), whole=heads)
    for hit in hits:
        contract = hit.contract
        state = "" if contract.status == "active" else f" {contract.status}"
        source = "" if not contract.is_of_source else " (source)"
        row = (f"{contract.product}{source}", f"{contract.version}{state}", contract.owner)
        places = [", ".join(hit.found_in)] if by_word else []
        made.add_row(*map(in_line, (*row, contract.purpose, *places)))
    out.print(made)
