"""A report as a JUnit file, which every CI shows."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from mesh.errors import Location, WrongUse
from mesh.verify.report import Outcome, Status, VerifyReport
from mesh.verify.text import finding, sample_text


def check_writable(path: Path) -> None:
    """Raise WrongUse when the file cannot be written: said before the work, not after it."""
    folder = path.parent
    if path.is_dir():
        raise _refused(path, "it is a folder")
    if not folder.is_dir():
        raise _refused(path, f"there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise _refused(path, "you may not write there")


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
    try:
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise _refused(path, (error.strerror or "the disk refuses").lower()) from error


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


def _refused(path: Path, why: str) -> WrongUse:
    return WrongUse(
        f"The JUnit file cannot be written: {why}.",
        where=Location(path),
        fix="Name a file in a folder that exists.",
    )
