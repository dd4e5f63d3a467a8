"""Changes of models behind contracts: gone, other columns, or computed otherwise in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlglot import exp

from mesh.contracts.conditions import plain
from mesh.contracts.relation import Relation
from mesh.project import CONFIGS, Project
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import both_shortened, shortened
from mesh.review.models.both import Both
from mesh.review.models.causes import Cause, before_and_after, cause, changed_models
from mesh.review.models.meaning import parsed
from mesh.review.models.review_worker.facts import GRANTS, Model, Models
from mesh.review.rules import BREAKS, MAJOR, PROJECT, TELLS, WARNS, Change, Found, Place, Rules

# Stated where a batch decides about rows: whether one does is told of the query that says so.
_PACE = {"batch_size", "interval_unit"}
# Of an incremental kind, what decides which rows stay: by which they are told apart, and when they
# count as others.
_KEPT_BY = {
    *("unique_key", "columns", "updated_at_name", "partitioned_by", "time_column"),
    *("when_matched", "merge_filter", "invalidate_hard_deletes"),
    *_PACE,
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\[\d+m")
_NEXT = (
    "Publish it as the next major version. If it is the same, compare the rows of an environment "
    "by `--environment`, or state why in contracts/review.yaml, which counts once it is merged."
)
_UNREAD = (
    "Compare with a revision that loads, by `--base`. What models read has to be committed in this "
    "repository; a base that is broken itself is mended on its own, by who sees that it is."
)
# Of what stands beside a query, what decides on its rows and on who reads them.
_DECIDES = re.compile(rf"^statement|^query|^code of|^end$|^gateway$|^{GRANTS}$|^signal|expiration")
# Makes BigQuery refuse each query that does not filter: of a product those are not all in here.
_ASKS_READERS = "require_partition_filter"
rule: Rules[[Both]] = Rules("model")
loading: Rules[[Both]] = Rules("review")


def plain_error(text: str, root: Path) -> str:
    """What SQLMesh said, without colours and without the folders of this machine."""
    text = _COLOURS.sub("", text)
    for folder in (root.resolve(), root):
        text = text.replace(f"{folder}/", "")
    return shortened(text, 600)


def _unloadable(side: Models, project: Project, what: str) -> Found:
    if side.problem:
        text = plain_error(side.problem, project.root)
        where = place_in(text, project.config.name if project.loads else CONFIGS[0])
        yield Change(PROJECT, f"{what}: {text}", where)


def place_in(text: str, config: str) -> Place:
    """The file and the line that an error of SQLMesh's names; the configuration if it does not."""
    folders = "(?:models|macros|audits|seeds|contracts|tests)/"
    file = re.search(rf"'({folders}[^']+)'|\b({folders}[\w./-]+)(?=:\d)", text)
    line = re.search(r"Line (\d+)|(?<=\w):(\d+)\b", text)
    if file is None:
        return Place(config, 1)
    return Place(file[1] or file[2], int(line[1] or line[2]) if line else 1)


@loading(BREAKS)
def project_no_load(both: Both) -> Found:
    """A project that SQLMesh cannot load delivers nothing."""
    return _unloadable(both.head, both.new, "The project does not load")


@loading(WARNS, instead=_UNREAD)
def base_no_load(both: Both) -> Found:
    """Without the models of the base a change of meaning cannot be seen."""
    return _unloadable(both.base, both.old, "The models of the base do not load")


def _kept(both: Both) -> Iterator[tuple[Pair, Model, Model]]:
    """Products that both have, whose model can be resolved in both."""
    for product, pair in both.diff.pairs.items():
        was, now = both.base.models.get(product), both.head.models.get(product)
        if was and now and not now.unread:
            yield pair, was, now


@rule(BREAKS, MAJOR, "Bring the model back; after its last day remove the contract as well.")
def model_no_delete(both: Both) -> Found:
    """A contract without its model promises what is not there."""
    for product, pair in both.diff.pairs.items():
        if both.comparable and product in both.base.models and product not in both.head.models:
            message = f"The model of {product} is gone, but its contract is there."
            yield pair.change(message, pair.new.line_of("name"))


def _drifted(both: Both, pair: Pair, was: Model, now: Model) -> list[tuple[str, str, str | None]]:
    """Columns that are promised as before, and that a model gives no longer, or as another type."""
    return [
        (column, kind, now.columns.get(column))
        for column, kind in was.columns.items()
        if column in pair.names
        and (now.name, column) not in both.accounted
        and now.columns.get(column) != kind
    ]


