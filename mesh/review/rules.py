# ruff: noqa: E501 — a table is read by rows
"""Every kind of change that a review knows, as one table: code, documentation and test plan at once.

Ids are stable: people set levels by them, and machines read them. `NO` says what must not happen,
`SAME` what must stay; a rule named after an event only tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Level(StrEnum):
    """What a finding does: `breaking` fails a review, the others are shown, `off` is not."""

    BREAKING = "breaking"
    WARNING = "warning"
    INFO = "info"
    OFF = "off"


class Bump(IntEnum):
    """Which part of a version has to grow."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Rule:
    """One kind of change.

    guards: what a consumer would lose or meet without the rule.
    instead: how to get there without breaking anyone, in the imperative.
    """

    id: str
    category: str
    level: Level
    bump: Bump
    guards: str
    instead: str = ""


CATEGORIES = {
    "product": "the product as a whole",
    "column": "columns: names, types, meaning",
    "values": "which values a consumer may meet",
    "grain": "what one row is",
    "quality": "rules on rows and tables",
    "service": "delivery",
    "access": "who may read, and whom to ask",
    "version": "versions and their end",
    "model": "the models behind the contracts",
    "dashboard": "charts",
    "review": "the review itself",
}
_BREAKS, _WARNS, _TELLS = Level.BREAKING, Level.WARNING, Level.INFO
_MAJOR, _MINOR, _PATCH, _NONE = Bump.MAJOR, Bump.MINOR, Bump.PATCH, Bump.NONE
_KEEP = "Keep it until the end date of this major version, and leave it out of the next one."
_NEXT = "Leave this version as it was, and promise the new thing in the next major version."
_SAY = "Tell the consumers before it is merged."

