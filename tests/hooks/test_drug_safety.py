"""drug-safety: what it finds in a draft, how loud, and what it offers."""

from datetime import timedelta

import pytest
from charts import RXNORM, SNOMED, Chart
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cds_service.features.medicines import NSAID
from cds_service.findings import Severity
from cds_service.knowledge.renal_limits import LIMITS
from cds_service.language import ENGLISH, inside

SERVICE = "drug-safety"


def chart(age=50, sex="male"):
    made = Chart(age, sex=sex).measured(creatinine=0.9, potassium=4.2, sodium=140, platelets=220, alt=20)
    return made.measured(hemoglobin=14.0, white_cells=7.0, glucose=95, inr=1.0, weight=75)


def answered(ask, made, service=SERVICE):
    """What endangers: without what is to be measured."""
    return endangering(ask(service, made).findings)


def endangering(findings):
    return [f for f in findings if "/monitoring/" not in f.key and not f.quiet]


# Pairs that textbooks teach, and how loud the card must be. Written from general knowledge of: Hansten and Horn, The
# Top 100 Drug Interactions; Preston (ed.), Stockley's Drug Interactions; BNF, appendix 1; Katzung, Basic and Clinical
# Pharmacology, appendix on drug interactions. None of them was open while this list was made.
PAIRS = (
    ("simvastatin", "clarithromycin", "critical"), ("simvastatin", "itraconazole", "critical"),
    ("lovastatin", "ketoconazole", "critical"), ("simvastatin", "gemfibrozil", "critical"),
    ("simvastatin", "cyclosporine", "critical"), ("simvastatin", "erythromycin", "critical"),
    ("atorvastatin", "cyclosporine", "warning"), ("simvastatin", "amiodarone", "info"),
    ("warfarin", "fluconazole", "warning"), ("warfarin", "metronidazole", "warning"),
    ("warfarin", "sulfamethoxazole", "warning"), ("warfarin", "amiodarone", "warning"),
    ("warfarin", "rifampin", "warning"), ("warfarin", "ibuprofen", "warning"), ("warfarin", "aspirin", "warning"),
    ("apixaban", "carbamazepine", "critical"), ("rivaroxaban", "rifampin", "critical"),
    ("rivaroxaban", "naproxen", "warning"), ("apixaban", "clopidogrel", "warning"),
    ("warfarin", "apixaban", "critical"),
    ("sildenafil", "nitroglycerin", "critical"), ("tadalafil", "isosorbide mononitrate", "critical"),
    ("phenelzine", "sertraline", "critical"), ("tranylcypromine", "venlafaxine", "critical"),
    ("phenelzine", "meperidine", "critical"), ("phenelzine", "pseudoephedrine", "critical"),
    ("linezolid", "citalopram", "critical"), ("methylene blue", "fluoxetine", "critical"),
    ("sumatriptan", "ergotamine", "critical"), ("ergotamine", "clarithromycin", "critical"),
    ("azathioprine", "allopurinol", "critical"), ("mercaptopurine", "febuxostat", "critical"),
    ("methotrexate", "trimethoprim", "critical"), ("methotrexate", "ibuprofen", "warning"),
    ("lithium", "hydrochlorothiazide", "warning"), ("lithium", "ibuprofen", "warning"),
    ("lithium", "lisinopril", "warning"), ("digoxin", "amiodarone", "warning"), ("digoxin", "verapamil", "warning"),
    ("digoxin", "clarithromycin", "warning"), ("metoprolol", "verapamil", "warning"),
    ("lisinopril", "spironolactone", "info"), ("lisinopril", "losartan", "warning"),
    ("lisinopril", "sacubitril", "critical"), ("spironolactone", "potassium chloride", "warning"),
    ("losartan", "trimethoprim", "warning"), ("clopidogrel", "omeprazole", "info"),
    ("theophylline", "ciprofloxacin", "warning"), ("tizanidine", "ciprofloxacin", "critical"),
    ("tizanidine", "fluvoxamine", "critical"), ("tacrolimus", "clarithromycin", "warning"),
    ("cyclosporine", "rifampin", "warning"), ("colchicine", "clarithromycin", "warning"),
    ("carbamazepine", "erythromycin", "warning"), ("valproate", "meropenem", "warning"),
    ("lamotrigine", "valproate", "warning"), ("oxycodone", "alprazolam", "warning"),
    ("morphine", "naltrexone", "critical"), ("tramadol", "sertraline", "info"),
    ("fentanyl", "ritonavir", "warning"), ("triazolam", "ketoconazole", "critical"),
    ("amiodarone", "sotalol", "critical"), ("pimozide", "clarithromycin", "critical"),
    ("dofetilide", "hydrochlorothiazide", "critical"), ("ciprofloxacin", "calcium carbonate", "info"),
    ("levothyroxine", "ferrous sulfate", "info"), ("isotretinoin", "doxycycline", "critical"),
    ("ethinyl estradiol", "rifampin", "warning"), ("atazanavir", "omeprazole", "critical"),
    ("levodopa", "metoclopramide", "warning"), ("propranolol", "albuterol", "warning"),
    ("eplerenone", "ketoconazole", "critical"), ("ivabradine", "diltiazem", "critical"),
    ("clozapine", "fluvoxamine", "warning"), ("tamoxifen", "paroxetine", "warning"),
    ("repaglinide", "gemfibrozil", "critical"), ("gentamicin", "furosemide", "warning"),
)  # fmt: skip
# Combinations that are given every day and need no card by default.
SAFE = (
    ("metformin", "lisinopril"), ("metformin", "atorvastatin"), ("amlodipine", "lisinopril"),
    ("amlodipine", "atorvastatin"), ("amlodipine", "metoprolol"), ("lisinopril", "atorvastatin"),
    ("lisinopril", "hydrochlorothiazide"), ("losartan", "amlodipine"), ("losartan", "rosuvastatin"),
    ("aspirin", "atorvastatin"), ("aspirin", "metoprolol"), ("aspirin", "lisinopril"),
    ("clopidogrel", "pantoprazole"), ("clopidogrel", "atorvastatin"), ("apixaban", "metoprolol"),
    ("apixaban", "atorvastatin"), ("apixaban", "acetaminophen"), ("apixaban", "amlodipine"),
    ("warfarin", "metoprolol"), ("warfarin", "lisinopril"), ("warfarin", "pravastatin"), ("warfarin", "insulin"),
    ("levothyroxine", "metformin"), ("levothyroxine", "lisinopril"), ("levothyroxine", "sertraline"),
    ("sertraline", "lisinopril"), ("sertraline", "metformin"), ("sertraline", "atorvastatin"),
    ("escitalopram", "metformin"), ("mirtazapine", "lisinopril"), ("gabapentin", "metformin"),
    ("gabapentin", "lisinopril"), ("gabapentin", "acetaminophen"), ("acetaminophen", "ibuprofen"),
    ("acetaminophen", "amoxicillin"), ("amoxicillin", "metformin"), ("amoxicillin", "lisinopril"),
    ("azithromycin", "atorvastatin"), ("cephalexin", "lisinopril"), ("cephalexin", "metformin"),
    ("doxycycline", "metformin"), ("doxycycline", "atorvastatin"), ("nitrofurantoin", "levothyroxine"),
    ("omeprazole", "metformin"), ("omeprazole", "amlodipine"), ("pantoprazole", "warfarin"),
    ("famotidine", "atorvastatin"), ("montelukast", "fluticasone"), ("albuterol", "fluticasone"),
    ("albuterol", "metoprolol"), ("tiotropium", "formoterol"), ("budesonide", "formoterol"),
    ("tamsulosin", "finasteride"), ("allopurinol", "losartan"), ("allopurinol", "amlodipine"),
    ("empagliflozin", "metformin"), ("empagliflozin", "lisinopril"), ("sitagliptin", "metformin"),
    ("semaglutide", "metformin"), ("insulin glargine", "metformin"), ("insulin glargine", "lisinopril"),
    ("loratadine", "montelukast"), ("cetirizine", "amoxicillin"), ("levetiracetam", "lamotrigine"),
    ("prednisone", "albuterol"), ("rosuvastatin", "ezetimibe"), ("bisoprolol", "amlodipine"),
    ("carvedilol", "lisinopril"), ("estradiol", "levothyroxine"), ("folic acid", "levothyroxine"),
    ("alendronate", "atorvastatin"),
)  # fmt: skip


