"""Contracts in which slow checks found nothing: while all they look at is the same, they rest.

A slow check looks at its contract and at those that this one names, and at nothing else, not even
the day. So what it finds depends on their text, and on the code of the checks and of what they use.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from mesh.contracts.checks import Around, problems_of
from mesh.contracts.draft import Draft
from mesh.files.problems import Problem

# Where a project's cache keeps them.
FILE = "contracts.sound"
# So many states are kept at least before old ones are forgotten.
MOST = 1_000
LIBRARIES = ("duckdb", "jsonschema", "open-data-contract-standard", "pydantic", "sqlglot")
PACKAGE = Path(__file__).resolve().parents[1]


@dataclass
class Sound:
    """What was found sound before. file: where it is kept between two runs."""

    file: Path
    found: set[str] = field(default_factory=set)

    def problems_of(self, draft: Draft, around: Around) -> list[Problem]:
        """All that is wrong with a contract; that nothing is will be noted."""
        state = self._state(draft, around)
        problems = problems_of(draft, around, is_sound=state in self._before)
        if not problems:
            self.found.add(state)
        return problems

    def _state(self, draft: Draft, around: Around) -> str:
        """What the slow checks of a contract depend on, as one digest."""
        text = draft.path.read_bytes()
        digest = hashlib.sha256(self._code + draft.product.encode())
        for product, other in sorted(around.drafts.items()):
            # Whichever way a name is quoted: too many contracts do no harm, too few would.
            if other is draft or product.partition(".")[2].encode() in text:
                digest.update(f"{product}:{other.path.stat().st_size}:".encode())
                digest.update(other.path.read_bytes())
        return digest.hexdigest()

    def keep(self) -> None:
        """Note what was found, for the next run; where nothing can be written, it looks again."""
        if self.found <= self._before:
            return
        with suppress(OSError):
            self.file.parent.mkdir(exist_ok=True)
            kept = self._before if len(self._before) < MOST else set()
            self.file.write_text("\n".join(sorted(self.found | kept)), encoding="utf-8")

    @cached_property
    def _before(self) -> frozenset[str]:
        try:
            return frozenset(self.file.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError):
            return frozenset()

    @cached_property
    def _code(self) -> bytes:
        digest = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
        for path in sorted(PACKAGE.rglob("*.py")):
            digest.update(path.read_bytes())
        return digest.digest()
