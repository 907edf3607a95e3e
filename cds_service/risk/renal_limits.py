"""At which kidney function a medicine is stopped, avoided or given in a lower dose: one row a medicine and limit.

The only place of these limits; a knowledge base may take its place. Rows follow the United States labels as known in
2026; where a label is silent or stricter than practice, the AGS Beers Criteria 2023 (table 6, doi:10.1111/jgs.18372),
which were read in a secondary source. `docs/evidence/renal-dosing.md` says which rows were checked, and when.
Labels dose by creatinine clearance (Cockcroft-Gault, mL/min) or by eGFR (mL/min/{1.73_m2}): each row names its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cds_service.features import medicines
from cds_service.features.feature import MedicationFeature
from cds_service.features.medicines import one
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
    needs saying. words: what the source says, in our words.
    """

    medicine: MedicationFeature
    measure: Measure
    below: float
    action: Action
    words: Message
    source: Citation
    most_mg: float | None = None

    @property
    def id(self) -> str:
        """A stable name of the row, e.g. `gabapentin/crcl-below-30`."""
        return f"{self.medicine.id}/{self.measure.value}-below-{self.below:g}"


_DAILYMED = "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query="
BEERS_2023 = Citation(
    "AGS Beers Criteria 2023, table 6 (read in a secondary source)", "https://doi.org/10.1111/jgs.18372"
)
KDIGO_2024 = Citation("KDIGO 2024 CKD guideline, chapter 4", "https://doi.org/10.1016/j.kint.2023.10.018")
METFORMIN_2016 = Citation(
    "FDA safety communication on metformin and kidney function, 2016",
    "https://www.fda.gov/drugs/drug-safety-and-availability/"
    "fda-drug-safety-communication-fda-revises-warnings-regarding-use-diabetes-medicine-metformin-certain",
)


def _label(name: str) -> Citation:
    return Citation(f"United States label of {name}", _DAILYMED + name.replace(" ", "+"))


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

_C, _E = Measure.CLEARANCE, Measure.EGFR
_STOP, _AVOID, _REDUCE = Action.CONTRAINDICATED, Action.AVOID, Action.REDUCE