def loudest(findings):
    return max((f.severity for f in findings), default=None)


@pytest.mark.parametrize(("draft", "taken", "loud"), PAIRS)
def test_a_textbook_pair_is_found_as_loud_as_it_deserves(findings, draft, taken, loud):
    """Whichever of the two is drafted."""
    expected = Severity[loud.upper()]
    for new, old in ((draft, taken), (taken, draft)):
        found = endangering(findings(SERVICE, chart().draft(new).medicine("", old)))
        assert loudest(found) == expected, [f.key for f in found]


def test_there_are_sixty_of_each():
    """The goal of the two lists."""
    assert len(PAIRS) >= 60
    assert len(SAFE) >= 60


@pytest.mark.parametrize(("draft", "taken"), SAFE)
def test_an_everyday_combination_is_silent(findings, draft, taken):
    """An alert that is always there is read by nobody."""
    for new, old in ((draft, taken), (taken, draft)):
        assert endangering(findings(SERVICE, chart().draft(new).medicine("", old))) == []


@pytest.mark.parametrize(
    ("brand", "ingredient", "taken"),
    [("Zocor 40 mg tablet", "simvastatin", "clarithromycin"), ("Coumadin 5 MG", "warfarin", "fluconazole"),
     ("Viagra", "sildenafil", "nitroglycerin"), ("Bactrim DS", "sulfamethoxazole", "warfarin")],
)  # fmt: skip
def test_a_brand_or_a_product_is_its_ingredients(ask, brand, ingredient, taken):
    """The same findings by whatever name."""
    keys = {f.key for f in answered(ask, chart().draft(ingredient).medicine("", taken))}
    assert keys <= {f.key for f in answered(ask, chart().draft(brand).medicine("", taken))}
    assert keys


