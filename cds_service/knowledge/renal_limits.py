"""At which kidney function a medicine is stopped, avoided or given in a lower dose: the judged rows of `limits.tsv`.

The rows are those of the knowledge graph, so that `drug-safety` and `renal-dosing` cannot disagree. A row that has
`asks` is judged by the dose too: `asks` is what it asks for, `most_mg` and `most_mg_kg` the highest daily dose then
(mg, mg/kg), `words` what its source says. `docs/evidence/renal-dosing.md` says which rows were checked, and when.
Labels dose by creatinine clearance (Cockcroft-Gault, mL/min) or by eGFR (mL/min/{1.73_m2}): each row names its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cds_service.features import medicines
from cds_service.features.feature import MedicationFeature
from cds_service.features.medicines import one
from cds_service.features.order_reasons import holds_for
from cds_service.knowledge.base_files import Line, citation, lines, uses
from cds_service.knowledge.rows import slug
from cds_service.language import Message, msg
from cds_service.risk.model import Citation


class Measure(Enum):
    """What a label doses by."""

    CLEARANCE = "crcl"  # creatinine clearance, mL/min
    EGFR = "egfr"  # mL/min/{1.73_m2}


class Action(Enum):
    """What a row asks for."""

    CONTRAINDICATED = "contraindicated"
    AVOID = "avoid"
    REDUCE = "reduce"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: below this kidney function, this is asked for.

    below: exclusive, compared with the whole number that is printed (51: "50 or below"); in the measure's unit.
    most_mg: the highest daily dose then, in mg, if the label gives one for all indications; at or below it nothing
    needs saying. most_mg_kg: the same in mg per kg, where the dose to treat goes by weight and `most_mg` is the one to
    prevent. words: what the source says, in our words. use, other_uses: what the row is about, and the uses of the
    medicine for which it does not hold, where an order's reasons name them.
    """

    medicine: MedicationFeature
    measure: Measure
    below: float
    action: Action
    words: Message
    source: Citation
    most_mg: float | None = None
    most_mg_kg: float | None = None
    use: frozenset[str] = frozenset()
    other_uses: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """A stable name of the row, e.g. `gabapentin/crcl-below-30`."""
        return f"{self.medicine.id}/{self.measure.value}-below-{self.below:g}"


GABAPENTIN = one("gabapentin", msg("Gabapentin"), "N02BF01", "N03AX12")
PREGABALIN = one("pregabalin", msg("Pregabalin"), "N02BF02", "N03AX16")
DABIGATRAN = one("dabigatran", msg("Dabigatran"), "B01AE07")
RIVAROXABAN = one("rivaroxaban", msg("Rivaroxaban"), "B01AF01")
APIXABAN = one("apixaban", msg("Apixaban"), "B01AF02")
EDOXABAN = one("edoxaban", msg("Edoxaban"), "B01AF03")
ENOXAPARIN = one("enoxaparin", msg("Enoxaparin"), "B01AB05")
FONDAPARINUX = one("fondaparinux", msg("Fondaparinux"), "B01AX05")
NITROFURANTOIN = one("nitrofurantoin", msg("Nitrofurantoin"), "J01XE01")
TRIMETHOPRIM = one("trimethoprim", msg("Trimethoprim"), "J01EA01", "J01EE01", also=("cotrimoxazole",))
CIPROFLOXACIN = one("ciprofloxacin", msg("Ciprofloxacin"), "J01MA02")
LEVOFLOXACIN = one("levofloxacin", msg("Levofloxacin"), "J01MA12")
VALACYCLOVIR = one("valacyclovir", msg("Valacyclovir"), "J05AB11", also=("valaciclovir",))
ALLOPURINOL = one("allopurinol", msg("Allopurinol"), "M04AA01")
COLCHICINE = one("colchicine", msg("Colchicine"), "M04AC01")
BACLOFEN = one("baclofen", msg("Baclofen"), "M03BX01")
LITHIUM = one("lithium", msg("Lithium"), "N05AN01")
METHOTREXATE = one("methotrexate", msg("Methotrexate"), "L01BA01", "L04AX03")
TRAMADOL = one("tramadol", msg("Tramadol"), "N02AX02")
DULOXETINE = one("duloxetine", msg("Duloxetine"), "N06AX21")
MEMANTINE = one("memantine", msg("Memantine"), "N06DX01")
FAMOTIDINE = one("famotidine", msg("Famotidine"), "A02BA03")
SITAGLIPTIN = one("sitagliptin", msg("Sitagliptin"), "A10BH01", "A10BD07")
SPIRONOLACTONE = one("spironolactone", msg("Spironolactone"), "C03DA01")
EPLERENONE = one("eplerenone", msg("Eplerenone"), "C03DA04")
ZOLEDRONATE = one("zoledronic", msg("Zoledronic acid"), "M05BA08")
ALENDRONATE = one("alendronate", msg("Alendronate"), "M05BA04", also=("alendronic",))
KETOROLAC = one("ketorolac", msg("Ketorolac"), "M01AB15")

