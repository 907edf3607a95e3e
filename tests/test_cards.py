"""One card a service: what to know first, why, what is missing, what to do, from which sources."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards import MAX_SUMMARY, OVERRIDE_REASONS, compose
from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.features.feature import Absence, ConditionFeature, FeatureValue, Quantity, Reason, Unusable
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, Proposal, RiskFinding, Severity
from cds_service.hook import Service, Topic
from cds_service.language import ENGLISH, msg
from cds_service.protocol.response import HookResponse
from cds_service.risk.model import (
    Band,
    Citation,
    EstimateKind,
    NotEstimated,
    PublishedScore,
    Refusal,
    RiskEstimate,
)
from cds_service.risk.wording import estimate_words
from cds_service.summary.facts import Fact
from cds_service.summary.template import Summary

ASSESSMENT = UUID("11111111-2222-5333-8444-555555555555")
DAY = datetime(2026, 5, 6, 8, 30, tzinfo=UTC)
CITATION = Citation("Khan SS et al. Circulation 2024;149:430", "https://doi.org/10.1161/x")
SERVICE = Service(
    id="cardiovascular-risk",
    hook="patient-view",
    title=msg("Cardiovascular risk"),
    description=msg("Risk"),
    models=("prevent",),
    find=lambda case: (),
    source=Citation("Curbside", "https://example.org/curbside"),
    topic=Topic("http://snomed.info/sct", "49601007", "Disorder of cardiovascular system"),
    summary=("problem",),
)
SBP = Quantity("sbp", msg("Systolic pressure"), "mm[Hg]", ("8480-6",), (40, 300), None, "vital-signs")
HDL = Quantity("hdl", msg("HDL cholesterol"), "mg/dL", ("2085-9",), (3, 250), None, "laboratory")
CKD = ConditionFeature("ckd", msg("CKD"), (), (), absence=Absence.NO_IF_LISTED)
MODEL = PublishedScore(
    id="prevent",
    version="1.2.0",
    title=msg("PREVENT"),
    citation=CITATION,
    features=(SBP, HDL),
    compute=lambda values: (),
    vectors={},
    limits=msg("For ages 30 to 79."),
)


def estimate(value=0.092, outcome="cardiovascular disease", band="intermediate", years=10):
    why = Explanation(
        Scale.LOG_ODDS,
        Baseline.REFERENCE_PERSON,
        -2.9,
        msg("a man aged 60, 5.0%"),
        (
            Contribution(("sbp",), SBP.label, 0.4, msg("152 mmHg"), DAY, ("Observation/bp",)),
            Contribution(("hdl",), HDL.label, -0.1, msg("70 mg/dL"), DAY, ("Observation/hdl",)),
        ),
        -2.6,
    )
    return RiskEstimate(
        "prevent",
        "1.2.0",
        EstimateKind.PROBABILITY,
        outcome,
        msg(outcome),
        years,
        value,
        "1",
        Band(band, msg(band)),
        why,
        (FeatureValue(SBP, 152.0, DAY, ("Observation/bp",)),),
        (Unusable(CKD, Reason.NO_LIST, msg("no problem list")),),
        effective=DAY,
        notes=(msg("Threshold read in secondary sources."),),
    )


PROPOSAL = Proposal(
    "lipid-panel", msg("Order a lipid panel"), msg("Creates a draft"), {"resourceType": "ServiceRequest"}
)
RISK = RiskFinding(
    key="prevent/total",
    severity=Severity.WARNING,
    headline=msg("10-year cardiovascular risk 9.2% (PREVENT)"),
    advice=msg("A statin is recommended."),
    advice_source=Citation("2026 guideline", "https://example.org/g"),
    proposals=(PROPOSAL,),
    model=MODEL,
    result=(estimate(), estimate(0.051, "heart failure", "low")),
)
SUMMARY = Summary(
    (
        Fact("problem", msg("{problem}, since {date}", problem="Gout", date=date(2019, 3, 1)), ("Condition/1",), None),
        Fact("medication", msg("{text}", text="Allopurinol"), ("M/1", "M/2", "M/3", "M/4", "M/5"), None),
        Fact("allergy", msg("No allergy list was supplied"), (), None),
    ),
    cut=(
        Fact("problem", msg("Asthma"), ("Condition/2",), None),
        Fact("problem", msg("Eczema"), ("Condition/3",), None),
    ),
)


def card(*findings, summary=SUMMARY, **options):
    (made,) = compose(SERVICE, findings, summary, ENGLISH, assessment_id=ASSESSMENT, **options)
    return made


GOLDEN = """\
### PREVENT