@rule(BREAKS, MAJOR, "Give the model the columns of its contract.")
def model_keeps_columns(both: Both) -> Found:
    """A model that drops, renames or retypes a column breaks its contract, whether or not that was
    edited.
    """
    for pair, was, now in _kept(both):
        for column, before, after in _drifted(both, pair, was, now):
            what = f"gives {column} as {after} instead of {before}"
            if after is None:
                what = f"no longer has the column {column}"
            yield Change(
                now.name,
                f"The model {what}, which its contract still promises.",
                both.files.place(now.name, column),
                column=column,
                before=before,
                after=after or "",
            )


Sides = list[tuple[Relation, Relation]]
"""The meaning of a product before and after, once with other products by name, and once by what
those hold that only one side reads: one product for another that holds the same is no change."""


def _meanings(both: Both, product: str, *, by_rows: bool = False) -> Sides:
    base, head = both.meanings
    read = [{m for one in side.behind(product) for m in one.parents} for side in (base, head)]
    return [
        (base.of(product, was, by_rows=by_rows), head.of(product, now, by_rows=by_rows))
        for was, now in (((), ()), (read[0] - read[1], read[1] - read[0]))
    ]


def _changed_meanings(both: Both) -> Iterator[tuple[Pair, Model, Model, tuple[str, ...], Sides]]:
    """Products of which models were changed, with these, and what the product means."""
    for pair, was, now in _kept(both):
        if models := changed_models(now.name, both.meanings):
            yield pair, was, now, models, _meanings(both, now.name)


def _other_rows(meanings: Sides) -> bool:
    return all(was.rows != now.rows for was, now in meanings)


@rule(BREAKS, MAJOR, _NEXT)
def column_same_meaning(both: Both) -> Found:
    """A column that is computed otherwise under the same contract breaks everyone in silence."""
    for pair, was, now, models, meanings in _changed_meanings(both):
        if blurred := _other_rows(meanings):
            meanings = _meanings(both, now.name, by_rows=True)
        texts = [tuple(one.blurred if blurred else one.texts for one in two) for two in meanings]
        known = {column for column, _, _ in _drifted(both, pair, was, now)}
        for column in meanings[0][0].columns:
            if column in known or column not in pair.names or column not in texts[0][1]:
                continue
            same = any(before[column] == after.get(column) for before, after in texts)
            if same or (now.name, column) in both.accounted:
                continue
            why = cause(both, now.name, models, column)
            yield _changed(both, now.name, f"{column} is computed otherwise", why, column)


@rule(BREAKS, MAJOR, _NEXT)
def rows_same_meaning(both: Both) -> Found:
    """Rows that appear or vanish under the same contract break sums and joins in silence."""
    for _, _, now, models, meanings in _changed_meanings(both):
        if (now.name, None) not in both.accounted and _other_rows(meanings):
            why = cause(both, now.name, models, None)
            what = _new_start(why.models, both) or "Rows are chosen, joined or grouped otherwise"
            yield _changed(both, now.name, what, why, None)


def _behind(both: Both) -> Iterator[tuple[str, str, Model, Model]]:
    """All models that a product is made of, before and after, with how to say that they are."""
    for _, _, product in _kept(both):
        for now in both.meanings[1].behind(product.name):
            if was := both.base.models.get(now.name):
                yield product.name, Cause(product.name, (now.name,)).words, was, now


@rule(WARNS, instead="Say which rows become others, and how they are brought in line.")
def rows_same_upkeep(both: Both) -> Found:
    """How an incremental table takes in new rows decides which of the old ones last.

    Another strategy breaks, and another key, or whatever else tells which rows stay; others warn.
    """
    for product, why, was, now in _behind(both):
        names = {one for one, _ in was.upkeep.items() ^ now.upkeep.items()}
        names -= _PACE - (was.upkeep.keys() & now.upkeep.keys())
        if not (was.upkeep or now.upkeep) or (was.kind == now.kind and not names):
            continue
        if was.kind == now.kind:
            before, after = (
                ", ".join(f"{name} {one.upkeep[name]}" for name in sorted(names & {*one.upkeep}))
                for one in (was, now)
            )
        else:
            before, after = (
                one.kind if one.upkeep else f"{one.kind}, built whole" for one in (was, now)
            )
        # What was built whole has the same rows the next time; of other strategies no first load
        # shows what differs later.
        other = bool(was.upkeep and now.upkeep) and was.kind != now.kind
        yield Change(
            product,
            f"Rows are kept up otherwise{why}: {before or 'nothing'} became {after or 'nothing'}.",
            both.files.header(now.path),
            before=before,
            after=after,
            because=(now.name,),
            severity=BREAKS if other or _KEPT_BY & names else None,
        )