def test_a_code_without_words_is_enough(ask):
    """RxNorm ingredient codes resolve by themselves."""
    made = chart().draft("x").medicine("21212", "")
    made.drafts[0]["medicationCodeableConcept"] = {"coding": [{"system": RXNORM, "code": "36567"}]}
    assert loudest(answered(ask, made)) is Severity.CRITICAL


def test_two_drafts_are_held_against_each_other(ask):
    """Before either is signed; once, not twice."""
    found = answered(ask, chart().draft("sildenafil 50 mg").draft("nitroglycerin 0.4 mg"))
    assert [f.key for f in found] == ["drug-safety/nitroglycerin+sildenafil"]


def test_a_finding_says_why_what_to_do_and_where_it_stands(ask):
    """Mechanism, management, alternatives, the row and its publication, the order and the medicine."""
    (found,) = answered(ask, chart().draft("Simvastatin 40 mg").medicine("", "Clarithromycin 500 mg"))
    assert ENGLISH(found.headline).startswith("Simvastatin with clarithromycin (contraindicated). Strong CYP3A4")
    assert "Alternatives: rosuvastatin, pravastatin" in ENGLISH(found.advice)
    assert found.advice_source.url.startswith("https://")
    steps = [(ENGLISH(words), reference) for words, reference in found.path]
    assert steps[0] == ("Draft order: Simvastatin 40 mg", "MedicationRequest/draft-1")
    assert steps[1][0] == "Taken: Clarithromycin 500 mg"
    assert steps[2][1] == "curbside/interactions/simvastatin+class-strong-cyp3a4-inhibitor"


def test_the_draft_may_be_changed_to_what_is_clear_or_removed(ask):
    """A change deletes the old draft and drafts the new one without a dose."""
    answer = ask(SERVICE, chart().draft("Simvastatin 40 mg").medicine("", "Clarithromycin 500 mg"))
    assert answer.suggestions[:3] == [
        "Change simvastatin to rosuvastatin", "Change simvastatin to pravastatin",
        "Remove the draft order of simvastatin",
    ]  # fmt: skip
    change = answer.cards[0].suggestions[0]
    assert [a.type for a in change.actions] == ["delete", "create"]
    assert change.actions[0].resource_id == "MedicationRequest/draft-1"
    assert change.actions[1].resource["medicationCodeableConcept"]["coding"][0]["code"] == "301542"
    assert "dosageInstruction" not in change.actions[1].resource