# fmt: off
LIMITS: tuple[Limit, ...] = (
    # --- glucose -----------------------------------------------------------------------------------------------
    Limit(medicines.METFORMIN, _E, 45, _REDUCE,
          msg("below 45 it is not started, and a dose taken already is halved, to 1000 mg a day as a rule"),
          METFORMIN_2016, 1000),
    Limit(medicines.METFORMIN, _E, 30, _STOP, msg("contraindicated below 30, for lactic acidosis"), METFORMIN_2016),
    Limit(SITAGLIPTIN, _E, 45, _REDUCE, msg("50 mg once daily from 30 to 44"), _label("sitagliptin"), 50),
    Limit(SITAGLIPTIN, _E, 30, _REDUCE, msg("25 mg once daily below 30"), _label("sitagliptin"), 25),
    # --- anticoagulants ----------------------------------------------------------------------------------------
    Limit(DABIGATRAN, _C, 30, _AVOID,
          msg("from 15 to 30 the United States label gives 75 mg twice daily in atrial fibrillation alone; the "
              "European label and the Beers criteria say not to use it below 30"), _label("dabigatran"), 150),
    Limit(DABIGATRAN, _C, 15, _AVOID, msg("no dose is known below 15"), _label("dabigatran")),
    Limit(RIVAROXABAN, _C, 51, _REDUCE,
          msg("in atrial fibrillation 15 mg once daily at 50 or below; other indications have other limits"),
          _label("rivaroxaban"), 15),
    Limit(RIVAROXABAN, _C, 15, _AVOID, msg("avoided below 15"), _label("rivaroxaban")),
    Limit(EDOXABAN, _C, 51, _REDUCE, msg("30 mg once daily from 15 to 50"), _label("edoxaban"), 30),
    Limit(EDOXABAN, _C, 15, _AVOID, msg("not recommended below 15"), _label("edoxaban")),
    Limit(ENOXAPARIN, _C, 30, _REDUCE,
          msg("below 30 once a day instead of twice: 30 mg to prevent, 1 mg per kg to treat"), _label("enoxaparin")),
    Limit(FONDAPARINUX, _C, 30, _STOP, msg("contraindicated below 30"), _label("fondaparinux")),
    # --- infection ---------------------------------------------------------------------------------------------
    Limit(NITROFURANTOIN, _C, 60, _AVOID,
          msg("the label says not to use it below 60; the Beers criteria of 2023 accept a short course from 30 on"),
          BEERS_2023),
    Limit(NITROFURANTOIN, _C, 30, _STOP,
          msg("contraindicated below 30, where it does not reach the urine and harms nerves"), BEERS_2023),
    Limit(TRIMETHOPRIM, _C, 30, _REDUCE,
          msg("half the dose from 15 to 30; watch potassium"), _label("sulfamethoxazole and trimethoprim")),
    Limit(TRIMETHOPRIM, _C, 15, _AVOID, msg("not recommended below 15"), _label("sulfamethoxazole and trimethoprim")),
    Limit(CIPROFLOXACIN, _C, 30, _REDUCE,
          msg("250 to 500 mg every 18 hours by mouth below 30"), _label("ciprofloxacin"), 667),
    Limit(LEVOFLOXACIN, _C, 50, _REDUCE,
          msg("below 50 the interval is 48 hours or the dose is halved, by what the full dose is"),
          _label("levofloxacin")),
    Limit(VALACYCLOVIR, _C, 50, _REDUCE, msg("in shingles 1 g every 12 hours from 30 to 49"),
          _label("valacyclovir"), 2000),
    Limit(VALACYCLOVIR, _C, 30, _REDUCE, msg("in shingles 1 g every 24 hours from 10 to 29"),
          _label("valacyclovir"), 1000),
    Limit(VALACYCLOVIR, _C, 10, _REDUCE, msg("500 mg every 24 hours below 10"), _label("valacyclovir"), 500),
    # --- nerves, pain, mind ------------------------------------------------------------------------------------
    Limit(GABAPENTIN, _C, 60, _REDUCE, msg("at most 1400 mg a day from 30 to 59"), _label("gabapentin"), 1400),
    Limit(GABAPENTIN, _C, 30, _REDUCE, msg("at most 700 mg a day from 15 to 29"), _label("gabapentin"), 700),
    Limit(GABAPENTIN, _C, 15, _REDUCE, msg("at most 300 mg a day below 15"), _label("gabapentin"), 300),
    Limit(PREGABALIN, _C, 60, _REDUCE, msg("at most 300 mg a day from 30 to 59"), _label("pregabalin"), 300),
    Limit(PREGABALIN, _C, 30, _REDUCE, msg("at most 150 mg a day from 15 to 29"), _label("pregabalin"), 150),
    Limit(PREGABALIN, _C, 15, _REDUCE, msg("at most 75 mg a day below 15"), _label("pregabalin"), 75),
    Limit(BACLOFEN, _E, 30, _AVOID,
          msg("avoided below 30 at any dose, for it accumulates and clouds the mind"), BEERS_2023),
    Limit(BACLOFEN, _E, 60, _REDUCE,
          msg("the lowest dose that works, and watched, below 60, for it accumulates and clouds the mind"), BEERS_2023),
    Limit(LITHIUM, _C, 30, _AVOID, msg("avoided below 30"), _label("lithium")),
    Limit(TRAMADOL, _C, 30, _REDUCE,
          msg("below 30 every 12 hours and at most 200 mg a day; no prolonged-release product"),
          _label("tramadol"), 200),
    Limit(DULOXETINE, _C, 30, _AVOID, msg("avoided below 30"), _label("duloxetine")),
    Limit(MEMANTINE, _C, 30, _REDUCE, msg("5 mg twice daily from 5 to 29"), _label("memantine"), 10),
    # --- gout, joints, bones -----------------------------------------------------------------------------------
    Limit(ALLOPURINOL, _C, 20, _REDUCE, msg("at most 200 mg a day from 10 to 20, to begin with"),
          _label("allopurinol"), 200),
    Limit(ALLOPURINOL, _C, 10, _REDUCE, msg("at most 100 mg a day below 10, to begin with"),
          _label("allopurinol"), 100),
    Limit(COLCHICINE, _C, 30, _REDUCE,
          msg("below 30 begin with 0.3 mg a day to prevent; a course for an attack not oftener than every 2 weeks"),
          _label("colchicine"), 0.3),
    Limit(METHOTREXATE, _E, 30, _AVOID,
          msg("avoided below 30, for it accumulates and harms the marrow"), KDIGO_2024),
    Limit(medicines.NSAID, _E, 30, _AVOID, msg("avoided below 30, for it harms the kidney further"), BEERS_2023),
    Limit(ZOLEDRONATE, _C, 35, _STOP, msg("contraindicated for osteoporosis below 35"), _label("zoledronic acid")),
    Limit(ALENDRONATE, _C, 35, _AVOID, msg("not recommended below 35"), _label("alendronate")),
    # --- others ------------------------------------------------------------------------------------------------
    Limit(SPIRONOLACTONE, _C, 30, _AVOID, msg("avoided below 30, for potassium rises"), BEERS_2023),
    Limit(EPLERENONE, _C, 31, _STOP, msg("contraindicated at 30 or below, for potassium rises"), _label("eplerenone")),
    Limit(FAMOTIDINE, _C, 50, _REDUCE, msg("at most 20 mg a day below 50, for it confuses"), BEERS_2023, 20),
)
# fmt: on


def strictest(medicine: MedicationFeature, value: float) -> Limit | None:
    """The row that holds at this kidney function, as printed: the lowest limit above it, or None if there is none."""
    reached = [limit for limit in LIMITS if limit.medicine == medicine and round(value) < limit.below]
    return min(reached, key=lambda limit: limit.below, default=None)


MEDICINES: tuple[tuple[MedicationFeature, Measure], ...] = tuple(
    dict.fromkeys((limit.medicine, limit.measure) for limit in LIMITS)
)
"""Each medicine of the table with what it is dosed by."""
