"""Pharmacogenomics at order-select and order-sign: drafted medicines against the genes on record.

A finding for each drug and gene, with every source that speaks of them. Results that could not be understood are said
where the draft's medicine depends on that gene, and so are results that disagree. For the few medicines whose labels
ask for a test before the first dose, a missing result is said. What a condition on the problem list says already
(G6PD deficiency, malignant hyperthermia) is left to `drug-safety`, so that one matter is shown once.

Sources: the rows of the knowledge graph (docs/knowledge.md), each with its own citation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_service.api import (
    Case,
    Citation,
    EvidenceFinding,
    Finding,
    Message,
    Proposal,
    Service,
    Severity,
    Topic,
    current_problems,
    evidence_step,
    genetics,
    genotypes,
    msg,
    override_reason,
    pharmacogenes,
    published,
    safety,
)

URGENCY = {"critical": Severity.CRITICAL, "warning": Severity.WARNING, "info": Severity.INFO}
SOURCE = Citation("CPIC guidelines", "https://cpicpgx.org/guidelines/")
LABEL = "https://dailymed.nlm.nih.gov/dailymed/search.cfm?labeltype=human&query="
TEST_FIRST = {"drug:abacavir": "HLA-B", "drug:siponimod": "CYP2C9", "drug:rasburicase": "G6PD"}  # by their US labels
ON_THE_LIST = {
    "G6PD": "disease:g6pd-deficiency",
    "RYR1": "disease:malignant-hyperthermia",
    "CACNA1S": "disease:malignant-hyperthermia",
}


def find(case: Case) -> tuple[Finding, ...]:
    """What genes change about the drafts, the most severe first; then what could not be judged."""
    known = safety.medicines(case.context, case.knowledge.terms)
    chosen = [d for d in known.drafts if not case.context.selected or d.reference in case.context.selected]
    chosen = [d for d in chosen if d.nodes and not d.local]
    if not chosen:
        return ()
    results = genotypes.genotypes(case.context.record)
    found = [f for draft in chosen for hit in pharmacogenes.hits(case.knowledge, draft.nodes, results)
             if not _on_the_list(case, hit) for f in told(case, draft, hit)]  # fmt: skip
    taken = {node for exposure in known.current for node in exposure.nodes}
    rest = [f for draft in chosen for f in unjudged(case, draft, results, taken)]
    unique = {f.key: f for f in (*sorted(found, key=lambda f: -f.severity), *rest)}
    return tuple(unique.values())


def _on_the_list(case: Case, hit: pharmacogenes.GeneHit) -> bool:
    """True if the problem list says it too, and `drug-safety` has a row for that condition."""
    above = case.knowledge.terms.above(hit.node)
    rows = case.knowledge.graph.evidence(above, "contraindicated-in", [ON_THE_LIST.get(hit.gene, "")])
    return bool(rows) and _is_listed(case, hit.gene)


def _is_listed(case: Case, gene: str) -> bool:
    """True if the problem list holds the condition that the gene causes."""
    node = ON_THE_LIST.get(gene)
    return node is not None and current_problems(case.context.record, case.knowledge.terms.conditions)(node) is not None


def told(case: Case, draft: safety.Exposure, hit: pharmacogenes.GeneHit) -> Iterable[Finding]:
    """The finding of one drug and gene, or none where the site wants none of its severity."""
    severity = URGENCY.get(case.knowledge.policy.urgency(hit.rows))
    if severity is None:
        return
    drug, row = _name(case, hit.node), hit.rows[0]
    phenotypes = dict.fromkeys(result.phenotypes[0] for result in hit.results)
    shown = " / ".join(phenotypes)
    headline = msg("{drug}: {gene} {phenotype}", drug=msg(drug), gene=hit.gene, phenotype=msg(shown))
    advice = msg("{what}", what=msg(row.management))
    if row.alternatives:
        others = published.enumerated([msg(case.knowledge.name(n)) for n in row.alternatives])
        advice = msg("{what} Alternatives: {others}.", what=msg(row.management), others=others)
    if len(phenotypes) > 1:
        advice = msg("Results disagree: clarify which is right. {advice}", advice=advice)
    steps = [(msg("Draft order: {words}", words=draft.words or drug), draft.reference)]
    steps += [(_shown(result), result.reference) for result in hit.results]
    yield EvidenceFinding(
        key=f"pharmacogenomics/{hit.node.partition(':')[2]}/{hit.gene.lower()}",
        severity=severity,
        headline=msg("{headline}. {why}", headline=headline, why=msg(row.statement)),
        short_headline=headline,
        advice=advice,
        advice_source=Citation(row.citation, row.url),
        proposals=_removal(draft, drug) if row.severity == "contraindicated" else (),
        path=(
            *steps,
            *(evidence_step(case, msg("{drug} and {gene}", drug=msg(drug), gene=hit.gene), r) for r in hit.rows),
        ),
    )


def _shown(result: genotypes.Genotype) -> Message:
    if result.effective is None:
        return msg("Reported: {words}", words=result.words)
    return msg("Reported: {words}, {date}", words=result.words, date=result.effective.date())


def _removal(draft: safety.Exposure, drug: str) -> tuple[Proposal, ...]:
    if not draft.reference.partition("/")[2]:
        return ()
    removal = Proposal(
        key=f"pharmacogenomics/remove/{draft.reference}",
        label=msg("Remove the draft order of {medicine}", medicine=msg(drug)),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=draft.reference,
    )
    return (removal,)


def unjudged(
    case: Case, draft: safety.Exposure, results: Sequence[genotypes.Genotype], taken: set[str]
) -> Iterable[Finding]:
    """Results that were not understood, for genes that matter to the draft; tests that its label asks for first."""
    genes = pharmacogenes.genes_of(case.knowledge, draft.nodes)
    drug = _name(case, draft.nodes[0])
    odd = [r for r in results if r.gene in genes and r.unclear is not None]
    clear = {r.gene for r in results if r.unclear is None}
    odd = [r for r in odd if r.gene not in clear]
    if odd:
        names = published.enumerated([msg("{gene}", gene=g) for g in dict.fromkeys(r.gene for r in odd)])
        yield EvidenceFinding(
            key=f"pharmacogenomics/{draft.nodes[0].partition(':')[2]}/unclear",
            severity=Severity.INFO,
            headline=msg(
                "{drug}: a result of {genes} is on record but was not understood", drug=msg(drug), genes=names
            ),
            short_headline=msg("{drug}: a genetic result was not understood", drug=msg(drug)),
            advice=msg("Read the report: it may ask for another medicine or dose."),
            advice_source=SOURCE,
            path=tuple((msg("{words}: {why}", words=r.words, why=r.unclear or ""), r.reference) for r in odd),
        )
    for node in draft.nodes:
        gene = TEST_FIRST.get(node)
        if gene is None or node in taken or any(r.gene == gene for r in results) or _is_listed(case, gene):
            continue
        name = case.knowledge.name(node)
        yield EvidenceFinding(
            key=f"pharmacogenomics/{name}/test-first",
            severity=Severity.INFO,
            headline=msg("{drug}: no result of {gene} on record", drug=msg(name.capitalize()), gene=gene),
            advice=msg("The label asks for the test before the first dose."),
            advice_source=Citation(f"US prescribing information: {name} (DailyMed)", LABEL + name),
            path=((msg("Draft order: {words}", words=draft.words or name), draft.reference),),
        )


def _name(case: Case, node: str) -> str:
    name = case.knowledge.name(node)
    return name[:1].upper() + name[1:]


def _service(id_: str, hook: str, title: Message) -> Service:
    return Service(
        id=id_,
        hook=hook,
        title=title,
        description=msg(
            "Drafted medicines against the genotypes and phenotypes on record, with what to do instead; results that "
            "were not understood, and tests that a label asks for before the first dose."
        ),
        models=(),
        features=(genetics.GENE_RESULTS,),
        find=find,
        source=SOURCE,
        topic=Topic("http://snomed.info/sct", "106221001", "Genetic finding"),
        summary=("allergy", "medication", "problem"),
        reasons=(override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),),
        knowledge=True,
        apart=True,
    )


sign = _service("pharmacogenomics", "order-sign", msg("Pharmacogenomics"))
select = _service("pharmacogenomics-select", "order-select", msg("Pharmacogenomics while ordering"))