def test_an_alternative_that_is_itself_harmful_is_not_offered(ask):
    """Azithromycin for clarithromycin, but not where an allergy to macrolides is on record."""
    made = chart().draft("clarithromycin").medicine("", "digoxin")
    assert "Change clarithromycin to azithromycin" in ask(SERVICE, made).suggestions
    allergic = chart().draft("clarithromycin").medicine("", "digoxin").intolerance("azithromycin")
    assert "Change clarithromycin to azithromycin" not in ask(SERVICE, allergic).suggestions


@pytest.mark.parametrize(
    ("draft", "allergy", "grave", "loud"),
    [("amoxicillin", "Penicillin", True, Severity.CRITICAL), ("amoxicillin", "Penicillins", False, Severity.WARNING),
     ("Augmentin", "amoxicillin", True, Severity.CRITICAL), ("cephalexin", "amoxicillin", True, Severity.WARNING),
     ("ceftriaxone", "amoxicillin", True, None), ("meropenem", "amoxicillin", True, None),
     ("sulfasalazine", "Sulfa drugs", True, Severity.CRITICAL), ("furosemide", "sulfa", True, None),
     ("naproxen", "aspirin", True, Severity.CRITICAL), ("celecoxib", "aspirin", True, None),
     ("lisinopril", "enalapril", True, Severity.CRITICAL), ("oxcarbazepine", "carbamazepine", True, Severity.CRITICAL),
     ("azithromycin", "penicillin", True, None)],
)  # fmt: skip
def test_an_allergy_counts_with_what_cross_reacts_and_with_nothing_else(ask, draft, allergy, grave, loud):
    """Critical only if the record calls the reaction grave."""
    made = chart().draft(draft).intolerance(allergy)
    if grave:
        made.rows[-1]["criticality"] = "high"
    assert loudest(answered(ask, made)) == loud


def test_an_allergy_is_told_with_what_it_did(ask):
    """Anaphylaxis and a rash are two different warnings; what is not recorded is not told."""
    made = chart().draft("amoxicillin").intolerance("penicillin")
    assert "to penicillins on record." in f"{ask(SERVICE, made).cards[0].summary}."
    made.rows[-1]["reaction"] = [{"manifestation": [{"text": "Anaphylaxis"}]}]
    (card,) = ask(SERVICE, made).cards
    assert "Amoxicillin: allergy or intolerance to penicillins on record (Anaphylaxis)" in card.summary
    assert ": Anaphylaxis (source " in card.detail


def test_no_known_allergy_is_no_allergy(ask):
    """The statement that there are none is not an entry to be matched."""
    made = chart().draft("amoxicillin").intolerance("x")
    made.rows[-1]["code"] = {"coding": [{"system": SNOMED, "code": "716186003"}], "text": "No known allergy"}
    assert ask(SERVICE, made).findings == ()


@pytest.mark.parametrize(
    ("draft", "problem", "loud"),
    [("propranolol", "195967001", Severity.CRITICAL), ("metoprolol", "195967001", Severity.INFO),
     ("lisinopril", "77386006", Severity.CRITICAL), ("methotrexate", "77386006", Severity.CRITICAL),
     ("ibuprofen", "84114007", Severity.WARNING), ("pioglitazone", "84114007", Severity.CRITICAL),
     ("metoclopramide", "49049000", Severity.CRITICAL), ("sumatriptan", "53741008", Severity.CRITICAL),
     ("bupropion", "84757009", Severity.CRITICAL), ("ciprofloxacin", "91637004", Severity.CRITICAL),
     ("primaquine", "62403005", Severity.CRITICAL), ("haloperidol", "80098002", Severity.WARNING),
     ("metformin", "195967001", None), ("amoxicillin", "77386006", None), ("acetaminophen", "84114007", None)],
)  # fmt: skip
def test_a_condition_that_forbids_the_draft_is_told(ask, draft, problem, loud):
    """Pregnancy among them; and nothing where nothing forbids it."""
    found = answered(ask, chart(40, "female").draft(draft).problem(problem))
    assert loudest(found) == loud, [f.key for f in found]


