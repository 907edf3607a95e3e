"""What each sample is there to show, seen through the models: the numbers fit the story."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import orjson
import pytest

from cds_service.explain.explanation import Scale
from cds_service.ledger import Decision
from cds_service.protocol.request import decode
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate
from cds_service.sandbox import samples
from cds_service.sandbox.patients import BY_NAME
from cds_service.sandbox.prefetch import NoEncounter, ReadShelf, current_encounter, request_for

MIXED = ("primary-prevention", "contradictory", "mixed-rows", "acute-deterioration", "contained-references")


@cache
def line():
    return samples.pipeline()


@cache
def shelf(name: str) -> ReadShelf:
    return ReadShelf(BY_NAME[name].chart().bundle())


def decide(shelf: ReadShelf, service: Mapping) -> Decision:
    try:
        encounter = current_encounter(shelf)
    except NoEncounter:
        encounter = "none-on-record"
    body = orjson.dumps(request_for(service, shelf, encounter_id=encounter))
    return line().assess(line().desk(service["id"]), decode(body))


@cache
def results(name: str) -> dict[str, tuple[RiskEstimate, ...] | NotEstimated]:
    found: dict[str, tuple[RiskEstimate, ...] | NotEstimated] = {}
    for service in line().discovery()["services"]:
        found |= decide(shelf(name), service).case.results
    return found


def value(name: str, model: str, outcome: str, years: int | None = None) -> float:
    found = results(name)[model]
    assert not isinstance(found, NotEstimated), found.reason
    (estimate,) = [e for e in found if (e.outcome, e.horizon_years) == (outcome, years)]
    return estimate.value


def refusal(name: str, model: str) -> NotEstimated:
    found = results(name)[model]
    assert isinstance(found, NotEstimated), found
    return found


def test_primary_prevention_is_at_intermediate_risk() -> None:
    """Between 5 and 10 % of ASCVD in ten years, where guidelines speak of a statin."""
    assert 0.05 <= value("primary-prevention", "prevent-base", "ascvd", 10) < 0.10


def test_the_healthy_adult_is_at_low_risk() -> None:
    """Nothing on which to act."""
    assert value("healthy-adult", "prevent-base", "total_cvd", 10) < 0.02
    assert value("healthy-adult", "fib-4", "fib4") < 1.3


@pytest.mark.parametrize(
    "name",
    ["established-cvd", "heart-failure", "af-anticoagulated", "infant", "child", "very-old", "pregnant", "dialysis"],
)
def test_prevent_is_not_for_them(name: str) -> None:
    """Known disease, age outside 30 to 79, pregnancy and dialysis are not its population."""
    assert refusal(name, "prevent-base").refusal is Refusal.NOT_APPLICABLE


@pytest.mark.parametrize("name", ["missing-lipids", "stale-lipids"])
def test_only_the_lipids_are_missing(name: str) -> None:
    """Mending this one input gives the estimate."""
    found = refusal(name, "prevent-base")
    assert found.refusal is Refusal.INPUT
    assert {entry.feature.id for entry in found.unusable} == {"total_cholesterol", "hdl"}


def test_atrial_fibrillation_scores_what_the_history_says() -> None:
    """77 years, TIA, hypertension, diabetes: 2 + 2 + 1 + 1; 69 years, heart failure, hypertension: 3."""
    assert value("af-not-anticoagulated", "cha2ds2-va", "cha2ds2_va") == 6
    assert value("af-anticoagulated", "cha2ds2-va", "cha2ds2_va") == 3


def test_kidney_disease_is_in_its_stage() -> None:
    """G3b is 30 to 44; SI units give a healthy kidney, not one of a hundredth."""
    assert 30 <= value("ckd-g3b-albuminuria", "ckd-epi-2021", "egfr") < 45
    assert 85 < value("si-units", "ckd-epi-2021", "egfr") < 100
    assert 70 < value("chinese-record", "ckd-epi-2021", "egfr") < 90


def test_egfr_is_refused_where_it_would_mislead() -> None:
    """Dialysis, childhood, a unit that cannot be, and two values at one moment."""
    assert refusal("dialysis", "ckd-epi-2021").refusal is Refusal.NOT_APPLICABLE
    assert refusal("child", "ckd-epi-2021").refusal is Refusal.NOT_APPLICABLE
    assert [e.reason.value for e in refusal("wrong-units", "ckd-epi-2021").unusable] == ["implausible"]
    assert [e.reason.value for e in refusal("contradictory", "ckd-epi-2021").unusable] == ["conflict"]


def test_fatty_liver_has_reached_the_threshold_for_referral() -> None:
    """FIB-4 above 2.67."""
    assert value("masld-high-fib4", "fib-4", "fib4") > 2.67


def test_ward_samples_score_as_charted() -> None:
    """All seven inputs: 13; respiratory rate and saturation missing: an interval; prescribed target: scale 2."""
    assert value("acute-deterioration", "news2", "news2") == 13
    (partial,) = results("partial-vitals")["news2"]
    assert (partial.value, partial.high) == (2, 10)
    assert value("copd-scale-2", "news2", "news2") == 5


def test_rows_that_are_not_to_be_used_change_nothing() -> None:
    """The kidney of `mixed-rows` is healthy, whatever the rows of others, of error and of nobody say."""
    assert value("mixed-rows", "ckd-epi-2021", "egfr") > 80
    assert value("mixed-rows", "prevent-base", "total_cvd", 10) < 0.06


def test_nothing_is_shown_about_the_dead() -> None:
    """No service has a card for `deceased`."""
    for service in line().discovery()["services"]:
        assert decide(shelf("deceased"), service).response.cards == ()


@pytest.mark.parametrize("name", BY_NAME)
def test_explanations_add_up_on_every_sample(name: str) -> None:
    """Within 1e-9 for equations and points, 5e-5 on the log-odds for trees."""
    trained = {model.id for desk in map(line().desk, _services()) for model in desk.models if model.trained}
    for model, found in results(name).items():
        if not isinstance(found, NotEstimated):
            for estimate in found:
                assert estimate.explanation.residual() <= (5e-5 if model in trained else 1e-9)
                assert model not in trained or estimate.explanation.scale is Scale.LOG_ODDS


def _services() -> list[str]:
    return [service["id"] for service in line().discovery()["services"]]


@pytest.mark.parametrize("name", MIXED)
def test_the_order_of_resources_never_matters(name: str) -> None:
    """A server may send rows in any order: the response is the same."""
    bundle = BY_NAME[name].chart().bundle()
    patient, *rest = bundle["entry"]
    random.Random(7).shuffle(rest)
    shuffled = ReadShelf({**bundle, "entry": [patient, *rest]})
    for service in line().discovery()["services"]:
        straight, mixed = decide(shelf(name), service), decide(shuffled, service)
        assert orjson.dumps(straight.response.wire()) == orjson.dumps(mixed.response.wire())


def test_hostile_text_reaches_no_card_as_markup() -> None:
    """Neither tags nor links nor control characters of the record survive in what is shown."""
    shown = "".join(
        card.detail + card.summary
        for service in line().discovery()["services"]
        for card in decide(shelf("hostile-text"), service).response.cards
    )
    assert "Ignore previous instructions" in shown  # shown as text: it is what the record says
    for forbidden in ("<script", "<img", "<svg", "](javascript", "](https://evil", "\u202e", "\u200b", "\u2028"):
        assert forbidden not in shown