@rule(BREAKS, instead="Say what it does to the rows and who reads them, and let the query say it.")
def model_same_beside(both: Both) -> Found:
    """What is done beside a query, or by it elsewhere than here, no comparison of queries sees.

    Statements around it, properties of its table, another gateway or stage. What only tunes warns;
    of a product, to ask its readers for a filter stops all that have none.
    """
    for product, why, was, now in _behind(both):
        for what in sorted({*was.beside, *now.beside}):
            before, after = was.beside.get(what), now.beside.get(what)
            # Of a product its contract says who may read it, and lint that the model says no other.
            if before == after or (what == GRANTS and now.name in both.diff.pairs):
                continue
            old, new = (f"`{text}`" for text in both_shortened(before or "", after or "", 160))
            said = f"was {old}, and is {new}" if before and after else f"is new: {new}"
            if after is None:
                said = f"is gone: {old}"
            gone, come = both_shortened(before or "", after or "")
            asks = _ASKS_READERS in what.lower() and (after or "").lower() == "true"
            stops = asks and now.name == product
            yield Change(
                product,
                f"Beside the query{why}, the {what} {said}.",
                both.files.header(now.path, *now.files),
                before=gone,
                after=come,
                because=(now.name,),
                severity=None if _DECIDES.search(what) or stops else WARNS,
            )


@rule(WARNS, instead="See that consumers may meet these rows, and miss those that are gone.")
def seed_rows_changed(both: Both) -> Found:
    """The rows of a seed are data that no promise names: whoever reviews them has to look."""
    for product, why, was, now in _behind(both):
        gone, new = both.files.rows(was.seed, now.seed) if was.seed and now.seed else ([], [])
        if gone or new:
            before, after = both_shortened("; ".join(gone), "; ".join(new))
            yield Change(
                product,
                f"Rows of {now.seed}: {len(new)} new, {len(gone)} gone{why}.",
                both.files.made_in(now.seed) or Place(now.seed, 1),
                before=before,
                after=after,
                because=(now.name,),
            )


def _changed(both: Both, product: str, what: str, why: Cause, column: str | None) -> Change:
    before, after, where = before_and_after(both, why, column)
    refuted = _refuted(both, product, column)
    unseen = _unseen(both, why.models) if refuted else ""
    reason = "the data diff against prod found the same values in every row" if refuted else ""
    if unseen:
        reason += f", but no sample shows all that {unseen} decides about"
    return Change(
        product,
        f"{what}{why.words}.",
        where,
        column=column,
        before=before,
        after=after,
        because=why.models,
        made_in=tuple(both.files.place(model, None).path for model in why.models),
        severity=(WARNS if unseen else TELLS) if refuted else None,
        reason=reason,
    )


def _refuted(both: Both, product: str, column: str | None) -> bool:
    """Whether the data diff found no difference; then a change is told of, but breaks nothing."""
    diff = both.rows.get(product)
    if diff is None or diff.problem or diff.added or diff.removed:
        return False
    match = [share for name, share in diff.match.items() if column in (None, name)]
    return diff.before == diff.after > 0 and all(share >= 100 for share in match)


def _unseen(both: Both, causes: Iterable[str]) -> str:
    """A filter, pattern or limit that is another now: what it lets through may not have come yet.

    Of intervals the sample shows few: its history as one, and its last months.
    """
    for name in causes:
        was, now = (_deciding(side.models.get(name)) for side in (both.base, both.head))
        for text in sorted(now - was) or sorted(was - now):
            return f"`{shortened(text.replace('`', ''), 80)}`"
    return ""


def _deciding(model: Model | None) -> set[str]:
    """What of a model's own query decides about rows that may not have come yet: comparisons with
    constants, patterns, limits, joins, what stands first among several, and DISTINCT."""
    if model is None or not model.query:
        return set()
    found = {f"since {model.since}"} if model.since else set()
    kinds = (exp.Predicate, exp.Limit, exp.Func, exp.Join, exp.Window, exp.Distinct)
    for node in parsed(model.query, model.dialect).find_all(*kinds):
        whole = exp.Like | exp.Limit | exp.Join | exp.Window | exp.Distinct
        pattern = isinstance(node, whole) or node.key.startswith("regexp")
        if pattern or (isinstance(node, exp.Predicate) and node.find(exp.Literal)):
            found.add(plain(node).sql(model.dialect))
    return found


def _new_start(causes: Iterable[str], both: Both) -> str:
    """What to say when models only begin at another day."""
    for name in causes:
        was, now = both.base.models.get(name), both.head.models.get(name)
        if was and now and was.since and now.since and was.since != now.since:
            return f"Rows begin at {now.since} instead of {was.since}"
    return ""
