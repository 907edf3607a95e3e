"""A record, calls and forms in which every field that could tell who somebody is holds a word of its own."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterable
from typing import Any

Json = Any

_KEPT = frozenset(
    {"resourceType", "system", "code", "unit", "status", "intent", "use", "gender", "contentType", "language", "url"}
    | {"type", "data", "reference", "priority", "comparator", "mode", "criticality"}
)
_DATED = re.compile(r"\d{4}(-\d\d)?")


class Canaries:
    """Makes words that occur nowhere else, and finds them again."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def word(self, field: str) -> str:
        """A new word for a field; the same field gets another one each time."""
        number, letters = len(self.fields), ""
        for _ in range(4):
            number, letter = divmod(number, 16)
            letters += "abcdefghijklmnop"[letter]
        word = f"Quizzle{letters}wick"
        self.fields[word] = field
        return word

    def found(self, text: str | bytes, but: Iterable[str] = ()) -> set[str]:
        """The fields whose words a text holds, whatever their case. but: beginnings of fields that may."""
        plain = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).lower()
        held = {self.fields[one.capitalize()] for one in re.findall(r"quizzle[a-p]{4}wick", plain)}
        return {field for field in held if not field.startswith(tuple(but))}


def marked(bundle: Json, words: Canaries) -> Json:
    """A sample's bundle in which ids, names, narrative and all free text hold such words; codes and numbers stay."""
    made = copy.deepcopy(bundle)
    ids: dict[str, str] = {}
    for entry in made["entry"]:
        row = entry["resource"]
        ids[f"{row['resourceType']}/{row['id']}"] = f"{row['resourceType']}/{words.word('id ' + row['resourceType'])}"
    for entry in made["entry"]:
        row = entry["resource"]
        whole = f"{row['resourceType']}/{row['id']}"
        marked_row = _marked(row, words, row["resourceType"], ids)
        marked_row["id"] = ids[whole].partition("/")[2]
        entry["resource"] = marked_row | _added(row["resourceType"], words)
        entry["fullUrl"] = f"https://ehr.example.org/fhir/{ids[whole]}"
        _in_documents(entry["resource"], words)
    return made


def _marked(value: Json, words: Canaries, path: str, ids: dict[str, str]) -> Json:
    if isinstance(value, dict):
        return {name: _member(name, one, words, f"{path}.{name}", ids) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, words, path, ids) for one in value]
    return value


def _member(name: str, value: Json, words: Canaries, path: str, ids: dict[str, str]) -> Json:
    if name == "reference":
        return ids.get(value, value)
    if isinstance(value, str) and name not in _KEPT and not _DATED.match(value):
        return f"{value} {words.word(path)}"
    return _marked(value, words, path, ids)


def _added(kind: str, words: Canaries) -> Json:
    """What samples lack and records of hospitals have."""

    def word(field: str) -> str:
        return words.word(f"{kind}.{field}")

    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{word("text.div")}</div>'
    extension = [{"url": f"https://ehr.example/{word('extension.url')}", "valueString": word("extension.valueString")}]
    whom = {"reference": f"Practitioner/{word('who.reference')}", "display": word("who.display")}
    both: Json = {"text": {"status": "generated", "div": div}, "extension": extension}
    if kind != "Patient":
        business = {"system": f"https://ehr.example/{word('identifier.system')}", "value": word("identifier.value")}
        note = {"text": word("note.text"), "authorString": word("note.authorString")}
        who = "author" if kind == "DocumentReference" else "performer" if kind == "Observation" else "recorder"
        return both | {"identifier": [business], "note": [note], who: [whom] if who != "recorder" else whom}
    return both | {
        "name": [{"family": word("name.family"), "given": [word("name.given")], "text": word("name.text")}],
        "telecom": [{"system": "phone", "value": f"+1 555 {word('telecom')}"}],
        "address": [{"line": [word("address.line")], "city": word("address.city"), "postalCode": word("address.code")}],
        "contact": [{"name": {"text": word("contact.name")}, "telecom": [{"value": word("contact.telecom")}]}],
        "identifier": [{"system": "https://ehr.example.org/mrn", "value": word("identifier.value")}],
        "photo": [{"url": f"https://ehr.example/{word('photo.url')}", "title": word("photo.title")}],
        "generalPractitioner": [whom],
        "managingOrganization": {"display": word("managingOrganization")},
    }


def _in_documents(row: Json, words: Canaries) -> None:
    """A word into each text that is attached as base64."""
    for content in row.get("content", ()):
        attachment = content["attachment"]
        if "data" in attachment and attachment["contentType"].startswith("text/"):
            text = base64.b64decode(attachment["data"]).decode() + f"\nSeen with {words.word('note itself')}.\n"
            attachment["data"] = base64.b64encode(text.encode()).decode()
            attachment.pop("size", None)
            attachment.pop("hash", None)
