"""The catalogue is sound: ids, codes, units and limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cds_service.features import catalogue as c
from cds_service.features.feature import Coded, Derived, Feature, FirstOf, Quantity
from cds_service.features.inputs_page import page
from cds_service.features.medicines import MEDICINES
from cds_service.fhir import units

FEATURES = c.all_features()
QUANTITIES = [f for f in FEATURES if isinstance(f, Quantity)]
MEASURED = [f for f in FEATURES if isinstance(f, Quantity | Coded)]


def ids(feature: Feature) -> str:
    return feature.id


def test_ids_are_unique_and_exported_names_are_declared() -> None:
    """An id means one input; every exported constant exists."""
    assert len({f.id for f in FEATURES}) == len(FEATURES)
    assert all(hasattr(c, name) for name in c.__all__)
    exported = {id(getattr(c, name)) for name in c.__all__}
    assert {f.id for f in FEATURES if id(f) not in exported} == set()


@pytest.mark.parametrize("feature", MEASURED, ids=ids)
def test_loinc_codes_pass_their_check_digit(feature: Quantity | Coded) -> None:
    """A slip of the keyboard in a code is caught."""
    for code in (*feature.codes, *feature.panels):
        if "|" in code:  # of another system
            continue
        if code == feature.id:  # an input that no code names has its own id
            continue
        number, check = code.split("-")
        doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(number))]
        assert (10 - sum(d // 10 + d % 10 for d in doubled) % 10) % 10 == int(check), code


@pytest.mark.parametrize("feature", QUANTITIES, ids=ids)
def test_units_are_ucum_and_limits_are_in_order(feature: Quantity) -> None:
    """Every declared unit can be read, and every special conversion is one that UCUM alone could not do rightly."""
    target = units.read(feature.unit)
    assert target is not None
    assert feature.plausible[0] < feature.plausible[1]
    assert feature.look_back is not None
    assert feature.look_back > timedelta(0)
    for name in feature.conversions:
        other = units.read(name)
        assert other is not None
        assert not units.same(other, target)
        assert other.dimension != target.dimension or not any(target.dimension)


def test_what_is_computed_or_chosen_rests_on_declared_inputs() -> None:
    """Derived features and alternatives can be extracted."""
    for feature in FEATURES:
        if isinstance(feature, Derived):
            assert feature.inputs
        if isinstance(feature, FirstOf):
            assert len(feature.alternatives) > 1


def test_a_variant_differs_in_window_and_id_alone() -> None:
    """`within` keeps codes, unit and limits."""
    variant = c.within(c.SBP, timedelta(hours=1), "sbp_last_hour")
    assert (variant.id, variant.look_back) == ("sbp_last_hour", timedelta(hours=1))
    assert (variant.codes, variant.unit, variant.plausible) == (c.SBP.codes, c.SBP.unit, c.SBP.plausible)


def test_the_page_of_inputs_is_current() -> None:
    """`docs/inputs.md` is what the declarations say: run `python -m cds_service.features.inputs_page`."""
    written = (Path(__file__).parent.parent.parent / "docs" / "inputs.md").read_text(encoding="utf-8")
    assert written == page()


def test_classes_of_medicines_do_not_overlap_by_mistake() -> None:
    """Some classes are part of another; no other ingredient is in two."""
    seen: dict[str, str] = {}
    assert set(c.VITAMIN_K_ANTAGONIST.names) < set(c.ANTICOAGULANT.names)
    assert set(c.RAS_INHIBITOR.names) < set(c.ANTIHYPERTENSIVE.names)
    assert set(c.SGLT2_INHIBITOR.names) - set(c.GLUCOSE_LOWERING.names) == {"sotagliflozin"}
    for feature in MEDICINES:
        assert len(set(feature.ingredients)) == len(feature.ingredients)
        if feature in (c.VITAMIN_K_ANTAGONIST, c.DIRECT_ORAL_ANTICOAGULANT, c.RAS_INHIBITOR, c.SGLT2_INHIBITOR):
            continue
        for name in feature.names:
            if name != "metformin":
                assert name not in seen, f"{name} in {feature.id} and {seen[name]}"
            seen[name] = feature.id
