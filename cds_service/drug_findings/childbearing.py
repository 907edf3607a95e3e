"""A medicine that harms an unborn child, for who may become pregnant: to be excluded before it is given.

Only for rows that ask for it (`before` in `contraindications.tsv`): their labels want pregnancy excluded or prevented.
A pregnancy on record has its own, loud finding; a menopause, a sterilisation or a removed uterus on the problem list
ends the question.
"""

from __future__ import annotations

from cds_service.drug_findings.steps import capital, ordered, row_steps
from cds_service.features import catalogue
from cds_service.features.feature import ConditionFeature
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import msg
from cds_service.risk import published
from cds_service.risk.model import Citation

AGES = (12, 50)  # completed years in which it is asked
PREGNANCY = "disease:pregnancy"
NO_MORE = ConditionFeature(
    id="cannot_become_pregnant",
    label=msg("Menopause, sterilisation or removed uterus"),
    snomed=(),
    icd10=("N95", "Z78.0", "Z90.71", "Z98.51", "E28.3"),
    ever=True,
)


def childbearing(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """That pregnancy is to be excluded first; one finding a draft."""
    age, sex = case.values.usable(catalogue.AGE), case.values.text(catalogue.SEX)
    if age is None or sex != "female" or not AGES[0] <= published.whole_years(age) <= AGES[1]:
        return ()
    if case.values.flag(catalogue.PREGNANCY) or case.values.flag(NO_MORE):
        return ()
    for row in safety.before_pregnancy(case.knowledge, draft):
        drug = capital(case.knowledge.name(draft.nodes[0]))
        shown = {"drug": drug, "age": published.in_words(age)}
        finding = EvidenceFinding(
            key=f"drug-safety/childbearing/{draft.nodes[0].partition(':')[2]}",
            severity=Severity.INFO,
            headline=msg("{drug}, female of {age}: exclude pregnancy first. {why}", why=msg(row.statement), **shown),
            short_headline=msg("{drug}, female of {age}: exclude pregnancy first", **shown),
            advice=msg("Exclude pregnancy, and agree on contraception, before the first dose."),
            advice_source=Citation(row.citation, row.url),
            path=(ordered(case, draft), (msg("On record: {what}", what=age.feature.label), ", ".join(age.sources)),
                  *row_steps(case, row)),
        )  # fmt: skip
        return (finding,)
    return ()
