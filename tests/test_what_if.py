"""What if: the model asked again, with what is changed checked by name."""

from __future__ import annotations

import orjson
import pytest

from cds_service.errors import InputError
from cds_service.outlook import with_outlook
from cds_service.protocol.request import decode
from cds_service.risk.model import NotEstimated
from cds_service.sandbox import samples
from cds_service.sandbox.patients import BY_NAME
from cds_service.sandbox.prefetch import request_for
from cds_service.what_if import at_targets, levers_of, what_if

RISK = "cardiovascular-risk"


@pytest.fixture(scope="module")
def line():
    return samples.pipeline()


@pytest.fixture(scope="module")
def case(line):
    """case("si-units") -> what the service looks at."""

    def make(name: str, service: str = RISK):
        entry = next(s for s in line.discovery()["services"] if s["id"] == service)
        body = orjson.dumps(request_for(entry, BY_NAME[name].chart().bundle()))
        return line.assess(line.desk(service), decode(body)).case

    return make


@pytest.fixture(scope="module")
def smoker(case):
    return case("si-units")


def estimated(case):
    """The PREVENT model that speaks, with its estimates."""
    id_ = next(i for i, r in case.results.items() if isinstance(r, tuple))
    return case.models[id_], case.results[id_]


def test_nothing_changed_is_the_same_estimate(smoker) -> None:
    """The same function is asked: to the last bit."""
    model, result = estimated(smoker)
    assert [e.value for e in what_if(model, smoker.values, {})] == [e.value for e in result]


def test_each_lever_is_the_model_at_the_target(smoker) -> None:
    """Pressure, smoking, cholesterol and HbA1c: each lowers the risk, and together more than each alone."""
    model, result = estimated(smoker)
    changes = at_targets(model, smoker.values, result)
    assert [change.id for change in changes] == ["sbp", "smoking", "non_hdl", "hba1c", "all"]
    risks = [change.estimates[0].value for change in changes]
    assert all(risk < result[0].value for risk in risks)
    assert risks[-1] == min(risks)
    again = what_if(model, smoker.values, changes[-1].values)
    assert again[0].value == risks[-1]


def test_what_is_computed_from_a_changed_value_is_computed_anew(smoker) -> None:
    """A higher creatinine is a lower eGFR, and another risk."""
    model, result = estimated(smoker)
    changed = what_if(model, smoker.values, {"creatinine": 1.8})
    egfr = next(v.value for v in changed[0].inputs if v.feature.id == "egfr")
    assert 40 < egfr < 55
    assert changed[0].value > result[0].value


def test_a_reached_target_is_no_lever(case) -> None:
    """Someone who does not smoke and has a pressure of 118 is offered neither."""
    healthy = case("healthy-adult")
    model, result = estimated(healthy)
    assert at_targets(model, healthy.values, result) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sbp": 400}, "sbp must be a number from 40 to 300 mm[Hg]"),
        ({"sbp": "high"}, "sbp must be a number from 40 to 300"),
        ({"sbp": float("nan")}, "sbp must be a number from 40 to 300"),
        ({"spb": 120}, "Did you mean sbp?"),
        ({"smoking": "sometimes"}, "smoking must be one of current, former, never"),
        ({"smoking": True}, "smoking must be one of"),
        ({"diabetes": 1}, "diabetes must be true or false"),
        ({"age": 40}, "age cannot be changed"),
        ({"egfr": 60}, "egfr is computed from creatinine, age, sex"),
        ({"bmi": 900}, "bmi must be a number from 7 to 150 kg/m2"),
    ],
)
def test_what_cannot_be_is_refused_by_name(smoker, changes, words) -> None:
    """One sentence that names the input and what it may be, and never the value."""
    model, _ = estimated(smoker)
    with pytest.raises(InputError) as caught:
        what_if(model, smoker.values, changes)
    assert words in str(caught.value)
    assert "400" not in str(caught.value)
    assert "900" not in str(caught.value)


def test_outside_the_limits_of_the_score_the_score_refuses(smoker) -> None:
    """A pressure that a person can have and the score does not speak for: no number, no clipping."""
    model, _ = estimated(smoker)
    refused = what_if(model, smoker.values, {"sbp": 190})
    assert isinstance(refused, NotEstimated)
    assert "Systolic blood pressure" in str(refused.reason)


def test_scores_that_nobody_can_change_have_no_levers(line) -> None:
    """Points of a stroke score are no levers; a trained model's inputs are no causes."""
    models = {m.id: m for desk in map(line.desk, _services(line)) for m in desk.models}
    assert {id_ for id_, m in models.items() if levers_of(m)} >= {"prevent-base", "prevent-full"}
    assert levers_of(models["cha2ds2-va"]) == ()
    assert all(levers_of(m) == () for m in models.values() if m.trained)


def _services(line) -> list[str]:
    return [service["id"] for service in line.discovery()["services"]]


def test_the_card_tells_it_as_arithmetic(line) -> None:
    """Number, number now, source of the goal; and that it is not the effect of a treatment."""
    entry = next(s for s in line.discovery()["services"] if s["id"] == RISK)
    body = orjson.dumps(request_for(entry, BY_NAME["primary-prevention"].chart().bundle()))
    (card,) = line.assess(line.desk(RISK), decode(body)).response.cards
    assert "not the effect of a treatment" in card.detail
    assert "Systolic blood pressure 130 mmHg instead of 138 mmHg: 9.7% instead of 10.4%" in card.detail
    assert "percentage points; odds" in card.detail


def test_nothing_is_computed_where_no_card_opens(case) -> None:
    """Silence costs nothing."""
    healthy = case("healthy-adult")
    findings = line_findings(healthy)
    assert with_outlook(healthy, findings) == findings


def line_findings(case):
    from cds_service.findings import RiskFinding, Severity
    from cds_service.language import msg

    model, result = estimated(case)
    return (RiskFinding(key="k", severity=Severity.INFO, headline=msg("h"), model=model, result=result, quiet=True),)
