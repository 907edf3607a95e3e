"""What may be done with a draft that endangers: changed to an alternative that is itself clear, or removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from cds_service.drug_findings.limits import values
from cds_service.drug_findings.steps import VERIFY, WORDS
from cds_service.features.conditions_on_record import current_problems
from cds_service.findings import Proposal
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import msg
from cds_service.orders import propose_medicine

MOST_ALTERNATIVES = 2
GRAVE = frozenset({"contraindicated", "major"})
OPIOID = "class:opioid"
IN_TURN = frozenset({"contraindicated"})


def proposals(case: Case, hit: safety.Hit, known: safety.Medicines) -> tuple[Proposal, ...]:
    """Change the draft to an alternative that is itself clear, or remove it.

    Where caution is asked for, such as a test, removal is not offered: the two medicines may belong together, as those
    do of which one takes over from the other. Nor at medication-verify, where the order is signed already.
    """
    number = hit.draft.reference.partition("/")[2]
    if not number or (hit.kind == "duplicate" and not hit.rows) or case.context.hook == VERIFY:
        return ()
    found = [change for node in _alternatives(case, hit, known) for change in _change(case, hit, node)]
    if hit.rows and hit.rows[0].severity not in (IN_TURN if hit.in_turn else GRAVE):
        return tuple(found)
    name = case.knowledge.name(hit.node)
    removal = Proposal(
        key=f"drug-safety/remove/{hit.draft.reference}",
        label=msg("Remove the draft order of {medicine}", medicine=msg(name)),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=hit.draft.reference,
        secondary=bool(found) or hit.held or _aims_at_the_other(case, hit),
    )
    return (*found, removal)


def _aims_at_the_other(case: Case, hit: safety.Hit) -> bool:
    """True if the row speaks of stopping or avoiding what is taken already, and not of the draft."""
    if hit.kind != "interaction" or not hit.rows:
        return False
    text = hit.rows[0].management.lower()
    ours, theirs = (
        {
            word
            for n in case.knowledge.terms.above(node)
            for word in (case.knowledge.name(n).lower().removesuffix("s"), n.partition(":")[2].replace("-", " "))
        }
        for node in (hit.node, hit.other)
    )
    return any(name in text for name in theirs - ours) and not any(name in text for name in ours - theirs)


def _change(case: Case, hit: safety.Hit, node: str) -> Iterable[Proposal]:
    name, old = case.knowledge.name(node), case.knowledge.name(hit.node)
    reason = msg("In place of {old}: {grade}", old=msg(old), grade=WORDS[hit.rows[0].severity])
    yield Proposal(
        key=f"drug-safety/change/{hit.draft.reference}/{node}",
        label=msg("Change {old} to {new}", old=msg(old), new=msg(name)),
        description=msg("Drafts {new} without a dose, for a clinician to complete and sign", new=msg(name)),
        resource=propose_medicine(case.context, name, case.knowledge.rxcui(node), str(reason)),
        replaces=hit.draft.reference,
        said=(msg(name), reason),
    )


def _alternatives(case: Case, hit: safety.Hit, known: safety.Medicines) -> Sequence[str]:
    """Drugs that take the draft's place: of its own class where two drugs meet, and with no serious finding."""
    if not hit.rows or hit.draft.absorbed or not case.context.hook.startswith("order-"):
        return ()  # what a row offers instead is swallowed
    kin = case.knowledge.terms.above(hit.node) - {hit.node}
    offered = [n for n in hit.rows[0].alternatives if n.startswith("drug:") and n != hit.node]
    # From one opioid to another the dose is converted, with care: no button drafts that.
    offered = [n for n in offered if OPIOID not in case.knowledge.terms.above(n)]
    if hit.kind in ("interaction", "duplicate"):
        rival = case.knowledge.terms.above(hit.other)
        offered = [n for n in offered if kin & case.knowledge.terms.above(n) - rival]
    if not offered:
        return ()
    present, value = current_problems(case.context.record, case.knowledge.terms.conditions), values(case)
    clear = (n for n in offered if safety.is_clear(case.knowledge, n, hit.draft, known, present, value))
    return list(islice(clear, MOST_ALTERNATIVES))