_RECOGNISED: dict[str, MedicationFeature] = {  # by what differs from the feature's id in the file
    "class:nsaid": medicines.NSAID,
    "zoledronic acid": ZOLEDRONATE,
    **{of.id: of for of in (
        medicines.METFORMIN, KETOROLAC, SITAGLIPTIN, DABIGATRAN, RIVAROXABAN, EDOXABAN, ENOXAPARIN, FONDAPARINUX,
        NITROFURANTOIN, TRIMETHOPRIM, CIPROFLOXACIN, LEVOFLOXACIN, VALACYCLOVIR, GABAPENTIN, PREGABALIN, BACLOFEN,
        LITHIUM, TRAMADOL, DULOXETINE, MEMANTINE, ALLOPURINOL, COLCHICINE, METHOTREXATE, ALENDRONATE, SPIRONOLACTONE,
        EPLERENONE, FAMOTIDINE,
    )},
}  # fmt: skip


def _judged() -> Iterator[Line]:
    return (line for line in lines("limits") if line["asks"])


def _medicine(line: Line) -> MedicationFeature:
    if line["subject"] not in _RECOGNISED:
        raise line.error(f"asks for something, but no medicine is recognised as {line['subject']!r}")
    return _RECOGNISED[line["subject"]]


def _limit(line: Line) -> Limit:
    text, url, _ = citation(line.many("citation")[0], line)
    words = line["words"]
    return Limit(
        medicine=_medicine(line),
        measure=Measure(line["test"]),
        below=float(line["value"]),
        action=Action(line["asks"]),
        words=msg(words),
        source=Citation(text, url),
        most_mg=float(line["most_mg"]) if line["most_mg"] else None,
        most_mg_kg=float(line["most_mg_kg"]) if line["most_mg_kg"] else None,
        use=uses(line, "use"),
        other_uses=uses(line, "other_uses"),
    )


LIMITS: tuple[Limit, ...] = tuple(_limit(line) for line in _judged() if line["comparison"] == "below")
MEDICINES: tuple[tuple[MedicationFeature, Measure], ...] = tuple(
    dict.fromkeys((limit.medicine, limit.measure) for limit in LIMITS)
)
"""Each medicine of the rows with what it is dosed by."""
NARROWER = {KETOROLAC: medicines.NSAID}
"""A medicine with a row of its own, and the class whose row it takes the place of."""
_BY_NODE = {
    line["subject"] if line["subject"].startswith("class:") else f"drug:{slug(line['subject'])}": _medicine(line)
    for line in _judged()
}


def judged_as(node: str) -> MedicationFeature:
    """What the subject of a row of the graph that has `asks` is recognised as in an order. Raises KeyError."""
    return _BY_NODE[node]


def from_value(medicine: MedicationFeature) -> Limit:
    """The row of a medicine that is not given from a kidney function on; `below` is then that value, inclusive."""
    return next(_limit(r) for r in _judged() if r["comparison"] == "at-least" and _medicine(r) == medicine)


def strictest(medicine: MedicationFeature, value: float, uses: frozenset[str] = frozenset()) -> Limit | None:
    """The row that holds at this kidney function, as printed: the lowest limit above it, or None if there is none.

    uses: what an order's reasons name.
    """
    rows = (limit for limit in LIMITS if limit.medicine == medicine and round(value) < limit.below)
    reached = [limit for limit in rows if holds_for(uses, limit.use, limit.other_uses)]
    return min(reached, key=lambda limit: limit.below, default=None)
