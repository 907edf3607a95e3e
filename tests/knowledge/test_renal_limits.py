"""The judged limits by kidney function: each row is reached, the strictest one counts, and the graph says the same."""

import pytest

from cds_service.knowledge import library
from cds_service.knowledge.renal_limits import LIMITS, MEDICINES, Action, judged_as, strictest


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.id)
def test_every_row_holds_just_below_its_limit_and_not_at_it(limit) -> None:
    """A row that another one hides, or whose limit moved, is an error."""
    assert strictest(limit.medicine, limit.below - 0.6) == limit
    assert strictest(limit.medicine, limit.below) != limit


def test_limits_are_those_that_were_written_down() -> None:
    """A second list of the numbers, typed apart: a slip of a digit in one of them shows."""
    rows = {limit.id: (limit.action.value[:2], limit.most_mg) for limit in LIMITS}
    assert rows == {
        "metformin/egfr-below-45": ("re", 1000), "metformin/egfr-below-30": ("co", None),
        "sitagliptin/egfr-below-45": ("re", 50), "sitagliptin/egfr-below-30": ("re", 25),
        "dabigatran/crcl-below-30": ("av", 150), "dabigatran/crcl-below-15": ("co", None),
        "rivaroxaban/crcl-below-51": ("re", 15), "rivaroxaban/crcl-below-15": ("av", None),
        "edoxaban/crcl-below-51": ("re", 30), "edoxaban/crcl-below-15": ("av", None),
        "enoxaparin/crcl-below-30": ("re", 30), "fondaparinux/crcl-below-30": ("co", None),
        "nitrofurantoin/crcl-below-60": ("av", None), "nitrofurantoin/crcl-below-30": ("co", None),
        "trimethoprim/crcl-below-30": ("re", None), "trimethoprim/crcl-below-15": ("av", None),
        "ciprofloxacin/crcl-below-30": ("re", 667), "levofloxacin/crcl-below-50": ("re", None),
        "valacyclovir/crcl-below-50": ("re", 2000), "valacyclovir/crcl-below-30": ("re", 1000),
        "valacyclovir/crcl-below-10": ("re", 500),
        "gabapentin/crcl-below-60": ("re", 1400), "gabapentin/crcl-below-30": ("re", 700),
        "gabapentin/crcl-below-15": ("re", 300),
        "pregabalin/crcl-below-60": ("re", 300), "pregabalin/crcl-below-30": ("re", 150),
        "pregabalin/crcl-below-15": ("re", 75),
        "baclofen/egfr-below-60": ("re", None), "baclofen/egfr-below-30": ("av", None),
        "lithium/crcl-below-60": ("re", None), "lithium/crcl-below-30": ("av", None),
        "ketorolac/egfr-below-30": ("co", None), "tramadol/crcl-below-30": ("re", 200),
        "duloxetine/crcl-below-30": ("av", None), "memantine/crcl-below-30": ("re", 10),
        "allopurinol/crcl-below-20": ("re", 200), "allopurinol/crcl-below-10": ("re", 100),
        "colchicine/crcl-below-30": ("re", 0.3), "methotrexate/crcl-below-60": ("re", None),
        "methotrexate/crcl-below-30": ("co", None),
        "nsaid/egfr-below-30": ("av", None), "zoledronic/crcl-below-35": ("co", None),
        "alendronate/crcl-below-35": ("av", None), "spironolactone/crcl-below-30": ("av", None),
        "eplerenone/crcl-below-31": ("co", None), "eplerenone/crcl-below-50": ("re", 25),
        "famotidine/crcl-below-60": ("re", 20),
        "famotidine/crcl-below-30": ("re", 10),
    }  # fmt: skip


def test_every_row_cites_its_source() -> None:
    """Nothing is said without one."""
    assert all(limit.source.url.startswith("https://") and limit.source.text for limit in LIMITS)
    assert {limit.action for limit in LIMITS} == set(Action)


def test_the_graph_has_the_same_rows() -> None:
    """One source: whatever `renal-dosing` judges, `drug-safety` knows, with the same number and citation."""
    graph = library.base().graph
    rows = [r for r in graph.evidence(relation="limited-by") if r.properties["comparison"] == "below"]
    judged = {
        (judged_as(r.subject).id, r.object.partition(":")[2], r.properties["value"], r.url)
        for r in rows
        if "asks" in r.properties
    }
    assert judged == {(x.medicine.id, x.measure.value, x.below, x.source.url) for x in LIMITS}


def test_what_a_row_calls_contraindicated_it_asks_to_be_left_out() -> None:
    """Severity and action of one row do not contradict each other, and no judged row is a minor matter."""
    judged = (r for r in library.base().graph.evidence(relation="limited-by") if "asks" in r.properties)
    pairs = {(r.severity, r.properties["asks"]) for r in judged}
    assert pairs == {
        ("contraindicated", "contraindicated"), ("major", "avoid"), ("major", "reduce"), ("moderate", "reduce"),
    }  # fmt: skip


def test_each_medicine_is_judged_by_one_measure() -> None:
    """Two measures of one kidney would be two cards about one order."""
    assert len({of for of, _ in MEDICINES}) == len(MEDICINES)