- **10-year risk of cardiovascular disease: 9.2%** (intermediate)
- **10-year risk of heart failure: 5.1%** (low)

**Advice:** A statin is recommended. [2026 guideline](https://example.org/g)

**Suggested:** Order a lipid panel

What moved the first of these estimates, cardiovascular disease:

**Raised this estimate:**

- Systolic pressure: 152 mmHg (+3.0 percentage points; odds × 1.49; 6 May 2026; source 1)

**Lowered this estimate:**

- HDL cholesterol: 70 mg/dL (−0.7 percentage points; odds × 0.90; 6 May 2026; source 2)

Not measured: CKD

**Details:**

- Compared with a reference person: a man aged 60, 5.0%
- Percentage points share out the difference from that risk by the size of each contribution.
- Oldest measurement used: 6 May 2026
- Threshold read in secondary sources.

### From the record

- Gout, since 1 Mar 2019 (source 3)
- Allopurinol (sources 4, 5, 6, 2 more)
- No allergy list was supplied
- 2 more lines are not shown here.

### Sources in the record

1: Observation/bp; 2: Observation/hdl; 3: Condition/1; 4: M/1; 5: M/2; 6: M/3

### About this card

- PREVENT, version 1.2.0. [Khan SS et al. Circulation 2024;149:430](https://doi.org/10.1161/x) For ages 30 to 79.
- Supports, and does not replace, a clinician's judgement."""


def test_a_card_reads_from_the_estimate_to_its_sources():
    """Estimate and band, advice and what to do, then what moved it and what was missing, the record, the model."""
    made = card(RISK)
    assert made.summary == "10-year cardiovascular risk 9.2% (PREVENT)"
    assert made.detail == GOLDEN


def test_a_card_keeps_to_the_standard():
    """Indicator, source with topic, suggestions with selectionBehavior, override reasons with display."""
    wire = HookResponse(cards=(card(RISK),)).wire()["cards"][0]
    assert wire["indicator"] == "warning"
    assert wire["source"] == {
        "label": "2026 guideline",
        "url": "https://example.org/g",
        "topic": {
            "system": "http://snomed.info/sct",
            "code": "49601007",
            "display": "Disorder of cardiovascular system",
        },
    }
    assert wire["selectionBehavior"] == "any"
    assert wire["suggestions"][0]["label"] == "Order a lipid panel"
    action = wire["suggestions"][0]["actions"][0]
    assert (action["type"], action["description"]) == ("create", "Creates a draft")
    assert all(set(r) == {"system", "code", "display"} for r in wire["overrideReasons"])
    assert {r.system for r in OVERRIDE_REASONS} == {"http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}


def test_uuids_derive_from_the_assessment():
    """A replay gives the same uuids; another assessment gives others."""
    made = card(RISK)
    assert made.uuid == uuid5(ASSESSMENT, "cardiovascular-risk/card")
    assert made.suggestions[0].uuid == uuid5(made.uuid, "lipid-panel")
    (other,) = compose(SERVICE, (RISK,), SUMMARY, ENGLISH, assessment_id=UUID(int=1))
    assert other.uuid != made.uuid


def test_the_most_severe_finding_opens_the_card():
    """One consolidated card: its headline and indicator are those of the worst finding."""
    gap = CareGapFinding(
        key="gap",
        severity=Severity.CRITICAL,
        headline=msg("Something is overdue"),
        due=msg("Due since March."),
        last_done=date(2025, 3, 1),
        sources=("Observation/9",),
    )
    made = card(RISK, gap)
    assert (made.summary, made.indicator) == ("Something is overdue", "critical")
    assert made.detail.startswith("Due since March. Last done 1 Mar 2025.")  # the client shows the summary above it
    assert made.detail.index("Due since March") < made.detail.index("### PREVENT")
    assert "Due since March. Last done 1 Mar 2025. (source 1)" in made.detail


def test_quiet_findings_open_no_card_but_join_one():
    """A low risk is recorded; beside something to do it is shown."""
    quiet = replace(RISK, quiet=True, severity=Severity.INFO, proposals=(), advice=None)
    assert compose(SERVICE, (quiet,), SUMMARY, ENGLISH, assessment_id=ASSESSMENT) == ()
    plain = Finding(key="x", severity=Severity.INFO, headline=msg("Do this"))
    made = card(quiet, plain)
    assert made.summary == "Do this"
    assert "### PREVENT" in made.detail
    assert made.selection_behavior is None


def test_no_findings_no_card():
    """Nothing to say is an empty tuple."""
    assert compose(SERVICE, (), SUMMARY, ENGLISH, assessment_id=ASSESSMENT) == ()


@pytest.mark.parametrize("refusal", [Refusal.INPUT, Refusal.OUT_OF_RANGE])
def test_a_refusal_is_one_line(refusal):
    """What is missing, in words; no number."""
    refused = replace(RISK, result=NotEstimated("prevent", refusal, msg("Not calculated: no lipid panel")))
    detail = card(refused).detail
    assert "### PREVENT\n\nNot calculated: no lipid panel\n" in detail
    assert "%" not in detail.split("### From the record")[0]


def test_not_applicable_never_shows():
    """A model that does not speak about this person stays in the audit record."""
    refused = replace(RISK, result=NotEstimated("prevent", Refusal.NOT_APPLICABLE, msg("a child")))
    assert compose(SERVICE, (refused,), SUMMARY, ENGLISH, assessment_id=ASSESSMENT) == ()
    other = Finding(key="x", severity=Severity.INFO, headline=msg("Do this"))
    assert "PREVENT" not in card(refused, other).detail


def test_a_long_headline_gives_way_and_is_never_cut():
    """139 characters fit; 140 do not, then the short wording, then a pointer."""
    fits, too_long = msg("x" * MAX_SUMMARY), msg("word " * 40)
    assert card(replace(RISK, headline=fits)).summary == "x" * 139
    shorter = replace(RISK, headline=too_long, short_headline=msg("Risk 9.2%"))
    assert card(shorter).summary == "Risk 9.2%"
    assert card(replace(RISK, headline=too_long)).summary == "Cardiovascular risk: see the details of this card"


def test_an_unsigned_model_is_marked_before_its_number():
    """Nobody may take it for validated."""
    detail = card(RISK, unvalidated={"prevent"}).detail
    assert detail.index("Not validated at this site.") < detail.index("9.2%")


def test_the_source_of_a_card_is_not_a_link_too():
    """Clients show the source beside the links: the same guideline twice is one line too many."""
    made = card(RISK)
    assert made.source.url == "https://example.org/g"
    assert made.source.url not in [link.url for link in made.links]


def test_a_proposal_is_offered_once():
    """Two findings that want the same order share one suggestion."""
    assert len(card(RISK, replace(RISK, key="again")).suggestions) == 1


def test_an_evidence_path_is_shown_step_by_step():
    """Each step with the resource that it rests on; the name of a row of the graph is for machines."""
    evidence = EvidenceFinding(
        key="e",
        severity=Severity.INFO,
        headline=msg("Interaction"),
        path=((msg("Warfarin"), "MedicationRequest/1"), (msg("raises"), "curbside/interactions/a+b")),
    )
    assert "- Warfarin (source 1)\n- raises\n" in card(evidence).detail


def test_the_detail_does_not_begin_with_what_the_summary_said():
    """A headline that was too long for the summary goes on where that stopped."""
    long = msg("{headline}. {why}", headline="Interaction of one with another", why="It is explained here. " * 6)
    evidence = EvidenceFinding(
        key="e", severity=Severity.INFO, headline=long, short_headline=msg("Interaction of one with another"), path=()
    )
    made = card(evidence)
    assert made.summary == "Interaction of one with another"
    assert made.detail.startswith("It is explained here.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": EstimateKind.POINTS, "value": 7.0, "outcome_words": msg("NEWS2")}, "NEWS2: 7 points"),
        ({"kind": EstimateKind.POINTS, "value": 4.0, "high": 9.0, "outcome_words": msg("NEWS2")},
         "NEWS2: 4 to 9 points possible"),
        ({"kind": EstimateKind.QUANTITY, "value": 59.4, "unit": "mL/min/{1.73_m2}", "outcome_words": msg("eGFR")},
         "eGFR: 59 mL/min/1.73 m²"),
        ({"kind": EstimateKind.QUANTITY, "value": 1.304, "unit": "1", "outcome_words": msg("FIB-4")}, "FIB-4: 1.30"),
        ({"horizon_years": None}, "Risk of cardiovascular disease: 9.2%"),
        ({}, "10-year risk of cardiovascular disease: 9.2%"),
    ],
)  # fmt: skip
def test_each_kind_of_estimate_has_its_words(changes, words):
    """Probabilities with horizon, points, intervals of points, quantities with unit."""
    assert ENGLISH(estimate_words(msgspec.structs.replace(estimate(), **changes))) == words


HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from(list("<>&*_[](){}#+-.!|~`\\:/@=\n "))), max_size=80)


@given(HOSTILE, HOSTILE)
def test_no_markup_of_a_record_survives_in_a_card(name, reference):
    """Problem names and ids from a record render as text: the card's own structure is all there is."""
    fact = Fact("problem", msg("{problem}, since {date}", problem=name, date=DAY.date()), (reference,), None)
    detail = card(RISK, summary=Summary((fact,))).detail
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(detail)
    inline = [child for token in tokens for child in token.children or ()]
    assert {t.type for t in tokens} <= {
        f"{kind}_{edge}" for kind in ("heading", "paragraph", "bullet_list", "list_item") for edge in ("open", "close")
    } | {"inline"}
    assert {c.type for c in inline} <= {"text", "strong_open", "strong_close", "link_open", "link_close"}
    assert sum(c.type == "link_open" for c in inline) == 2  # the guideline and the model's paper
    assert sum(t.type == "heading_open" for t in tokens) == 4


@given(HOSTILE)
def test_summary_and_labels_are_one_clean_line(text):
    """Headlines and buttons are plain text, without control or hidden characters."""
    dirty = replace(
        RISK,
        headline=msg("Risk {text}", text=text),
        proposals=(replace(PROPOSAL, label=msg("Order {text}", text=text)),),
    )
    made = card(dirty)
    assert made.summary.isprintable()
    assert made.suggestions[0].label.isprintable()


