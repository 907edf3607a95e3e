"""Precision oncology at patient-view: what evidence says of a tumour's variants in the patient's own cancer.

Options for treatment, resistance, prognosis and diagnosis, each by its level of evidence; what speaks against stands
beside what speaks for. An option is named only on level A or B in the same disease or in one above it. Variants that
could not be read or matched are listed. Nothing is ordered: such treatments are chosen at a tumour board.

Sources: the rows of the knowledge graph (docs/knowledge.md), each with its own citation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from cds_service.api import (
    Case,
    Citation,
    EvidenceFinding,
    Finding,
    Message,
    Reason,
    Service,
    Severity,
    Topic,
    catalogue,
    current_problems,
    evidence_step,
    genetics,
    inside,
    msg,
    override_reason,
    published,
    safety,
    tumours,
    variants,
)

MOST_NAMED = 3  # treatments in one headline
MOST_ROWS = 3  # rows of one direction that are shown of a treatment
MOST_REGIMENS = 8
SOURCE = Citation("Curbside's knowledge base", "https://civicdb.org/")
BOARD = msg("Confirm diagnosis, approval and line of treatment; discuss at a molecular tumour board.")
_OUTCOMES = {"poor outcome": msg("poor outcome"), "better outcome": msg("better outcome")}
TYPE_TO_CONFIRM = msg("The evidence is for a type of this cancer that the record does not state: confirm the type.")


def find(case: Case) -> tuple[Finding, ...]:
    """One finding a variant and cancer; resistance to what is taken; what was not judged."""
    reported = variants.variants(case.context.record, case.knowledge.graph)
    if not reported:
        return ()
    present = current_problems(case.context.record, tumours.now_present(case.knowledge.terms.conditions))
    cancers = tumours.cancers(case.knowledge, present)
    found: list[Finding] = []
    unmatched: list[tuple[variants.Variant, Message]] = []
    for variant in reported:
        nodes = tumours.known(case.knowledge, variant)
        if variant.unclear is not None or not nodes:
            unmatched.append((variant, variant.unclear or msg("no evidence on it is known here")))
            continue
        judged = [tumours.judge(case.knowledge, variant, nodes, cancer) for cancer in cancers]
        spoken = [one for one in judged if one.regimens or one.outlook or one.diagnosis]
        if not spoken:
            unmatched.append((variant, _why_silent(case, cancers)))
        for one in spoken:
            found += [told(case, one), *taken(case, one)]
    return (*sorted(found, key=lambda f: -f.severity), *unresolved(unmatched, alone=not found, cancers=cancers))


def _why_silent(case: Case, cancers: Sequence[tumours.Cancer]) -> Message:
    if cancers:
        return msg("no evidence on it in this cancer is known here")
    unusable = case.values.unusable([catalogue.CANCER])
    if unusable and unusable[0].reason is Reason.NO_LIST:
        return msg("there is no problem list to read the cancer from")
    return msg("no cancer that is known here is on the problem list")


def told(case: Case, judged: tumours.Judged) -> EvidenceFinding:
    """What the evidence says of one variant in one cancer."""
    disease = inside(case.knowledge.name(judged.cancer.node))
    options = [r for r in judged.regimens if r.verdict == "option"]
    bad = [r for r in judged.regimens if r.verdict == "resistance"]
    lead = msg("{variant} in {disease}", variant=judged.variant.said, disease=msg(disease))
    top = (options or bad or list(judged.regimens))[:1]
    row = _leading(top[0]) if top else next(iter((*judged.outlook, *judged.diagnosis)))
    return EvidenceFinding(
        key=f"precision-oncology/{_key(judged)}",
        severity=Severity.INFO,
        headline=_headline(lead, options, bad, judged),
        short_headline=_short(lead, options),
        advice=_advice(judged, row),
        advice_source=Citation(row.citation, row.url),
        path=tuple(path(case, judged)),
    )


def _headline(
    lead: Message, options: Sequence[tumours.Regimen], bad: Sequence[tumours.Regimen], judged: tumours.Judged
) -> Message:
    no = (
        msg("{drugs}: resistance or lack of effect (evidence {level})", drugs=_listed(bad), level=bad[0].level)
        if bad
        else None
    )
    if options:
        yes = msg("{lead}: {drugs} (evidence {level})", lead=lead, drugs=_listed(options), level=options[0].level)
        return msg("{yes}; {no}", yes=yes, no=no) if no is not None else yes
    if no is not None:
        return msg("{lead}: {no}", lead=lead, no=no)
    if any(r.verdict == "conflict" for r in judged.regimens):
        return msg("{lead}: the evidence conflicts, no treatment follows from it", lead=lead)
    if judged.regimens:
        return msg("{lead}: only cases or preclinical evidence, no treatment follows from it", lead=lead)
    return msg("{lead}: evidence on prognosis or diagnosis", lead=lead)


def _short(lead: Message, options: Sequence[tumours.Regimen]) -> Message:
    if not options:
        return msg("{lead}: evidence on treatment", lead=lead)
    return msg("{lead}: {drugs} and others (evidence {level})", lead=lead, drugs=_drugs(options[0]),
               level=options[0].level)  # fmt: skip


def _listed(regimens: Sequence[tumours.Regimen]) -> Message:
    """The first treatments in words: those of the best level only."""
    best = [r for r in regimens if r.level == regimens[0].level][:MOST_NAMED]
    return _joined([_drugs(r) for r in best], msg("{first}; {rest}"))


def _drugs(regimen: tumours.Regimen) -> Message:
    return _joined([msg(name) for name in regimen.drugs], msg("{first} + {rest}"))


def _joined(parts: Sequence[Message], by: Message) -> Message:
    """Parts as one message, so that each is said in the reader's language."""
    return parts[0] if len(parts) == 1 else Message(by.text, {"first": parts[0], "rest": _joined(parts[1:], by)})


