"""What a summary may never leave out: everywhere, and at each hook."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.summary.facts import ADVERSE_EVENT, ALLERGY, CODE_STATUS, CONTRADICTION, DEVICE, PLAN, Fact

ANTICOAGULANT = "anticoagulant"
PREGNANCY = "pregnancy"
TOP_REASON = "top-reason"  # an estimate rests on it first of all
HOME_MEDICINE = "home-medicine"
BASELINE = "baseline"  # creatinine and haemoglobin before this stay
INFECTION = "infection"
DRAFT = "draft"
EGFR = "egfr"
POTASSIUM = "potassium"
QTC = "qtc"
WEIGHT = "weight"
CHANGED_MEDICINE = "changed-medicine"
PENDING = "pending"
FOLLOW_UP = "follow-up"
LAST_VITALS = "last-vitals"
NEW = "new-since-last-visit"
OVERDUE = "overdue"

ORDER_HOOKS = ("order-select", "order-sign", "medication-refill", "medication-verify")
_ALWAYS_KINDS = frozenset({ALLERGY, CODE_STATUS, CONTRADICTION})
_ALWAYS = frozenset({ANTICOAGULANT, PREGNANCY, TOP_REASON})
_ORDERS = frozenset({DRAFT, EGFR, POTASSIUM, QTC, WEIGHT})
_AT_ORDERS = (frozenset({ADVERSE_EVENT}), _ORDERS)
_BY_HOOK: dict[str, tuple[frozenset[str], frozenset[str]]] = {  # kinds, tags
    "encounter-start": (frozenset({DEVICE}), frozenset({HOME_MEDICINE, BASELINE, INFECTION})),
    **dict.fromkeys(ORDER_HOOKS, _AT_ORDERS),
    "encounter-discharge": (frozenset({PLAN}), frozenset({CHANGED_MEDICINE, PENDING, FOLLOW_UP, LAST_VITALS})),
    "patient-view": (frozenset(), frozenset({NEW, OVERDUE})),
}


def must_have(facts: Iterable[Fact], hook: str) -> tuple[Fact, ...]:
    """The facts that no summary at this hook may lose, in their order. An unknown hook has the general ones."""
    kinds, tags = _BY_HOOK.get(hook, (frozenset(), frozenset()))
    return tuple(
        fact
        for fact in facts
        if fact.critical or fact.kind in _ALWAYS_KINDS | kinds or not fact.tags.isdisjoint(_ALWAYS | tags)
    )
