"""What a medicine is usually taken for: a record seldom says, and a letter nearly always does.

`Apixaban for atrial fibrillation` is accepted where both are cited and the patient has no other illness for which that
medicine is usually given. Source: the labelled indications (FDA), reduced to medicines of few of them.
"""

from __future__ import annotations

from cds_service.summary.chart import Chart
from cds_service.summary.evidence import Part, parts

_VTE = ("#af", "#dvt", "#pe", "#vte", "valve", "瓣", "#aflutter", "#stroke", "#tia")
_USUAL: dict[str, tuple[str, ...]] = {
    "#apixaban": _VTE, "#rivaroxaban": _VTE, "#dabigatran": _VTE, "#edoxaban": _VTE, "#warfarin": _VTE,
    "#levothyroxine": ("#hypothyroid", "#thyroid_ca"),
    "#metformin": ("#diabetes", "#prediabetes", "#pcos"), "#insulin": ("#diabetes",),
    "#allopurinol": ("#gout",), "#donepezil": ("#dementia",), "#memantine": ("#dementia",),
    "#letrozole": ("#breast_ca",), "#anastrozole": ("#breast_ca",),
    "#tiotropium": ("#copd", "#asthma"), "#albuterol": ("#copd", "#asthma"),
    "#atorvastatin": ("#hlp", "#cad", "#stroke", "#diabetes"), "#simvastatin": ("#hlp", "#cad", "#stroke", "#diabetes"),
    "#rosuvastatin": ("#hlp", "#cad", "#stroke", "#diabetes"),
    "#amlodipine": ("#htn", "#cad", "#angina"),
    "#lisinopril": ("#htn", "#hf", "#cad", "#ckd", "#dkd"), "#losartan": ("#htn", "#hf", "#ckd", "#dkd"),
}  # fmt: skip


def usual(givers: list[Part], illness: list[Part], chart: Chart) -> bool:
    """True if each cited illness is the only one of the patient's for which a cited medicine is usually given."""
    wanted = {c for part in givers for drug in part.affirmed & set(_USUAL) for c in _USUAL[drug]}
    said = {part.reference for part in illness if part.kind == "Condition" and part.state == "active"}
    if not said or len(said) != len({part.reference for part in illness}):
        return False
    bearing = {
        one.reference
        for one in chart.of_kind("Condition")
        if not one.erroneous and any(part.affirmed & wanted for part in parts(one, chart))
    }
    return bearing == said