@pytest.mark.parametrize(
    ("draft", "measured", "key"),
    [("spironolactone", {"potassium": 5.7}, "spironolactone/test/potassium"),
     ("hydrochlorothiazide", {"sodium": 128}, "hydrochlorothiazide/test/sodium"),
     ("enoxaparin", {"platelets": 40}, "enoxaparin/test/platelets"),
     ("digoxin", {"potassium": 3.1}, "digoxin/test/potassium"),
     ("mirabegron", {"creatinine": 3.4}, "mirabegron/test/egfr"),
     ("zoledronic acid", {"creatinine": 3.4}, "zoledronic-acid/test/crcl")],
)  # fmt: skip
def test_a_value_beyond_a_limit_is_told_with_the_value(ask, draft, measured, key):
    """And silent within the limit."""
    assert [f.key for f in answered(ask, chart(60).draft(draft))] == []
    made = Chart(60).measured(**{"creatinine": 0.9, "weight": 75, "height": 175, **measured}, ago=timedelta(days=1))
    found = answered(ask, made.draft(draft))
    assert key in " ".join(f.key for f in found)


def test_age_counts_at_both_ends(ask):
    """Codeine for a child; a benzodiazepine at 80."""
    assert loudest(answered(ask, chart(9).draft("codeine"))) is Severity.CRITICAL
    assert loudest(answered(ask, chart(80).draft("diazepam"))) is Severity.INFO
    assert answered(ask, chart(40).draft("diazepam")) == []


def test_what_cannot_be_recognised_is_said_and_never_passed(ask):
    """A free-text draft, a combination with an unknown part, and a current medicine."""
    answer = ask(SERVICE, chart().draft("Grandmother's cough tea"))
    assert answer.summary == "Grandmother's cough tea: the medicine was not recognised, so nothing was checked"
    answer = ask(SERVICE, chart().draft("Lisinopril 10 MG / Foozadine 5 MG Oral Tablet"))
    assert "in part not recognised" in answer.summary
    answer = ask(SERVICE, chart().draft("lisinopril").medicine("", "Foozadine"))
    assert answer.summary == "Foozadine: not recognised, and not checked against the order"


@pytest.mark.parametrize("concept", [None, {}, {"text": ""}])
def test_an_order_without_a_medicine_asks_for_one(ask, concept):
    """Some EHRs call before one is chosen: that is no medicine without a name."""
    made = chart().draft("x")
    made.drafts[0]["medicationCodeableConcept"] = concept
    for service in (SERVICE, "drug-safety-select"):
        answer = ask(service, made)
        assert answer.summary == "An order names no medicine, so nothing was checked"
        assert "Choose the medicine first" in ENGLISH(answer.findings[0].advice)
    made.drafts[0]["medicationCodeableConcept"] = {"coding": [{"system": "urn:x", "code": "1"}]}
    assert ask(SERVICE, made).summary.startswith("An entry without a name: the medicine was not recognised")


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationAdministration"])
def test_a_medicine_is_checked_in_whatever_kind_it_comes(ask, kind):
    """What a pharmacist verifies or a patient wants again is an order in one EHR and a statement in another."""
    made = chart().draft("clarithromycin").medicine("", "simvastatin")
    made.drafts[0] |= {"resourceType": kind, "status": "active" if kind == "MedicationStatement" else "in-progress"}
    for service in ("drug-safety-refill", "drug-safety-verify"):
        assert ask(service, made).cards[0].indicator == "critical"


def test_a_kind_that_is_not_read_is_said_to_be_unchecked(ask):
    """A dispense among the drafts may be the one that harms."""
    made = chart().draft("clarithromycin")
    made.drafts[0] = {"resourceType": "MedicationDispense", "id": "d", "medicationCodeableConcept": {"text": "x"}}
    answer = ask("drug-safety-verify", made)
    assert answer.summary == "Orders of a kind that is not read here, not checked: 1"
    assert answer.cards[0].indicator == "warning"


def test_a_draft_for_another_patient_is_not_checked_and_that_is_said(ask):
    """A mixed-up order must not be judged by the wrong chart."""
    made = chart().draft("simvastatin").medicine("", "clarithromycin")
    made.drafts[0]["subject"] = {"reference": "Patient/someone-else"}
    answer = ask(SERVICE, made)
    assert [f.key for f in answer.findings] == ["drug-safety/foreign"]