def test_a_suggestion_may_change_or_remove_what_is_there():
    """update carries the whole resource with its id, delete names it as Type/id and carries none."""
    order = {"resourceType": "ServiceRequest", "id": "draft-1", "status": "draft"}
    change = Proposal("change", msg("Lower the dose"), msg("Changes the draft"), order, action="update")
    remove = Proposal(
        "remove", msg("Remove it"), msg("Removes the draft"), action="delete", resource_id="ServiceRequest/draft-1"
    )
    made = card(replace(RISK, proposals=(change, remove)))
    wire = HookResponse(cards=(made,)).wire()["cards"][0]["suggestions"]
    assert [s["actions"][0] for s in wire] == [
        {"type": "update", "description": "Changes the draft", "resource": order},
        {"type": "delete", "description": "Removes the draft", "resourceId": "ServiceRequest/draft-1"},
    ]
    assert not any("isRecommended" in s for s in wire)
    for broken in (
        replace(change, resource={"resourceType": "ServiceRequest"}),
        replace(change, resource=None),
        replace(remove, resource_id="draft-1"),
        replace(remove, resource=order),
    ):
        with pytest.raises(ValueError):
            card(replace(RISK, proposals=(broken,)))


def test_the_only_proposal_of_the_most_urgent_finding_is_recommended():
    """One that merely notes something is not; two of them are a choice that nobody makes for the clinician."""
    other = replace(PROPOSAL, key="other")
    note = replace(PROPOSAL, key="note", secondary=True)
    lesser = replace(RISK, key="lesser", severity=Severity.INFO, proposals=(other,))

    def recommended(*findings):
        return [s.label for s in card(*findings).suggestions if s.is_recommended]

    assert recommended(RISK) == ["Order a lipid panel"]
    assert recommended(replace(RISK, proposals=(PROPOSAL, note)), lesser) == ["Order a lipid panel"]
    assert recommended(replace(RISK, proposals=(PROPOSAL, other))) == []
    assert recommended(replace(RISK, proposals=(note,)), lesser) == []


def test_a_services_own_reasons_come_first_and_each_once():
    """A reason that is also a common one is not offered twice."""
    common = OVERRIDE_REASONS[0]
    own = (Topic("urn:oid:1.2.3", "x", "Own"), Topic(common.system, common.code, common.display))
    (made,) = compose(replace(SERVICE, reasons=own), (RISK,), SUMMARY, ENGLISH, assessment_id=ASSESSMENT)
    assert [r.code for r in made.override_reasons[:2]] == ["x", common.code]
    assert len(made.override_reasons) == len(OVERRIDE_REASONS) + 1


def test_an_empty_response_is_an_empty_list_of_cards():
    """Nothing else of a response may be empty."""
    assert HookResponse().wire() == {"cards": []}


def test_a_card_names_the_source_of_its_first_line():
    """The guideline behind the advice, or the service where a trained model's number leads."""
    assert card(RISK).source.label == "2026 guideline"
    trained = replace(RISK, model=replace(RISK.model, trained=True))
    assert card(trained).source.label == "Curbside"
