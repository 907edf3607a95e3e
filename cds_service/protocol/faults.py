"""What is wrong with a body, in one sentence: the path and what was expected there, never what arrived."""

from __future__ import annotations

import re

_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
    "uuid": "a UUID",
}


_EXPECTED = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_PATH = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")
_BYTE = re.compile(r"\(byte (\d+)\)$")


def worded(message: str, where: str = "") -> str:
    """One sentence from the parser's message, which may hold a value where a tag or an enum is wrong.

    where: path of what was parsed in the body; empty for the body itself.
    """
    path_match = _PATH.search(message)
    path = ".".join(part for part in (where, path_match.group(1).lstrip(".") if path_match else "") if part)
    place = path or "The body"
    if wrong := _EXPECTED.match(message):
        expected = " or ".join(_KINDS.get(x.strip(), x.strip()) for x in wrong.group(1).split("|"))
        return f"{place} must be {expected}, got {_KINDS.get(wrong.group(2), wrong.group(2))}."
    if missing := _MISSING.match(message):
        return f"{place} lacks the required member {missing.group(1)}."
    if path.endswith("resourceType"):
        return f"{place} must be the name of a resource type of FHIR R4."
    if "UUID" in message:
        return f"{place} must be a UUID."
    if "out of range" in message:
        return f"{place} must be a number that a computer can hold."
    return f"{place} is not of the expected type."


def position(message: str) -> str:
    """Where malformed JSON ends to be JSON, from the parser's message; empty if it does not say."""
    found = _BYTE.search(message)
    return f" (byte {found.group(1)})" if found else ""
