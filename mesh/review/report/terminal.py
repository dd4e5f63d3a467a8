"""The report for people at a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.text import Text

from mesh.console import in_line, out, table
from mesh.review.contracts.two_states import ContractReview
from mesh.review.contracts.verdict import Verdict
from mesh.review.known import RULES
from mesh.review.report.grouped import MOST_NAMES, advised, counted, grouped, planned, through
from mesh.review.rules import Finding, Level
from mesh.review.run import WITHOUT_ROWS, Review
from mesh.words import listed

_STYLES = {Level.BREAKING: "bold red", Level.WARNING: "yellow", Level.INFO: "dim"}


def print_contract_diff(result: ContractReview) -> None:
    """Findings and verdicts of a contract diff."""
    if not result.findings:
        out.print("The contracts promise the same.")
    _findings(result.findings)
    _verdicts(result.verdicts)


def print_review(review: Review) -> None:
    """The whole report, most important first."""
    breaking = counted(review.findings, Level.BREAKING)
    out.print(f"Compared with {review.base[:10]}, in {review.seconds:.1f} s.", markup=False)
    if review.not_compared:
        out.print(Text(f"{review.not_compared} {WITHOUT_ROWS}", style="bold yellow"))
    if not review.findings and not review.unknown:
        out.print("The contracts promise the same, and their models keep it.")
    _findings(review.findings)
    _verdicts(review.verdicts)
    _impact(review)
    _plan(review)
    _rows(review)
    if review.cost:
        out.print(str(review.cost), markup=False)
    for note in review.notes:
        out.print(Text(note, style="dim"))
    if review.unknown:
        out.print(Text(review.unknown, style="bold yellow"), soft_wrap=True)
    if breaking:
        out.print(f"[bold red]{breaking} breaking[/]: not to be merged as it is.")
    elif not review.unknown:
        out.print("[green]Nothing is broken.[/]")


def _findings(findings: tuple[Finding, ...]) -> None:
    for one in grouped(findings):
        style = _STYLES[one.level]
        out.print(f"[{style}]{one.level:<8}[/] {one.rule} {in_line(one.where)}", soft_wrap=True)
        _line(f"{one.product}: {one.message}")
        both = one.before and one.after and one.before != one.after
        if both and one.before not in one.message:
            _line(f"{one.before}  →  {one.after}", "dim")
        if one.reason:
            _line(f"because {one.reason}", "dim")
        elif one.fix and one.level is not Level.INFO:
            _line(one.fix, "italic")


def _line(text: str, style: str = "") -> None:
    """What belongs to a finding, below it: texts of contracts must not look like lines of ours."""
    out.print(Text(f"         {' '.join(text.split())}", style=style), soft_wrap=True)


def _verdicts(verdicts: tuple[Verdict, ...]) -> None:
    shown = advised(verdicts)
    if not shown:
        return
    names = ("product", "before", "after", "needed", "verdict")
    made = table(*names, title="versions", whole=("product",))
    for v in shown:
        before, after = str(v.before or "new"), str(v.after or "gone")
        made.add_row(escape(v.product), before, after, v.needed.word, v.outcome)
    out.print(made)
    for verdict in shown:
        if verdict.write:
            out.print(Text(f"{verdict.product}: {verdict.write}"), soft_wrap=True)
        if verdict.snippet:
            out.print(Text(verdict.snippet, style="cyan"), soft_wrap=True)


def _impact(review: Review) -> None:
    found = review.impact
    if not found.sources:
        return
    if not found.hits:
        told = "." if found.others else ": it hits no one."
        out.print("Nothing in this project reads what changed" + told)
    else:
        made = table("who", "kind", "columns", "through", "owner", title="who is hit")
        for hit in found.hits:
            columns = listed(hit.columns, MOST_NAMES) or "its rows"
            made.add_row(*map(in_line, (hit.name, hit.kind, columns, through(hit), hit.owner)))
        out.print(made)
        out.print(in_line("Ask: " + ", ".join(found.owners)))
    if found.others:
        out.print(in_line("Others may read it too: " + ", ".join(found.others) + "."))


def _plan(review: Review) -> None:
    if review.plan is None or not (review.plan.models or review.plan.removed):
        return
    against = review.plan.against
    title = f"SQLMesh's plan against {against} (its categories are about building, not contracts)"
    made = table("model", "change", "category", "to build", title=title)
    for row in planned(review.plan):
        made.add_row(*map(escape, row))
    if made.row_count:
        out.print(made)
    if review.plan.rest:
        out.print(Text(review.plan.rest))


def _rows(review: Review) -> None:
    for diff in review.rows or []:
        if diff.problem:
            out.print(Text(f"{diff.product}: {diff.problem}"))
            continue
        out.print(
            Text(
                f"{diff.product}: {diff.added:,} rows added, {diff.removed:,} removed, "
                f"{diff.changed:,} changed of {diff.before:,}"
            )
        )


def print_rules() -> None:
    """The table of all rules."""
    made = table("rule", "category", "level", "version", "guards", whole=("rule",))
    for rule in RULES.values():
        made.add_row(rule.id, rule.category, str(rule.level), rule.bump.word, escape(rule.guards))
    out.print(made)
