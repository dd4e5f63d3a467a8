"""A report as a JUnit file, which every CI shows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from mesh.files.reports import write_report
from mesh.verify.report import Outcome, Status, VerifyReport
from mesh.verify.text import finding, sample_text


def write_junit(report: VerifyReport, path: Path) -> None:
    """One suite per product, one case per promise. Raises WrongUse when it cannot be written."""
    root = ElementTree.Element("testsuites", name=f"contracts in {report.environment}")
    for product in report.products:
        unchecked = sum(one.status is Status.UNCHECKED for one in product.outcomes)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=product.product,
            tests=str(len(product.outcomes)),
            failures=str(len(product.broken) - unchecked),
            errors=str(unchecked),
            time=f"{product.seconds:.3f}",
        )
        for outcome in product.outcomes:
            _case(suite, product.product, outcome)
    ElementTree.indent(root)
    # As UTF-8, which the declaration names, whatever the machine's own is.
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    write_report(path, text.decode("utf-8"))


def _case(suite: ElementTree.Element, product: str, outcome: Outcome) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=product,
        name=outcome.rule,
        file=str(outcome.where.path),
        line=str(outcome.where.line or 1),
    )
    if outcome.ok:
        return
    kind = "error" if outcome.status is Status.UNCHECKED else "failure"
    message = _printable(f"{outcome.description} {finding(outcome)}")
    node = ElementTree.SubElement(case, kind, message=message, type=outcome.kind)
    node.text = _printable("\n".join([str(outcome.where), *map(sample_text, outcome.sample)]))


def _printable(text: str) -> str:
    """Data can hold characters that XML cannot."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
