"""The report as one comment on a pull request: GitHub's Markdown, folded, and never too long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mesh.files.markdown import code, escape, escape_html
from mesh.review.contracts.verdict import Verdict
from mesh.review.models.impact import Hit
from mesh.review.report.grouped import MOST_NAMES, advised, counted, grouped, planned, through
from mesh.review.rules import Finding, Level
from mesh.review.run import WITHOUT_ROWS, Review
from mesh.words import listed, many

MARKER = "<!-- mesh review -->"
# GitHub takes 65,536 characters; the workflow posts 65,000 bytes at the most.
LIMIT = 64_000
_WORDS = {Level.BREAKING: "breaking", Level.WARNING: "look at", Level.INFO: "info"}
MOST_NODES = 40


def markdown(review: Review, limit: int = LIMIT) -> str:
    """The comment, of at most `limit` bytes: what does not fit is counted, not cut in two."""
    parts = [MARKER, _head(review)]
    sections = [
        _findings(review, (Level.BREAKING,), "Breaking", fold=False),
        _verdicts(review),
        _impact(review),
        _findings(review, (Level.WARNING,), "To look at", fold=True),
        _plan(review),
        _rows(review),
        ("Cost", [str(review.cost)]) if review.cost else None,
        _findings(review, (Level.INFO,), "Other changes", fold=True),
        ("Notes", [f"<sub>{escape(n)}</sub>" for n in review.notes]) if review.notes else None,
    ]
    size = sum(map(_size, parts)) + 300
    left_out = []
    for title, lines in filter(None, sections):
        room = limit - size
        text, dropped = _fit(lines, room)
        if dropped:
            left_out.append(f"{title} ({dropped} lines)")
        parts.append(text)
        size += _size(text) + 2
    if left_out:
        parts.append("Left out because a comment has a limit: " + ", ".join(left_out) + ".")
    return "\n\n".join(part for part in parts if part) + "\n"


Section = tuple[str, list[str]] | None


def _size(text: str) -> int:
    return len(text.encode())


def _fit(lines: list[str], room: int) -> tuple[str, int]:
    """As many lines as there is room for; folds that were opened are closed again."""
    kept: list[str] = []
    size = opened = 0
    fence = False
    for index, line in enumerate(lines):
        size += _size(line) + 1
        if size > room - 40:
            kept += ["```"] * fence + ["", "</details>"] * opened
            return "\n".join(kept), len(lines) - index
        opened += line.startswith("<details>") - line.startswith("</details>")
        fence ^= line.startswith("```")
        kept.append(line)
    return "\n".join(kept), 0


def _head(review: Review) -> str:
    breaking, warnings, infos = (
        counted(review.findings, level) for level in (Level.BREAKING, Level.WARNING, Level.INFO)
    )
    new_major = [v for v in review.verdicts if v.outcome == "right" and v.needed.name == "MAJOR"]
    if breaking:
        line = f"### ❌ Contract review: {many(breaking, 'breaking change')}"
    elif review.unknown:
        line = "### ⚠️ Contract review: not all could be compared"
    elif new_major:
        line = "### ✅ Contract review: breaking, and done properly"
    elif review.findings:
        line = "### ✅ Contract review: nothing breaking"
    else:
        line = "### ✅ Contract review: no contract changes"
    charts = sum(hit.kind == "chart" for hit in review.impact.hits)
    products = sum(hit.kind == "product" for hit in review.impact.hits)
    hit = f"hits {many(products, 'product')} and {many(charts, 'chart')}"
    dashboards = {f.where.path for f in review.findings if f.definition.category == "dashboard"}
    if not review.impact.hits:
        no_one = "no one in this project" if review.impact.others else "no one"
        readers = f"the readers of {many(len(dashboards), 'dashboard')}"
        hit = f"hits {readers if dashboards else no_one}"
    facts = [
        f"{many(breaking, 'breaking change')}, {warnings} to look at, {infos} for information",
        hit,
        f"compared with {code(review.base[:10])}",
    ]
    if review.impact.owners:
        facts.insert(2, "ask " + ", ".join(f"**{escape(o)}**" for o in review.impact.owners))
    first = [review.unknown, review.not_compared and f"{review.not_compared} {WITHOUT_ROWS}"]
    told = "".join(f"⚠️ **{escape(one)}**\n\n" for one in first if one)
    return f"{line}\n\n{told}{' · '.join(facts)}."


def _findings(review: Review, levels: tuple[Level, ...], title: str, *, fold: bool) -> Section:
    shown = grouped(one for one in review.findings if one.level in levels)
    if not shown:
        return None
    lines = _table("rule", "where", "what", rows=map(_finding_row, shown))
    if not fold:
        return title, [f"#### {title}", "", *lines]
    return title, list(_folded(f"{title} ({len(shown)})", lines))


def _table(*head: str, rows: Iterable[Iterable[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _finding_row(one: Finding) -> tuple[str, ...]:
    what = f"**{escape(one.product)}**: {escape(one.message)}"
    if one.before or one.after:
        both = f"{code(one.before) or 'nothing'} → {code(one.after) or 'nothing'}"
        if one.before != one.after and both.count("`") > 0:
            what += f"<br>{both}"
    if one.reason:
        what += f"<br>Level {one.level}: {escape(one.reason)}"
    elif one.fix and one.level is not Level.INFO:
        what += f"<br>*{escape(one.fix)}*"
    return code(one.rule), code(one.where), what


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"<details><summary>{escape_html(title)}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _verdicts(review: Review) -> Section:
    shown = advised(review.verdicts)
    if not shown:
        return None
    rows = []
    for one in shown:
        versions = f"{one.before or 'new'} → {one.after or 'gone'}"
        if one.before == one.after:
            versions = f"{one.before} (not changed)"
        mark = {"right": "✅ right", "too small": "⚠️ too small", "wrong": "❌ wrong"}[one.outcome]
        rows.append((escape(one.product), versions, one.needed.word, mark))
    head = ("product", "version", "needed", "verdict")
    lines = ["#### Versions", "", *_table(*head, rows=rows)]
    for verdict in shown:
        lines += _what_to_write(verdict)
    return "Versions", lines


def _what_to_write(verdict: Verdict) -> list[str]:
    lines: list[str] = []
    if verdict.write:
        lines += ["", f"**{escape(verdict.product)}**: {_with_code(verdict.write)}"]
    if verdict.snippet:
        lines += ["", "```yaml", *verdict.snippet.rstrip("\n").splitlines(), "```"]
    if verdict.moving:
        moves = [f"- {escape(text)}" for text in verdict.moving]
        lines += ["", *_folded(f"What moving to {verdict.product} means", moves)]
    return lines


def _with_code(text: str) -> str:
    """Escaped, except for what stands between backticks."""
    parts = text.split("`")
    return "".join(code(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def _impact(review: Review) -> Section:
    found = review.impact
    if not found.sources:
        return None
    lines = ["#### Who is hit", ""]
    if not found.hits:
        no_one = "Here no one" if found.others else "No one"
        lines.append(
            f"{no_one}: no model, product, rule or chart of this project reads what changed."
        )
    else:
        lines += ["```mermaid", *mermaid(review), "```", ""]
        table = _table("who", "what", "through", "owner", rows=map(_hit_row, found.hits))
        lines += _folded(f"{len(found.hits)} that depend on it", table)
    if found.others:
        lines += ["", "Others may read it too: " + ", ".join(map(code, found.others)) + "."]
    return "Who is hit", lines


def _hit_row(hit: Hit) -> tuple[str, ...]:
    what = {"values": "its values", "rows": "its rows", "both": "its values and rows"}[hit.how]
    if hit.columns:
        what += f" ({escape(listed(hit.columns, MOST_NAMES))})"
    name, because, owner = (escape(text) for text in (hit.name, through(hit), hit.owner))
    return f"{name} ({hit.kind})", what, because, owner


def mermaid(review: Review) -> list[str]:
    """The graph of what is affected, and of nothing else; dotted where only rows are."""
    found = review.impact
    kinds = {hit.name: hit.kind for hit in found.hits}
    names = list(dict.fromkeys([*found.sources, *kinds]))
    more = len(names) - MOST_NODES
    names = names[:MOST_NODES]
    ids = {name: f"n{index}" for index, name in enumerate(names)}
    lines = ["flowchart LR"]
    for name in names:
        label = re.sub(r"[^\w./ -]", " ", name)[:80]
        shape = {
            "chart": ('(["', '"])'),
            "rule": ('{{"', '"}}'),
            "internal model": ('("', '")'),
        }.get(kinds.get(name, "product"), ('["', '"]'))
        style = ":::changed" if name in found.sources else ""
        lines.append(f"  {ids[name]}{shape[0]}{label}{shape[1]}{style}")
    for start, end, direct in found.edges:
        if start in ids and end in ids:
            lines.append(f"  {ids[start]} {'-->' if direct else '-.->'} {ids[end]}")
    if more > 0:
        lines.append(f'  more["and {more} more"]')
    lines.append("  classDef changed fill:#fde2e1,stroke:#b3261e,color:#410e0b")
    return lines


def _plan(review: Review) -> Section:
    plan = review.plan
    if plan is None:
        return None
    against = "prod" if plan.against == "prod" else "the base (there is no prod here)"
    if not plan.models and not plan.removed:
        return "Plan", [f"SQLMesh's plan against {against}: no changes."]
    rows = [[*map(escape, row)] for row in planned(plan)]
    head = ("model", "change", "SQLMesh's category", "to build")
    note = (
        "SQLMesh's “breaking” means that what reads the model is built again. "
        "It says nothing about contracts."
    )
    if not rows:
        return "Plan", [plan.rest]
    lines = [*_table(*head, rows=rows), "", f"{plan.rest} {note}".strip()]
    return "Plan", [*_folded(f"SQLMesh's plan against {against} ({len(rows)})", lines)]


def _rows(review: Review) -> Section:
    if review.rows is None:
        return None
    lines: list[str] = []
    for diff in review.rows:
        if diff.problem:
            lines += [f"- {escape(diff.product)}: {escape(diff.problem)}"]
            continue
        lines.append(
            f"- **{escape(diff.product)}**: {diff.before:,} rows before, {diff.after:,} "
            f"after; {diff.added:,} added, {diff.removed:,} removed, "
            f"{diff.changed:,} changed."
        )
        differing = [f"{escape(c)} {m:g} %" for c, m in diff.match.items() if m < 100]
        if differing:
            lines.append(f"  Values that match: {', '.join(differing)}; all others 100 %.")
        samples = (", ".join(f"{k}={v}" for k, v in one.items()) for one in diff.samples)
        lines += [f"  - {code(sample)}" for sample in samples]
    if not lines:
        lines = ["No product has another version there."]
    return "Data", list(_folded(f"Data diff with prod ({len(review.rows)})", lines))