def test_eye_drops_do_not_interact_but_allergies_count(ask):
    """A local form acts where it is put."""
    assert answered(ask, chart().draft("Ciprofloxacin ophthalmic solution").medicine("", "tizanidine")) == []
    assert answered(ask, chart().draft("Erythromycin eye ointment").intolerance("erythromycin"))


def test_a_renewal_is_asked_about_once_and_quietly_at_a_refill(ask):
    """The same medicine again: a question when ordering, nothing at the refill of itself."""
    (found,) = answered(ask, chart().draft("lisinopril 10 mg").medicine("", "Zestril 10 mg"))
    assert ENGLISH(found.headline) == "Lisinopril is on the medication list already: a renewal, or twice?"
    assert answered(ask, chart().draft("lisinopril 10 mg").medicine("", "Zestril 10 mg"), "drug-safety-refill") == []


def test_tests_that_a_medicine_calls_for_are_offered_if_they_are_missing(ask):
    """One card for the medicine, with the orders that mend it."""
    made = Chart(50).draft("spironolactone").knows("Observation")
    found = ask(SERVICE, made).finding("drug-safety/monitoring/spironolactone")
    assert ENGLISH(found.headline) == "Spironolactone: no usable recent value: creatinine, potassium"
    assert "Order serum creatinine with eGFR" in [ENGLISH(p.label) for p in found.proposals]
    assert ask(SERVICE, chart().draft("spironolactone")).finding("drug-safety/monitoring") is None


def test_of_a_combination_the_ingredient_that_calls_for_the_test_is_named(ask):
    """Not its class; and abbreviations keep their letters."""
    combined = ask(SERVICE, Chart(50).draft("perindopril / amlodipine 5 mg").knows("Observation"))
    told = combined.finding("drug-safety/monitoring").headline
    assert ENGLISH(told) == "Perindopril: no usable recent value: creatinine, potassium"
    alone = ask(SERVICE, Chart(50).draft("warfarin").knows("Observation")).finding("drug-safety/monitoring")
    assert ENGLISH(alone.headline) == "Warfarin: no usable recent value: INR"


def test_an_inr_of_last_month_is_no_reason_to_leave_out_a_dose(findings):
    """A high one of this week is."""

    def high(ago):
        usual = Chart(70).measured(creatinine=0.9, hemoglobin=14.0, platelets=220, alt=20)
        return usual.measured(inr=6.1, ago=timedelta(days=ago)).draft("warfarin")

    assert [f.severity for f in endangering(findings(SERVICE, high(2)))] == [Severity.WARNING]
    assert endangering(findings(SERVICE, high(30))) == []


def test_muscle_relaxants_of_the_beers_list_are_told_in_old_age_and_others_are_not(findings):
    """Baclofen and tizanidine are not on it."""
    assert endangering(findings(SERVICE, chart(80).draft("cyclobenzaprine")))
    assert endangering(findings(SERVICE, chart(80).draft("baclofen"))) == []


def test_a_creatinine_that_is_not_steady_is_no_silence_about_the_kidney(ask):
    """While it rises no eGFR can be told, and a medicine with a limit by it must not pass unseen."""
    made = Chart(60).measured(creatinine=0.9).measured(creatinine=2.9, ago=timedelta(days=1)).draft("ibuprofen")
    found = answered(ask, made)
    assert [f.key for f in found] == ["drug-safety/kidney-unknown/ibuprofen"]


@given(st.permutations(("warfarin", "simvastatin", "digoxin", "lisinopril", "ibuprofen", "sertraline")))
@example(("sertraline", "ibuprofen", "lisinopril", "digoxin", "simvastatin", "warfarin"))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_medicines_never_matters(ask, taken):
    """The same findings, as loud, whatever comes first on the list."""

    def found(order):
        made = chart().draft("clarithromycin")
        for name in order:
            made.medicine("", name)
        return {(f.key, f.severity) for f in answered(ask, made)}

    assert found(taken) == found(sorted(taken))