# fmt: off
_TABLE = (
    Rule("PRODUCT_NO_DELETE", "product", _BREAKS, _MAJOR, "A product that is read is not taken away.", "Deprecate it with an end date, and delete it after that date."),
    Rule("PRODUCT_NO_RENAME", "product", _BREAKS, _MAJOR, "A product stays at its name, which every query holds.", "Publish the new name beside the old one, and give the old one an end date."),
    Rule("PRODUCT_ADDED", "product", _TELLS, _NONE, "A new product concerns nobody yet."),
    Rule("PRODUCT_REMOVED_AFTER_END", "product", _TELLS, _NONE, "A version goes after its end date, as promised."),
    Rule("PRODUCT_STATUS_NO_RETREAT", "product", _BREAKS, _MAJOR, "Who relies on an active product may go on doing so.", "Keep it active, or deprecate it with an end date."),
    Rule("PRODUCT_DEPRECATED", "product", _WARNS, _MINOR, "Consumers learn in time that a version ends.", _SAY),
    Rule("PRODUCT_STATUS_CHANGED", "product", _TELLS, _MINOR, "Consumers see when a product is ready, or stays after all."),
    Rule("PRODUCT_SAME_PLACE", "product", _BREAKS, _MAJOR, "A product stays where it is read: engine, schema, data set.", "Add the new place, and keep the old one."),
    Rule("PRODUCT_PLACE_ADDED", "product", _TELLS, _MINOR, "Consumers see a further place to read."),
    Rule("PRODUCT_PLACE_CHANGED", "product", _WARNS, _PATCH, "Consumers know when a project or a database has another name.", _SAY),
    Rule("PRODUCT_SAME_KIND", "product", _TELLS, _PATCH, "A view and a table are read alike, but cost differently."),
    Rule("PRODUCT_SAME_PURPOSE", "product", _TELLS, _PATCH, "Purpose and usage are read before a product is chosen."),
    Rule("PRODUCT_SAME_LIMITS", "product", _WARNS, _MINOR, "A new limit takes something away from those who relied on more.", _SAY),
    Rule("PRODUCT_SAME_LABELS", "product", _TELLS, _PATCH, "Tags, links and notes find a product; no query holds them."),
    Rule("COLUMN_NO_DELETE", "column", _BREAKS, _MAJOR, "A column that is read is not taken away.", _KEEP),
    Rule("COLUMN_NO_RENAME", "column", _BREAKS, _MAJOR, "A column keeps its name (the stable id tells a rename from a drop and an add).", "Keep the old name in this version, and use the new one in the next major version."),
    Rule("COLUMN_NO_REUSE", "column", _BREAKS, _MAJOR, "A known name does not begin to mean another column: queries would go on, wrongly.", "Give the new column a name that was never used."),
    Rule("COLUMN_SAME_ID", "column", _WARNS, _PATCH, "An id stays, so that reviews can follow a column.", "Write the old id again."),
    Rule("COLUMN_ADDED", "column", _TELLS, _MINOR, "A further column changes no query that names its columns."),
    Rule("COLUMN_SAME_ORDER", "column", _WARNS, _MINOR, "Who reads by position (UNION, INSERT … SELECT *) meets other columns.", "Put new columns at the end, and leave the others in their order."),
    Rule("COLUMN_SAME_TYPE", "column", _BREAKS, _MAJOR, "Joins, comparisons and charts rely on the type.", _NEXT),
    Rule("COLUMN_TYPE_NO_WIDEN", "column", _BREAKS, _MAJOR, "A wider type does not fit into the consumer's column, and divides or joins otherwise.", _NEXT),
    Rule("COLUMN_TYPE_NO_NARROW", "column", _BREAKS, _MAJOR, "A narrower type loses digits that a consumer used.", _NEXT),
    Rule("COLUMN_SAME_DESCRIPTION", "column", _WARNS, _PATCH, "The description is the meaning: other words may mean another thing.", "See whether only the words changed, or the meaning too."),
    Rule("COLUMN_SAME_UNIT", "column", _BREAKS, _MAJOR, "A number in another unit is wrong by a factor, and no query notices.", "Add a column in the new unit beside this one."),
    Rule("COLUMN_SAME_LABELS", "column", _TELLS, _PATCH, "Tags, examples and notes help readers; no query holds them."),
    Rule("COLUMN_DEPRECATED", "column", _WARNS, _MINOR, "Consumers learn in time that a column goes.", _SAY),
    Rule("COLUMN_DEPRECATION_LIFTED", "column", _TELLS, _MINOR, "Consumers learn that a column stays."),
    Rule("COLUMN_CLASSIFICATION_NO_RAISE", "column", _BREAKS, _MAJOR, "Who was free to show or copy a column no longer is.", "Agree with each consumer, and publish the stricter version as the next major one."),
    Rule("COLUMN_CLASSIFICATION_NO_LOWER", "column", _WARNS, _MINOR, "Data that was protected is protected less.", "Let the owner of the data confirm it."),
    Rule("COLUMN_PERSONAL_NO_RELEASE", "column", _BREAKS, _MINOR, "Personal data does not become anything else by a line in a file.", "Keep `classification: personal`."),
    Rule("NULL_NO_ALLOW", "values", _BREAKS, _MAJOR, "Sums, joins and filters lose rows when a value may be missing.", _NEXT),
    Rule("NULL_REFUSED", "values", _TELLS, _MINOR, "A value that is always there asks nothing of a consumer."),
    Rule("UNIQUE_NO_DROP", "values", _BREAKS, _MAJOR, "A join on a column that is no longer unique multiplies rows.", _NEXT),
    Rule("UNIQUE_ADDED", "values", _TELLS, _MINOR, "A column that is unique asks nothing of a consumer."),
    Rule("ENUM_NO_WIDEN", "values", _BREAKS, _MAJOR, "A consumer may meet a value that falls through each CASE and filter.", _NEXT),
    Rule("ENUM_NARROWED", "values", _TELLS, _MINOR, "A value that no longer comes leaves a filter on it empty."),
    Rule("ENUM_NO_DROP_IN_USE", "values", _BREAKS, _MAJOR, "A chart or a model that asks for this value would silently find nothing.", "Change those who ask for it first."),
    Rule("ENUM_SAME_MEANING", "values", _WARNS, _PATCH, "What a value stands for is its meaning.", "See whether only the words changed, or the meaning too."),
    Rule("RANGE_NO_WIDEN", "values", _BREAKS, _MAJOR, "A value outside the known range breaks thresholds, axes and buckets.", _NEXT),
    Rule("RANGE_NARROWED", "values", _TELLS, _MINOR, "Fewer values ask nothing of a consumer."),
    Rule("STEP_NO_LOOSEN", "values", _BREAKS, _MAJOR, "Values between the known steps fall out of groups and joins.", _NEXT),
    Rule("STEP_TIGHTENED", "values", _TELLS, _MINOR, "Coarser steps ask nothing of a consumer."),
    Rule("LENGTH_NO_WIDEN", "values", _BREAKS, _MAJOR, "A longer text is cut off, a shorter one is taken for nothing.", _NEXT),
    Rule("LENGTH_NARROWED", "values", _TELLS, _MINOR, "Fewer lengths ask nothing of a consumer."),
    Rule("PATTERN_NO_CHANGE", "values", _BREAKS, _MAJOR, "Whoever takes a text apart relies on its pattern.", _NEXT),
    Rule("PATTERN_ADDED", "values", _TELLS, _MINOR, "A pattern where there was none asks nothing of a consumer."),
    Rule("GRAIN_SAME", "grain", _BREAKS, _MAJOR, "Another grain multiplies rows in each join and each sum.", _NEXT),
    Rule("GRAIN_SAME_ORDER", "grain", _TELLS, _PATCH, "The order of the grain says how the product is laid out, not what a row is."),
    Rule("GRAIN_SAME_WORDS", "grain", _WARNS, _PATCH, "The sentence on what one row is may hide another grain.", "See whether only the words changed, or the rows too."),
    Rule("QUALITY_NO_DELETE", "quality", _BREAKS, _MAJOR, "What was promised may no longer hold, and nothing would say so.", _NEXT),
    Rule("QUALITY_ADDED", "quality", _TELLS, _MINOR, "A further promise asks nothing of a consumer."),
    Rule("QUALITY_NO_LOOSEN", "quality", _BREAKS, _MAJOR, "Rows or numbers that were refused may now come.", _NEXT),
    Rule("QUALITY_TIGHTENED", "quality", _TELLS, _MINOR, "A stricter promise asks nothing of a consumer."),
    Rule("QUALITY_SAME_RULE", "quality", _BREAKS, _MAJOR, "A rule that says another thing no longer says the old one.", "Keep the old rule, and add the new one under an id of its own."),
    Rule("QUALITY_SAME_ID", "quality", _TELLS, _PATCH, "An id stays, so that reports can follow a rule."),
    Rule("QUALITY_SAME_WORDS", "quality", _TELLS, _PATCH, "Name, description and dimension explain a rule; they do not check anything."),
    Rule("SERVICE_NO_DELETE", "service", _BREAKS, _MAJOR, "A promise on delivery is not taken back.", _NEXT),
    Rule("SERVICE_ADDED", "service", _TELLS, _MINOR, "A further promise asks nothing of a consumer."),
    Rule("FRESHNESS_NO_LOOSEN", "service", _BREAKS, _MAJOR, "A report that was of last month would show an older one.", _NEXT),
    Rule("COMPLETENESS_NO_LOOSEN", "service", _BREAKS, _MAJOR, "Totals would miss rows that used to be there.", _NEXT),
    Rule("RETENTION_NO_LOOSEN", "service", _BREAKS, _MAJOR, "Comparisons with the past need the past.", _NEXT),
    Rule("SERVICE_NO_LOOSEN", "service", _BREAKS, _MAJOR, "Plans of the consumers rest on the promised service.", _NEXT),
    Rule("SERVICE_TIGHTENED", "service", _TELLS, _MINOR, "A better service asks nothing of a consumer."),
    Rule("SERVICE_SAME_MEASURE", "service", _BREAKS, _MAJOR, "The same number, measured on another thing, is another promise.", _NEXT),
    Rule("SERVICE_SAME_WORDS", "service", _TELLS, _PATCH, "The description explains a service level; it does not promise more."),
    Rule("ROLE_NO_DELETE", "access", _BREAKS, _MAJOR, "Whoever reads the product today is not locked out.", "Keep the role until its readers have moved."),
    Rule("ROLE_ADDED", "access", _TELLS, _MINOR, "A further reader takes nothing from the others."),
    Rule("ROLE_ADDED_TO_PERSONAL", "access", _WARNS, _MINOR, "Personal data reaches further people.", "Let the owner of the data confirm it."),
    Rule("ROLE_SAME_WORDS", "access", _TELLS, _PATCH, "The description of a role explains it; it grants nothing."),
    Rule("OWNER_SAME", "access", _WARNS, _MINOR, "Consumers know who answers for the data.", "Let both teams agree."),
    Rule("SUPPORT_NO_DELETE", "access", _WARNS, _MINOR, "Consumers know where to ask.", "Keep the channel, or let it point to the new one."),
    Rule("SUPPORT_CHANGED", "access", _TELLS, _PATCH, "Consumers see where else to ask."),
    Rule("VERSION_NO_DECREASE", "version", _BREAKS, _NONE, "A version names one promise; an older number would name two.", "Write a version above the one of the base."),
    Rule("VERSION_TOO_SMALL", "version", _WARNS, _NONE, "Consumers read from the version how much changed."),
    Rule("VERSION_OLD_NEEDS_END", "version", _BREAKS, _NONE, "Two versions side by side need a date until which to move."),
    Rule("VERSION_SHORT_NOTICE", "version", _WARNS, _NONE, "Consumers need time to move: a month at the least.", "Choose a later end date, or agree with each consumer."),
    Rule("VERSION_SKIPPED", "version", _WARNS, _NONE, "Major versions follow one another, so that none is looked for in vain."),
    Rule("END_NO_EARLIER", "version", _BREAKS, _NONE, "Consumers plan their move by the end date.", "Keep the date that was announced."),
    Rule("END_LATER", "version", _TELLS, _PATCH, "More time takes nothing from anyone."),
    Rule("COLUMN_SAME_MEANING", "model", _BREAKS, _MAJOR, "A column that is computed otherwise under the same contract breaks everyone in silence.", "Publish it as the next major version, or state in contracts/review.yaml why it is the same."),
    Rule("ROWS_SAME_MEANING", "model", _BREAKS, _MAJOR, "Rows that appear or vanish under the same contract break sums and joins in silence.", "Publish it as the next major version, or state in contracts/review.yaml why it is the same."),
    Rule("MODEL_KEEPS_COLUMNS", "model", _BREAKS, _MAJOR, "A model that drops, renames or retypes a column breaks its contract, whether or not that was edited.", "Give the model the columns of its contract."),
    Rule("MODEL_NO_DELETE", "model", _BREAKS, _MAJOR, "A contract without its model promises what is not there.", "Bring the model back, or end the contract properly."),
    Rule("CONSUMER_NO_BREAK", "model", _BREAKS, _NONE, "Whatever still reads a column that goes is repaired in the same pull request.", "Change the reader in this pull request, or keep the column."),
    Rule("CHART_NO_BREAK", "dashboard", _BREAKS, _NONE, "A chart reads columns and values that are there.", "Change the chart in this pull request, or keep what it reads."),
    Rule("CHART_NO_DELETE", "dashboard", _WARNS, _NONE, "Somebody looks at each chart.", _SAY),
    Rule("CHART_CHANGED", "dashboard", _TELLS, _NONE, "Readers of a chart see when it shows something else."),
    Rule("CHART_ADDED", "dashboard", _TELLS, _NONE, "A new chart concerns nobody yet."),
    Rule("CONTRACT_INVALID", "review", _BREAKS, _NONE, "A contract that cannot be read promises nothing."),
    Rule("BASE_CONTRACT_INVALID", "review", _WARNS, _NONE, "Against a contract that could not be read nothing can be compared."),
    Rule("PROJECT_NO_LOAD", "review", _BREAKS, _NONE, "A project that SQLMesh cannot load delivers nothing."),
    Rule("BASE_NO_LOAD", "review", _WARNS, _NONE, "Without the models of the base a change of meaning cannot be seen."),
    Rule("LEVEL_LOWERED", "review", _WARNS, _NONE, "Who lowers the level of a rule in the same pull request is seen doing so."),
    Rule("CHANGE_UNKNOWN", "review", _BREAKS, _NONE, "What the review does not understand it does not wave through.", "Take the change out, or teach mesh.review this kind of change."),
)
# fmt: on
RULES: dict[str, Rule] = {rule.id: rule for rule in _TABLE}
"""All rules by id, in the order of the report."""
