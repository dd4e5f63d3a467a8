"""Reports for machines: JSON, and SARIF 2.1.0, which code hosts show on the changed lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from posixpath import normpath
from typing import Any
from urllib.parse import quote

from mesh.review.contracts.two_states import ContractReview
from mesh.review.contracts.verdict import Verdict
from mesh.review.known import RULES
from mesh.review.rules import CATEGORIES, Finding, Level
from mesh.review.run import Review

_SARIF_LEVELS = {Level.BREAKING: "error", Level.WARNING: "warning", Level.INFO: "note"}


def _finding_json(one: Finding) -> dict[str, Any]:
    told = {
        "rule": one.rule,
        "level": str(one.level),
        "product": one.product,
        "message": one.message,
        "file": one.where.path,
        "line": one.where.line,
        "category": one.definition.category,
        "version": one.bump.word,
        "because": list(one.because),
        **{key: getattr(one, key) for key in ("column", "before", "after", "fix", "reason")},
    }
    return {key: value for key, value in told.items() if value}


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    shown = {"before": verdict.before, "after": verdict.after}
    return {
        **asdict(verdict),
        **{side: str(version) if version else None for side, version in shown.items()},
        "needed": verdict.needed.word,
        "made": verdict.made.word,
    }


def rules_json() -> list[dict[str, str]]:
    """The table of rules as plain data."""
    return [
        {
            "rule": rule.id,
            "category": rule.category,
            "level": str(rule.level),
            "version": rule.bump.word,
            "guards": rule.guards,
            "instead": rule.instead,
        }
        for rule in RULES.values()
    ]


def sarif(findings: Iterable[Finding], prefix: str = "") -> dict[str, Any]:
    """The findings as one SARIF run; paths are relative to the root of the checkout.

    prefix: the folder of the project in the checkout, with a slash, or empty.
    """
    shown = list(findings)
    used = list(dict.fromkeys(one.rule for one in shown))
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mesh review",
                        "rules": [_sarif_rule(rule_id) for rule_id in used],
                    }
                },
                "columnKind": "utf16CodeUnits",
                "results": [_sarif_result(one, used.index(one.rule), prefix) for one in shown],
            }
        ],
    }


def _sarif_rule(rule_id: str) -> dict[str, Any]:
    rule = RULES[rule_id]
    made: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.guards},
        "defaultConfiguration": {"level": _SARIF_LEVELS.get(rule.level, "none")},
        "properties": {"tags": [rule.category, CATEGORIES[rule.category]]},
    }
    if rule.instead:
        made["help"] = {"text": rule.instead}
    return made


def _sarif_result(one: Finding, index: int, prefix: str) -> dict[str, Any]:
    text = f"{one.product}: {one.message}" + (f" {one.fix}" if one.fix else "")
    same = hashlib.sha256(f"{one.rule}/{one.product}/{one.column}/{one.message}".encode())
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[one.level],
        # Brackets before parentheses would be a link.
        "message": {"text": text.replace("](", "] (")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(normpath(prefix + one.where.path))},
                    "region": {"startLine": max(1, one.where.line)},
                }
            }
        ],
        "partialFingerprints": {"meshFinding/v1": same.hexdigest()[:32]},
    }


def diff_json(review: ContractReview) -> dict[str, Any]:
    """What was found of contracts, and their versions, as plain data."""
    return {
        "breaking": review.breaking,
        "findings": [_finding_json(one) for one in review.findings],
        "versions": [_verdict_json(one) for one in review.verdicts],
    }


def review_json(review: Review) -> dict[str, Any]:
    """A whole review as plain data."""
    return {
        **diff_json(review),
        "base": review.base,
        "hit": [asdict(hit) for hit in review.impact.hits],
        "ask": list(review.impact.owners),
        "readers": {name: list(roles) for name, roles in review.impact.readers.items()},
        "plan": review.plan and asdict(review.plan),
        "rows": review.rows and [asdict(diff) for diff in review.rows],
        "cost": review.cost and asdict(review.cost),
        "not_compared": review.not_compared,
        "unread": list(review.unread),
        "notes": list(review.notes),
        "seconds": review.seconds,
    }
