"""What can be wrong with a contract: one table of rules, by the ids that problems carry."""

from __future__ import annotations

from mesh.files.problems import RULES as OF_FILES

RULES: dict[str, str] = {
    **OF_FILES,
    "FILE_NAME": "A contract lies at contracts/<domain>/<product>.odcs.yaml, so that it is found.",
    "KEY_UNSUPPORTED": "What the standard allows but no gate enforces would be a false promise.",
    "VALUE_MISSING": "A contract is complete: a consumer needs nothing else.",
    "STANDARD": "The file is valid by the published JSON schema of the standard.",
    "NAME_INVALID": "Names are plain identifiers, so that none can carry SQL.",
    "NAME_DISAGREES": "File, id, domain, schema and major version name the same product.",
    "VERSION": "Versions are semantic: consumers must see what breaks.",
    "STATUS": "The status says whether a consumer may rely on the product.",
    "END_OF_LIFE": "Who deprecates a product says until when it stays.",
    "DESCRIPTION_TOO_LONG": "BigQuery refuses column descriptions of more than 1,024 characters.",
    "TYPE_DISAGREES": "Logical type and the types on both engines belong together.",
    "CLASSIFICATION": "The classification is one of a known few, so that personal data is found.",
    "PERSONAL": "A number that stands for a person is classified as personal.",
    "GRAIN": "The grain is stated, in order, and none of its columns may be null.",
    "RANGE": "A range has room for at least one value.",
    "ENUM": "Allowed values are of the column's type, within its range, each once.",
    "EXAMPLE": "Examples keep the promises of their column.",
    "PATTERN": "A pattern compiles on both engines and cannot hang any tool that tries it.",
    "ID_DUPLICATE": "Ids are stable and unique: the contract diff tells things apart by them.",
    "RULE_UNSUPPORTED": "A rule that no gate can enforce does not belong into a contract.",
    "RULE_SQL": "The SQL of a rule is one query that only reads, in what both engines understand.",
    "RULE_COLUMN": "A rule speaks of columns that are there, of types that can be compared.",
    "REFERENCE": "A rule across products names products and rules that have a contract.",
    "SERVICE_LEVEL": "Freshness, completeness and retention are stated and measurable.",
    "ROLE": "A role says who it stands for and what it may do.",
}
