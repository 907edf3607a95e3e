"""Whether a medicine acts where it is put: by the form that its name tells, by the route of its order, by nature.

An eye drop, a cream or a catheter lock meets no other medicine and no kidney. Some that are put somewhere act in the
whole body nevertheless (a beta blocker in the eye, a nitrate ointment, a nasal triptan), and one that is swallowed
stays in the gut (vancomycin). A patch is made to be absorbed.

Sources: the medicines' United States labels. Routes: SNOMED CT (docs/evidence/codes.md) or their words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from cds_service.features import chinese_names
from cds_service.features.medicines import LOCAL_FORMS
from cds_service.fhir.codes import SNOMED, codings, label
from cds_service.fhir.resources import Dosage

_WORD = re.compile(r"[a-z]{3,}")
_BY_MOUTH = "26643006"
_LOCAL_ROUTES = frozenset({
    "6064005",  # topical
    "448598008",  # cutaneous
    "54485002",  # of the eye
    "10547007",  # of the ear
    "46713006",  # of the nose
    "16857009",  # vaginal
})  # fmt: skip
_SWALLOWED = frozenset({"oral", "orally", "mouth", "capsule", "capsules", "tablet", "tablets"})
_MADE_TO_BE_ABSORBED = frozenset({"patch", "patches", "transdermal", "tts"})
# Put on the skin or a mucous membrane, and yet active in the whole body: names, and RxNorm ingredients where known.
_EVERYWHERE = frozenset({
    "timolol", "betaxolol", "levobunolol", "carteolol", "miconazole", "nitroglycerin", "testosterone", "fentanyl",
    "sumatriptan", "zolmitriptan", "desmopressin", "calcitonin", "naloxone", "midazolam", "diazepam", "ketamine",
    "esketamine", "butorphanol", "dihydroergotamine", "glucagon", "etonogestrel",
})  # fmt: skip
_EVERYWHERE_CODES = frozenset({
    "10600", "1520", "6932", "4917", "10379", "4337", "37418", "135775", "3251", "7242", "6960", "3322", "1841", "3418",
    "14584",
})  # fmt: skip
_IN_THE_GUT = {"vancomycin": "11124"}


def is_local(codes: Collection[str], texts: Sequence[str], dosages: Iterable[Dosage] = ()) -> bool:
    """True if a medicine is put on the skin, into the eye, the ear, the nose or the vagina, or stays in the gut.

    codes: RxNorm; texts: its names as recorded; dosages: of its order, for their routes.
    """
    words = _words(texts)
    if words & _MADE_TO_BE_ABSORBED:
        return False
    routes = [dosage.route for dosage in dosages if dosage.route is not None]
    codes_of_routes = {code for system, code in codings(routes) if system == SNOMED}
    by_route = [text for text in map(label, routes) if text]
    if codes_of_routes & _LOCAL_ROUTES or _has_local_form(words | _words(by_route), (*texts, *by_route)):
        return True
    swallowed = _BY_MOUTH in codes_of_routes or bool((words | _words(by_route)) & _SWALLOWED)
    return swallowed and any(name in words or code in codes for name, code in _IN_THE_GUT.items())


def acts_everywhere(codes: Collection[str], texts: Sequence[str]) -> bool:
    """True if a medicine acts in the whole body wherever it is put."""
    meant = {name for text in texts if chinese_names.is_chinese(text) for name in chinese_names.meant(text)}
    return not _EVERYWHERE_CODES.isdisjoint(codes) or not (_words(texts) | meant).isdisjoint(_EVERYWHERE)


def _has_local_form(words: Collection[str], texts: Iterable[str]) -> bool:
    if not LOCAL_FORMS.isdisjoint(words) or ("gel" in words and "oral" not in words):
        return True
    return any(chinese_names.is_chinese(text) and chinese_names.is_local(text) for text in texts)


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text.lower())}