def frail():
    """A woman whose creatinine clearance is about 20 mL/min and whose eGFR is 26."""
    return Chart(81, sex="female").measured(weight=52, height=158, creatinine=1.9)


@pytest.mark.parametrize("service", ["drug-safety", "drug-safety-select"])
def test_a_kidney_limit_is_told_here_unless_renal_dosing_tells_it_at_the_same_hook(ask, service):
    """Switched off, silenced, or loaded for another hook only: then nobody else would say it."""
    beside = {"drug-safety": "renal-dosing", "drug-safety-select": "renal-dosing-select"}
    made = frail().draft("Nitrofurantoin 100 mg capsule", "1 capsule twice daily")
    assert ask(service, made).finding("drug-safety/nitrofurantoin/test/crcl")
    other = next(name for id_, name in beside.items() if id_ != service)
    assert ask(service, made, beside=[other]).finding("drug-safety/nitrofurantoin/test/crcl")
    assert ask(service, made, beside=[beside[service]]).finding("drug-safety/nitrofurantoin") is None


def test_a_kidney_limit_that_renal_dosing_does_not_judge_is_told_here(ask):
    """Meperidine has a row without a dose to judge: one service alone knows it."""
    made = frail().draft("Meperidine 50 mg tablet", "1 tablet every 6 hours")
    assert ask("renal-dosing", made).cards == ()
    assert ask(SERVICE, made, beside=["renal-dosing"]).finding("drug-safety/meperidine/test/crcl")


@pytest.mark.parametrize("medicine", sorted({limit.medicine.label.text for limit in LIMITS if limit.medicine != NSAID}))
@pytest.mark.parametrize("known", [True, False], ids=["known", "unsteady"])
def test_of_two_services_one_speaks_of_a_kidney_limit(ask, medicine, known):
    """Never neither, never both: neither of a limit that is broken nor of one that could not be checked."""
    made = Chart(81, sex="female").measured(weight=42, height=158, creatinine=5.5, potassium=4.2)
    if not known:
        made = made.measured(creatinine=1.9, ago=timedelta(days=1))
    made = made.draft(f"{medicine} injection" if "parin" in medicine else f"{medicine} tablet")
    told = ask(SERVICE, made, beside=["renal-dosing"])
    kidney = ("/test/egfr", "/test/crcl", "/test/creatinine")
    assert not [f.key for f in told.findings if f.key.endswith(kidney) or "kidney-unknown" in f.key]
    assert len(ask("renal-dosing", made).cards) == 1
    assert [f for f in ask(SERVICE, made).findings if f.key.endswith(kidney) or "kidney-unknown" in f.key] or not known


def test_ketorolac_is_judged_by_its_own_row(ask):
    """Not by that of its class, which only says to avoid it; and once."""
    found = ask("renal-dosing", frail().draft("Ketorolac 10 mg tablet", "1 tablet twice daily"))
    assert [f.key for f in found.findings if not f.quiet] == ["renal-dosing/ketorolac/egfr-below-30"]


def test_of_several_limits_the_furthest_leads(ask):
    """Gabapentin at 8 mL/min: the row below 15, not the one below 60; and the printed number is compared."""
    made = Chart(81, sex="female").measured(weight=42, height=158, creatinine=5.5).draft("gabapentin")
    path = ask(SERVICE, made).finding("drug-safety/gabapentin/test/crcl").path
    assert path[-1][1] == "curbside/limits/gabapentin+crcl+below+15"


def test_what_could_not_be_computed_gives_no_advice_as_if_it_had_been(ask):
    """An unusable creatinine: the limit is named and a test offered; nobody is told to stop a medicine."""
    made = Chart(60).measured(creatinine=0.9).measured(creatinine=2.9, ago=timedelta(days=1)).draft("metformin")
    found = ask(SERVICE, made)
    unknown = found.finding("drug-safety/kidney-unknown/metformin")
    assert ENGLISH(unknown.advice).startswith("Know the kidney function before this medicine is given: below 30 ")
    assert "Stop" not in ENGLISH(unknown.advice)
    assert [p.key for p in unknown.proposals] == ["creatinine"]
    monitored = found.finding("drug-safety/monitoring/metformin")
    assert monitored is None or "creatinine" not in ENGLISH(monitored.headline)


