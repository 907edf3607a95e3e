"""Recipe of `serious-illness`: death in hospital and within 180 days, SUPPORT.

The population and the columns that leak are in `card.md`, which this recipe writes. Run it with
`curbside models train serious-illness --data support2_train.csv.gz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.api import TrainedModel
from cds_service.api import catalogue as c
from cds_service.api import serious_illness as s
from cds_service.training import card, folder, ordered, outcome_card, tables
from cds_service.training.evaluation import Judge, judged_table
from cds_service.training.evidence import OutcomeEvidence
from cds_service.training.hazard import Matrix, Recipe
from cds_service.training.local import Local
from cds_service.training.masking import Dropout
from cds_service.training.ordered import Ordered
from cds_service.training.outcomes import Outcomes
from cds_service.training.study import Plan
from cds_service.training.tables import Data, Source, Told

ID, VERSION, SEED = "serious-illness", "1.1.0", 20261102
TITLE = "Death in hospital and within 180 days in serious illness"
HOSPITAL, HALF_YEAR = "hospital_death", "death_180d"
TITLES = {HOSPITAL: "death in hospital", HALF_YEAR: "death within 180 days"}
AGES = (18, 120)
REQUIRED, MINIMUM = ("age", s.ILLNESS.id, s.HOSPITAL_DAY.id), 6
ROUNDS, CUTS = 200, 4

_ILLNESSES = {
    "ARF/MOSF w/Sepsis": s.ORGAN_FAILURE, "MOSF w/Malig": s.ORGAN_FAILURE_CANCER, "CHF": s.HEART_FAILURE,
    "COPD": s.COPD, "Cirrhosis": s.CIRRHOSIS, "Colon Cancer": s.COLON_CANCER, "Lung Cancer": s.LUNG_CANCER,
    "Coma": s.COMA,
}  # fmt: skip
_EXTENTS = {"no": s.NO_CANCER, "yes": s.CANCER, "metastatic": s.METASTATIC}
# The coma score of the study -> Glasgow Coma Scale.
_COMA = {"0": 15.0, "9": 14.0, "26": 12.0, "37": 10.0, "41": 9.0, "44": 8.0, "55": 7.0, "61": 6.0, "89": 5.0,
         "94": 4.0, "100": 3.0}  # fmt: skip
SOURCES = (
    Source(c.AGE, "age", "a", (0, 130)),
    Source(c.SEX, "sex", "", cells={"female": "female", "male": "male"}, numbers={"female": 0.0, "male": 1.0}),
    Source(s.ILLNESS, "dzgroup", "", cells=_ILLNESSES, numbers=s.ORDER, group="illness"),
    Source(s.CANCER_EXTENT, "ca", "", cells=_EXTENTS, group="illness",
           numbers={s.NO_CANCER: 0.0, s.CANCER: 1.0, s.METASTATIC: 2.0}),
    Source(s.COMORBIDITIES, "num.co", "1", (0, 30)),
    Source(c.DIABETES, "diabetes", "", (0, 1)),
    Source(c.DEMENTIA, "dementia", "", (0, 1)),
    Source(s.HOSPITAL_DAY, "hday", "d", (0, 1000)),
    Source(s.GCS, "scoma", "", ranges=_COMA),
    Source(s.PRESSURE, "meanbp", "mm[Hg]", (0, 400)),
    Source(s.HEART_RATE, "hrt", "/min", (0, 400)),
    Source(s.RESPIRATORY_RATE, "resp", "/min", (0, 200), group="breathing"),
    Source(s.TEMPERATURE, "temp", "Cel", (10, 50)),
    Source(s.OXYGENATION, "pafi", "mm[Hg]", (0, 2000), group="breathing"),
    Source(s.PH, "ph", "[pH]", (6, 9), group="breathing"),
    Source(s.WBC, "wblc", "10*3/uL", (0, 1000)),
    Source(s.ALBUMIN, "alb", "g/dL", (0, 40)),
    Source(s.BILIRUBIN, "bili", "mg/dL", (0, 150)),
    Source(s.CREATININE, "crea", "mg/dL", (0, 60), group="kidney"),
    Source(s.BUN, "bun", "mg/dL", (0, 500), group="kidney"),
    Source(s.SODIUM, "sod", "mmol/L", (50, 300)),
    Source(s.GLUCOSE, "glucose", "mg/dL", (0, 3000)),
    Source(s.URINE, "urine", "mL", (0, 30000), group="kidney"),
    Source(s.POINTS),
)  # fmt: skip
# Known columns of the source data that are no inputs.
UNUSED = """
    death hospdead slos d.time dzclass edu income charges totcst totmcst avtisst race sps aps surv2m surv6m prg2m prg6m
    dnr dnrday adlp adls sfdm2 adlsc
