"""What Pydantic finds in a file, as problems with lines: one sentence each, and what to write.

A model says what only it can know by raising `refused` in a validator; everything else (keys,
types, sizes, kinds) gets its sentence here.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from mesh.files.annotations import is_model, members, models_among, types_at, value_at
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps, Tree

M = TypeVar("M", bound=BaseModel)
# What Pydantic expected, by the type of its error.
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    # Of a sequence, which a text must not be taken for.
    "is_instance_of": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
# What is said of a size that is not kept, by the type of Pydantic's error.
_SIZES = {
    "too_long": ("has {actual_length} entries.", "At most {max_length} can stand here."),
    "too_short": ("has {actual_length} entries.", "Write at least {min_length}."),
    "string_too_long": ("has too many letters.", "At most {max_length} can stand here."),
    "string_too_short": ("is empty.", "Write at least {min_length}, or take it out."),
}
_FORMS: dict[str, str] = {}
_FIXES = {"text": "Put it into quotes, if it is meant as text."}
_FOUND = {
    bool: "the truth value",
    int: "the number",
    float: "the number",
    str: "the text",
    list: "the list",
    dict: "the mapping",
}


def refused(rule: str, message: str, fix: str) -> PydanticCustomError:
    """The error that a validator raises to have its own sentence told."""
    told = {"rule": rule, "message": message, "fix": fix}
    return PydanticCustomError("refused", "{message}", told)


def form(pattern: str, words: str) -> str:
    """The pattern of a text, with what it asks for, as the end of `Write …`."""
    _FORMS[pattern] = words
    return pattern


def read_model(tree: Tree, model: type[M]) -> tuple[M | None, list[Problem]]:
    """The content of a file, or None with what is wrong with its keys and types."""
    try:
        return model.model_validate(tree.data), list(tree.problems)
    except ValidationError as error:
        found = problems_of(error, tree, model).values()
        return None, [*tree.problems, *dict.fromkeys(found)]


def problems_of(
    error: ValidationError, tree: Tree, model: type[BaseModel]
) -> dict[tuple[Steps, str | None], Problem]:
    """The problems by their place: the steps in the file, and the key that is missing there."""
    places: dict[tuple[Steps, str | None], list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        places.setdefault(_place(details, tree.data), []).append(details)
    return {place: _problem(tree, model, *place, several) for place, several in places.items()}


def _place(error: ErrorDetails, data: Any) -> tuple[Steps, str | None]:
    """Where in the file an error is; Pydantic puts the members of unions among the steps."""
    steps: list[str | int] = []
    here = data
    for step in error["loc"]:
        in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            here = here[step]
            steps.append(step)
    missing = str(error["loc"][-1]) if error["type"] == "missing" else None
    return tuple(steps), missing


def _problem(
    tree: Tree,
    model: type[BaseModel],
    steps: Steps,
    missing: str | None,
    errors: list[ErrorDetails],
) -> Problem:
    """One place's problem; a union reports one error for each of its members."""
    error = errors[0]
    kind, context = error["type"], error.get("ctx") or {}
    key = next((str(step) for step in reversed(steps) if isinstance(step, str)), None)
    name = f"`{shown(key)}`" if key else f"the {tree.kind.name}"
    value = shown(error["input"])

    def problem(rule: str, message: str, fix: str) -> Problem:
        return Problem(tree.path, tree.line(steps), rule, message, fix)

    if kind == "refused":
        return problem(context["rule"], context["message"], context["fix"])
    if kind == "extra_forbidden":
        fix = suggestion(str(key), _keys(model, tree.data, steps[:-1]))
        return problem("KEY_UNKNOWN", f"There is no key {name} here.", fix)
    if missing is not None:
        return problem("KEY_MISSING", f"`{missing}` is missing in {name}.", "Add it.")
    if kind == "union_tag_not_found":
        by = context["discriminator"].strip("'")
        known = _options(model, tree.data, (*steps, by))
        return problem("KIND_UNKNOWN", f"An entry of {name} has no `{by}`.", suggestion("", known))
    if kind == "union_tag_invalid":
        steps = (*steps, context["discriminator"].strip("'"))
        message = f"`{shown(context['tag'])}` is no known `{steps[-1]}`."
        fix = suggestion(context["tag"], _options(model, tree.data, steps))
        return problem("KIND_UNKNOWN", message, fix)
    if kind == "literal_error":
        fix = suggestion(value, _options(model, tree.data, steps))
        return problem("VALUE_WRONG_TYPE", f"{name} cannot be `{value}`.", fix)
    if kind == "string_pattern_mismatch":
        wanted = _FORMS.get(context["pattern"], f"a text that matches `{context['pattern']}`")
        message = f"{name} is `{value}`, which does not have the form it must have."
        if error["loc"][-1] == "[key]":
            message = f"`{value}` is no name that can stand here."
        return problem("VALUE", message, f"Write {wanted}.")
    if kind in _SIZES:
        message, fix = (text.format(**context) for text in _SIZES[kind])
        return problem("VALUE", f"{name} {message}", fix)
    kinds = [_EXPECTED[one["type"]] for one in errors if one["type"] in _EXPECTED]
    expected = " or ".join(dict.fromkeys(kinds))
    if not expected:
        text = error["msg"].replace("Input should be", "It must be")
        return problem("VALUE", f"{name} is `{value}`.", text.rstrip(".") + ".")
    if error["input"] is None and not (steps and isinstance(steps[-1], int)):
        message = f"{name} is empty: it must be {expected}."
        return problem("VALUE_WRONG_TYPE", message, f"Write {expected}, or take it out.")
    fix = _FIXES.get(expected, f"Write {expected}.")
    found = _FOUND.get(type(error["input"]), "the value")
    message = f"{name} must be {expected}, not {found} `{value}`."
    if steps and isinstance(steps[-1], int):
        message = f"`{value}` is no entry of {name}: it must be {expected}."
    return problem("VALUE_WRONG_TYPE", message, fix)


def _keys(model: type[BaseModel], data: Any, steps: Steps) -> list[str]:
    """The keys that may stand at these steps."""
    return [
        field.alias or name
        for one in models_among(types_at(model, data, steps), value_at(data, steps))
        for name, field in one.model_fields.items()
        if field.annotation is not type(None)
    ]


def _options(model: type[BaseModel], data: Any, steps: Steps) -> list[str]:
    """The words that a key or a kind at these steps may be, as the models list them."""
    types = types_at(model, data, steps)
    if isinstance(steps[-1], str):
        # What tells the kinds of a union apart: the words of all of them.
        around = [one for one in types_at(model, data, steps[:-1]) if is_model(one)]
        fields = [one.model_fields.get(steps[-1]) for one in around]
        types = [leaf for field in fields if field for leaf in members(field.annotation)] or types
    return [str(word) for one in types if get_origin(one) is Literal for word in get_args(one)]
