"""Why a plan or a refresh failed, as people are told."""

from __future__ import annotations

from types import SimpleNamespace

from sqlmesh.utils.errors import MacroEvalError, SQLMeshError

from mesh.environments.reporting import recording_console
from mesh.errors import WrongUse


def raised_by_a_macro() -> SQLMeshError:
    """As SQLMesh wraps it: the code of the macro in a text, and that in another error."""
    try:
        try:
            try:
                raise WrongUse("this was planned long ago.", fix="Plan it again.")
            except WrongUse as error:
                raise MacroEvalError(f"File 'macros/contract.py', line 3: {error}")  # noqa: B904
        except MacroEvalError as error:
            raise SQLMeshError(f"Failed to resolve macros for SELECT 1: {error}") from error
    except SQLMeshError as error:
        return error


def test_of_our_own_error_within_a_macro_only_the_sentence_is_told() -> None:
    console = recording_console()
    failed = SQLMeshError("node")
    failed.__cause__ = raised_by_a_macro()
    failed.node = SimpleNamespace(snapshot_name='"mesh"."shop"."orders"')
    console.log_failed_models([failed])
    assert console.record.failure == "shop.orders: this was planned long ago. Plan it again."


def test_what_the_engine_says_is_told_as_it_is() -> None:
    console = recording_console()
    failed = SQLMeshError("node")
    failed.__cause__ = ValueError("Out of  Range")
    failed.node = SimpleNamespace(snapshot_name='"mesh"."shop"."orders"')
    console.log_failed_models([failed])
    assert console.record.failure == "shop.orders: Out of Range"