def _leading(regimen: tumours.Regimen) -> safety.Evidence:
    return (regimen.against if regimen.verdict == "resistance" else regimen.supporting or regimen.against)[0]


def _advice(judged: tumours.Judged, row: safety.Evidence) -> Message:
    board = msg("{what}", what=msg(row.management)) if row.management else BOARD
    if any(r.match == "confirm" for r in judged.regimens if r.verdict in ("option", "resistance")):
        return msg("{confirm} {board}", confirm=TYPE_TO_CONFIRM, board=board)
    return board


def path(case: Case, judged: tumours.Judged) -> Iterable[tuple[Message, str]]:
    """From the report over the diagnosis to each row and its publication; what speaks against is marked."""
    yield msg("Reported: {variant}", variant=judged.variant.said), ", ".join(judged.variant.references)
    diagnosis = msg("On the problem list: {disease}", disease=msg(case.knowledge.name(judged.cancer.node)))
    yield diagnosis, ", ".join(judged.cancer.fact.sources)
    for regimen in judged.regimens[:MOST_REGIMENS]:
        yield from _regimen_steps(case, regimen)
    for lead, rows in ((msg("Prognosis: {says}"), judged.outlook), (msg("Diagnosis: {says}"), judged.diagnosis)):
        for row in rows[:MOST_ROWS]:
            says = _says(row)
            yield evidence_step(case, msg(lead.text, says=says), row)
    left = judged.unused + sum(
        len(r.supporting) + len(r.against) for r in judged.regimens[MOST_REGIMENS:]
    )  # fmt: skip
    if left:
        words = msg("{count} further rows, of other diseases or of weaker evidence, are not shown", count=left)
        if left == 1:
            words = msg("One further row, of another disease or of weaker evidence, is not shown")
        yield words, judged.node


def _regimen_steps(case: Case, regimen: tumours.Regimen) -> Iterable[tuple[Message, str]]:
    weak = regimen.verdict == "weak"
    lead = msg("For {drugs}, too weak to follow") if weak else msg("For {drugs}")
    for words, rows in ((lead, regimen.supporting), (msg("Against {drugs}"), regimen.against)):
        for row in rows[:MOST_ROWS]:
            yield evidence_step(case, msg(words.text, drugs=_drugs(regimen)), row)