def test_caution_offers_no_removal(ask):
    """Valsartan and spironolactone belong together in heart failure: a test is asked for, not the end of one."""
    made = chart().draft("valsartan").medicine("", "spironolactone")
    found = ask(SERVICE, made)
    assert ENGLISH(found.finding("drug-safety/spironolactone+valsartan").advice).startswith("Check potassium")
    assert not [s for s in found.suggestions if s.startswith("Remove")]
    assert (
        "Remove the draft order of ibuprofen"
        in ask(SERVICE, chart().draft("ibuprofen").medicine("", "warfarin")).suggestions
    )


def test_an_order_that_a_pharmacist_verifies_is_no_draft_to_be_removed(ask):
    """It is signed already."""
    found = ask("drug-safety-verify", chart().draft("ibuprofen").medicine("", "warfarin"))
    assert found.cards[0].summary.startswith("Ibuprofen with warfarin (serious)")
    assert found.suggestions == []
    assert "Draft order" not in found.cards[0].detail


def test_a_limit_names_its_number_with_the_unit(ask):
    """As a clinician says it."""
    found = ask(SERVICE, frail().draft("Fondaparinux 2.5 mg injection"))
    assert "creatinine clearance (Cockcroft-Gault) 19 mL/min (contraindicated)" in found.cards[0].summary
    high = Chart(60).measured(potassium=5.8, creatinine=0.9, weight=80).draft("lisinopril")
    assert ask(SERVICE, high).cards[0].summary.startswith("Lisinopril at potassium 5.8 mmol/L on 22 Oct 2026 (serious)")


def test_alternatives_are_not_said_twice(ask):
    """Where the advice names them already."""
    found = ask(SERVICE, chart().draft("clarithromycin").medicine("", "amlodipine"))
    assert ENGLISH(found.finding("drug-safety/amlodipine+clarithromycin").advice) == "Choose azithromycin."


def test_a_pregnancy_that_nobody_ended_is_a_line_to_check_and_no_alarm(ask):
    """An active entry of years ago shows that the list is not kept, not a pregnancy; a new one counts."""
    old = chart(57, "female").problem("77386006", onset="1990-12-15")
    found = ask(SERVICE, old.draft("warfarin")).finding("drug-safety/warfarin/disease/pregnancy")
    assert found.severity is Severity.INFO
    assert "longer ago than it can last" in ENGLISH(found.advice)
    assert found.proposals == ()
    both = old.problem("77386006", onset="2026-09-01").draft("warfarin")
    assert ask(SERVICE, both).finding("drug-safety/warfarin/disease/pregnancy").severity is Severity.CRITICAL
    again = chart(40, "female").problem("77386006", onset="2020-01-01", recordedDate="2026-09-01").draft("warfarin")
    assert ask(SERVICE, again).finding("drug-safety/warfarin/disease/pregnancy").severity is Severity.CRITICAL


def test_a_pregnancy_of_years_ago_does_not_excuse_from_excluding_one(ask):
    """It asked whether the entry holds, and no longer to exclude a pregnancy before valproate."""
    old = chart(30, "female").problem("77386006", onset="2020-01-01").draft("valproate")
    assert ask(SERVICE, old).finding("drug-safety/childbearing/valproate") is not None
    now = chart(30, "female").problem("77386006", onset="2026-09-01").draft("valproate")
    assert ask(SERVICE, now).finding("drug-safety/childbearing/valproate") is None


def test_names_keep_their_capitals_inside_a_headline():
    """Parkinson was a person, QT and G6PD are no words; pregnancy is one."""
    names = ("Pregnancy", "Parkinson's disease", "Long QT syndrome", "G6PD deficiency", "HIV infection",
             "Stroke or TIA", "Strong CYP3A4 inhibitors", "ACE inhibitors", "Child-Pugh score")  # fmt: skip
    assert [inside(name) for name in names] == [
        "pregnancy", "Parkinson's disease", "long QT syndrome", "G6PD deficiency", "HIV infection", "stroke or TIA",
        "strong CYP3A4 inhibitors", "ACE inhibitors", "Child-Pugh score",
    ]  # fmt: skip