""".split()  # noqa: SIM905 - columns are easier to read so
CEILING = ("edu", "adlp", "adls")

TOLD = (
    Told("hospdead", ("0", "1")), Told("death", ("0", "1")), Told("d.time", limits=(0, 1e5)), Told("race"),
)  # fmt: skip
PANELS = {
    "blood gases": (s.OXYGENATION.id, s.PH.id),
    "albumin and bilirubin": (s.ALBUMIN.id, s.BILIRUBIN.id),
    "urea nitrogen": (s.BUN.id,),
    "glucose": (s.GLUCOSE.id,),
    "urine": (s.URINE.id,),
    "coma scale": (s.GCS.id,),
    "vital signs": (s.PRESSURE.id, s.HEART_RATE.id, s.RESPIRATORY_RATE.id, s.TEMPERATURE.id),
}
PATTERNS = {
    "no urine": frozenset({"urine"}),
    "no blood gases, urine": frozenset({"blood gases", "urine"}),
    "no blood gases, albumin, bilirubin, urine": frozenset({"blood gases", "albumin and bilirubin", "urine"}),
    "no coma scale": frozenset({"coma scale"}),
}
# Each round adds two trees, which may cut an input at four places drawn at random.
START = {
    "eta": 0.06, "max_depth": 4, "num_parallel_tree": 2, "min_child_weight": 6.0, "lambda": 3.0, "subsample": 0.7,
    "colsample_bynode": 0.4,
}  # fmt: skip
SPACE: dict[str, tuple[str, float, float]] = {}
RACES = ("white", "black", "hispanic", "asian", "other")


def main(
    data: Path,
    out: Path,
    trials: int,
    *,
    rounds: int = ROUNDS,
    outer: int = 5,
    replicates: int = 300,
    rival: int = 2,
    refits: int = 6,
) -> None:
    """Writes weights, manifest, card and plots into `out`; the same data and trials give the same bytes."""
    table = tables.read(data, SOURCES, "sno", UNUSED, told=TOLD)
    patients = cohort(table)
    plan = Plan(
        recipe=Recipe(rounds, [source.monotone for source in SOURCES], dropout(), SEED, CUTS),
        start=START,
        space=SPACE,
        calibrated_on=np.ones(len(patients), dtype=np.bool_),
        trials=trials,
        outer=outer,
        seed=SEED,
    )
    result = ordered.run(patients, plan)
    written = folder.write(
        out,
        _manifest(table, patients, result, plan),
        result.final.booster,
        {HOSPITAL: result.studies[HOSPITAL].final},
    )
    words = card.read_words(Path(__file__).with_name("words.md"))
    outcome_card.write(out, _evidence(written, table, patients, result, plan, (replicates, rival, refits)), words)


def evaluate(data: Path, model: TrainedModel) -> str:
    """How the model does on rows with outcomes, in the source data's columns; Markdown.

    It cannot know whether the rows were among those that it was trained on.
    """
    table = tables.read(data, SOURCES, "sno", UNUSED, told=TOLD)
    patients, speaks = cohort(table), spoken(table)
    blocks = {}
    for name, log_odds in model.log_odds(table.matrix).items():
        judge = Judge(patients.within(str(name)), SEED)
        parts = {"all patients": np.ones(len(patients), dtype=np.bool_), "patients for whom it speaks": speaks}
        parts |= {group: speaks & rows for group, rows in subgroups(table).items()}
        found = {group: judge(log_odds, rows) for group, rows in parts.items()}
        blocks[TITLES[str(name)].capitalize()] = judged_table(found)
    return outcome_card.report(f"{TITLE}, version {model.version}, on {data.name}", blocks)


def observed(data: Path) -> Local:
    """What came to the rows of a table, and for which of them the model speaks."""
    table = tables.read(data, SOURCES, "sno", UNUSED, told=TOLD)
    patients = cohort(table)
    return Local(
        table.matrix,
        {target: (known, patients.within(target)) for target, known in patients.known.items()},
        spoken(table),
    )


def cohort(table: Data) -> Outcomes:
    """The patients of the table, with both outcomes."""
    frame = table.frame
    hospital = frame["hospdead"].to_numpy().astype(np.float64)
    half_year = ((frame["death"] == 1) & (frame["d.time"] <= 180)).to_numpy().astype(np.float64)
    strata = (np.maximum(half_year, hospital) + hospital).astype(np.int64)
    return Outcomes(table.matrix, {HOSPITAL: hospital, HALF_YEAR: half_year}, strata)


def spoken(table: Data) -> NDArray[np.bool_]:
    """For whom the model gives a number."""
    place = {source.feature.id: position for position, source in enumerate(SOURCES)}
    derived = {s.ILLNESS.id, s.CANCER_EXTENT.id, s.COMORBIDITIES.id, s.HOSPITAL_DAY.id, s.PRESSURE.id, "age", "sex",
               s.POINTS.id}  # fmt: skip
    counted = [position for id_, position in place.items() if id_ not in derived]
    age = table.matrix[:, 0]
    needed = ~np.isnan(table.matrix[:, [place[id_] for id_ in REQUIRED]]).any(axis=1)
    enough = (~np.isnan(table.matrix[:, counted])).sum(axis=1) >= MINIMUM
    return np.asarray(needed & enough & (age >= AGES[0]) & (age < AGES[1] + 1))


def subgroups(table: Data) -> dict[str, NDArray[np.bool_]]:
    """Who is reported on apart: by sex, age, illness and race, which is never an input."""
    frame, age, sex = table.frame, table.matrix[:, 0], table.matrix[:, 1]
    groups = {"women": np.asarray(sex == 0), "men": np.asarray(sex == 1)}
    for low, high in ((18, 50), (50, 65), (65, 80), (80, 121)):
        groups[f"{low}–{high - 1}" if high < AGES[1] else f"{low} and over"] = np.asarray((age >= low) & (age < high))
    groups |= {word: (frame["dzgroup"] == cell).to_numpy() for cell, word in _ILLNESSES.items()}
    return groups | {f"{race} (race as recorded)": (frame["race"] == race).to_numpy() for race in RACES}


def dropout() -> Dropout:
    """Panels hidden in a copy of a part of the rows, so that a sparse record is an ordinary case."""
    place = {source.feature.id: position for position, source in enumerate(SOURCES)}
    panels = {name: [place[id_] for id_ in ids] for name, ids in PANELS.items()}
    kept = [place[id_] for id_ in (*REQUIRED, "sex")]
    return Dropout(panels, list(PATTERNS.values()), kept, single=0.0, copied=0.25, remade=tables.remade(SOURCES))


def ceiling(table: Data) -> Matrix:
    """The inputs with every other column that does not leak."""
    frame = table.frame
    further = [frame[name].to_numpy().astype(np.float32) for name in CEILING]
    further += [frame["income"].astype("category").cat.codes.to_numpy().astype(np.float32)]
    further += [(frame["race"] == race).to_numpy().astype(np.float32) for race in RACES]
    return np.column_stack([table.matrix, *further]).astype(np.float32)


def _manifest(table: Data, patients: Outcomes, result: Ordered, plan: Plan) -> folder.Manifest:
    final = result.final
    known = {name: {"patients": len(patients), "died": int(came.sum())} for name, came in patients.came.items()}
    parameters = {f"{HOSPITAL}_{name}": value for name, value in result.studies[HOSPITAL].final.parameters.items()}
    return folder.Manifest(
        id=ID,
        version=VERSION,
        title=TITLE,
        outcome="death",
        inputs=table.inputs,
        speaks=folder.Speaks(AGES, REQUIRED, MINIMUM),
        calibration=folder.calibrated(final.calibration, "out-of-fold margins of all patients"),
        expected_margin=folder.expected_margin(final.booster, patients.matrix),
        population=folder.Population(
            source="SUPPORT phases I and II, five teaching hospitals in the United States, 1989-1994",
            licence="CC BY 4.0 (UCI Machine Learning Repository 880); de-identified, no re-identification",
            people=len(patients),
            deaths=int(patients.within(HALF_YEAR).sum()),
            description="seriously ill in-patients of 18 years and over with one of eight illnesses",
            horizons=known,
        ),
        table=folder.Table("sno", tuple(UNUSED)),
        training={"seed": SEED, "rounds": plan.recipe.rounds, "cuts": plan.recipe.cuts,
                  "trials": plan.trials, "outer_folds": plan.outer,
                  "inner_folds": plan.inner, **final.parameters, **parameters},
        versions=folder.versions(),
        weights="",
        sha256="",
    )  # fmt: skip


def _evidence(
    manifest: folder.Manifest,
    table: Data,
    patients: Outcomes,
    result: Ordered,
    plan: Plan,
    counts: tuple[int, int, int],
) -> OutcomeEvidence:
    frame = table.frame
    guesses = {
        "SUPPORT's own model": {HALF_YEAR: -frame["surv6m"].to_numpy(np.float64),
                                HOSPITAL: -frame["surv2m"].to_numpy(np.float64)},
        "the physician's guess": {HALF_YEAR: -frame["prg6m"].to_numpy(np.float64),
                                  HOSPITAL: -frame["prg2m"].to_numpy(np.float64)},
    }  # fmt: skip
    return OutcomeEvidence(
        manifest=manifest,
        cohort=patients,
        study=result,
        titles=TITLES,
        spoken=spoken(table),
        who="patients with enough measurements",
        subgroups=subgroups(table),
        dropout=dropout(),
        patterns=PATTERNS,
        scores=guesses,
        ceiling=ceiling(table),
        thresholds={HOSPITAL: (0.25, 0.5), HALF_YEAR: (0.5, 0.75)},
        seed=SEED,
        replicates=counts[0],
        trials=counts[1],
        recipe=plan.recipe,
        refits=counts[2],
        inner=1,
    )