def _says(row: safety.Evidence) -> Message:
    stated = str(row.properties.get("significance", "")).lower()
    significance = _OUTCOMES.get(stated, msg("{what}", what=stated))
    return significance if row.direction == "supports" else msg("not {what}", what=significance)


def taken(case: Case, judged: tumours.Judged) -> Iterable[Finding]:
    """A medicine on the list to which the tumour is resistant."""
    resisted = {r.drugs[0]: r for r in judged.regimens if r.verdict == "resistance" and len(r.drugs) == 1}
    if not resisted:
        return
    helped = {frozenset(r.drugs) for r in judged.regimens if r.verdict == "option"}
    current = {case.knowledge.name(n): e for e in safety.medicines(case.context, case.knowledge.terms).current
               for n in e.nodes}  # fmt: skip
    for name, exposure in current.items():
        regimen = resisted.get(name.lower())
        if regimen is None or any(name.lower() in drugs and drugs <= set(current) for drugs in helped):
            continue
        row = regimen.against[0]
        yield EvidenceFinding(
            key=f"precision-oncology/resistance/{_key(judged)}/{exposure.reference.partition('/')[2] and name}",
            severity=Severity.WARNING,
            headline=msg(
                "{drug} is taken; resistance or lack of effect with {variant} (evidence {level})",
                drug=msg(name.capitalize()), variant=judged.variant.said, level=regimen.level,
            ),
            advice=_advice(judged, row),
            advice_source=Citation(row.citation, row.url),
            path=(
                (msg("Taken: {words}", words=exposure.words), exposure.reference),
                (msg("Reported: {variant}", variant=judged.variant.said), ", ".join(judged.variant.references)),
                *_regimen_steps(case, regimen),
            ),
        )  # fmt: skip


def unresolved(
    left: Sequence[tuple[variants.Variant, Message]], *, alone: bool, cancers: Sequence[tumours.Cancer]
) -> tuple[Finding, ...]:
    """Variants that were not judged, each with the reason; a card of its own only where nothing else is said."""
    if not left:
        return ()
    somatic = [v for v, _ in left if not v.germline]
    words = published.enumerated([v.said for v, _ in left[:MOST_NAMED]])
    many = msg("{count} genetic results were not judged", count=len(left))
    digest = hashlib.sha256("|".join(sorted(v.words for v, _ in left)).encode()).hexdigest()[:12]
    finding = EvidenceFinding(
        key=f"precision-oncology/unresolved/{digest}",
        severity=Severity.INFO,
        headline=msg("Not judged: {variants}", variants=words) if len(left) <= MOST_NAMED else many,
        short_headline=many,
        advice=msg("Look these up by hand; that nothing is said of them means nothing."),
        advice_source=SOURCE,
        quiet=not (alone and (cancers or somatic)),
        path=tuple((msg("{variant}: {why}", variant=v.said, why=why), ", ".join(v.references)) for v, why in left),
    )
    return (finding,)


def _key(judged: tumours.Judged) -> str:
    name = "-".join(judged.variant.words.lower().replace("*", "ter").split())
    return f"{name}/{judged.cancer.node.partition(':')[2]}"


service = Service(
    id="precision-oncology",
    hook="patient-view",
    title=msg("Precision oncology"),
    description=msg(
        "What evidence says of a tumour's variants in the patient's cancer: treatments, resistance, prognosis and "
        "diagnosis by level, with what speaks against; variants that were not recognised."
    ),
    models=(),
    features=(genetics.VARIANT_REPORTS, catalogue.CANCER),
    find=find,
    source=SOURCE,
    topic=Topic("http://snomed.info/sct", "106221001", "Genetic finding"),
    summary=("problem", "medication", "result", "allergy"),
    reasons=(override_reason("prefers-alternative", "Patient prefers an alternative approach or treatment"),),
    knowledge=True,
    apart=True,
)
