"""Classes of medicines: RxNorm ingredients, ingredient names, ATC prefixes; and products known by their code.

A product is recognised by its RxNorm ingredient, by the table of products, by ATC, or by an ingredient name as a
whole word of its display or text, for products are endless. Ingredient codes were checked against the CPIC, ONC and
ANSM tables or against value sets in use; where no check was found, the name alone counts (None).
Eye drops, nasal sprays and skin preparations do not count as systemic treatment.
"""

from __future__ import annotations

from cds_service.features.feature import MedicationFeature
from cds_service.language import Message, msg

# Ingredient name -> RxNorm code of the ingredient (tty IN), None where it is matched by name only.
_STATINS: dict[str, str | None] = {
    "atorvastatin": "83367",
    "simvastatin": "36567",
    "rosuvastatin": "301542",
    "pravastatin": "42463",
    "lovastatin": "6472",
    "fluvastatin": "41127",
    "pitavastatin": "861634",
}
_ANTIHYPERTENSIVES: dict[str, str | None] = {
    # ACE inhibitors
    "lisinopril": "29046", "enalapril": "3827", "ramipril": "35296", "benazepril": "18867", "captopril": "1998",
    "fosinopril": "50166", "quinapril": "35208", "perindopril": "54552", "trandolapril": "38454", "moexipril": "30131",
    "imidapril": None, "zofenopril": "39990",
    # angiotensin receptor blockers
    "losartan": "52175", "valsartan": "69749", "irbesartan": "83818", "candesartan": "214354", "olmesartan": "321064",
    "telmisartan": "73494", "azilsartan": "1091643", "eprosartan": "83515", "sacubitril": None,
    "aliskiren": "325646",
    # calcium channel blockers
    "amlodipine": "17767", "felodipine": "4316", "nifedipine": "7417", "nicardipine": "7396", "isradipine": "33910",
    "nisoldipine": None, "diltiazem": "3443", "verapamil": "11170", "levamlodipine": None, "lercanidipine": "135056",
    "lacidipine": "28382", "nitrendipine": "7441", "benidipine": None,
    # beta blockers
    "metoprolol": "6918", "atenolol": "1202", "carvedilol": "20352", "bisoprolol": "19484", "propranolol": "8787",
    "nebivolol": "31555", "labetalol": "6185", "nadolol": "7226", "pindolol": "8332", "acebutolol": "149",
    "betaxolol": "1520", "timolol": "10600", "sotalol": "9947", "arotinolol": None,
    # diuretics: cohort studies count every diuretic as blood pressure treatment
    "hydrochlorothiazide": "5487", "chlorthalidone": "2409", "chlortalidone": None, "indapamide": "5764",
    "metolazone": None, "chlorothiazide": "2396", "bendroflumethiazide": "1369", "furosemide": "4603",
    "frusemide": None, "bumetanide": "1808", "torsemide": "38413", "torasemide": None, "spironolactone": "9997",
    "eplerenone": "298869", "amiloride": "644", "triamterene": "10763",
    # others
    "clonidine": "2599", "doxazosin": "49276", "prazosin": "8629", "terazosin": "37798", "hydralazine": None,
    "methyldopa": "6876", "guanfacine": "40114", "minoxidil": None, "moxonidine": "30257", "urapidil": "39230",
    "reserpine": None,
}  # fmt: skip
_ANTICOAGULANTS: dict[str, str | None] = {
    "warfarin": "11289", "apixaban": "1364430", "rivaroxaban": "1114195", "dabigatran": "1037042",
    "edoxaban": "1599538", "acenocoumarol": "154", "phenprocoumon": None, "fluindione": "50097",
    "enoxaparin": "67108", "dalteparin": None, "tinzaparin": "69646", "fondaparinux": "321208",
    "nadroparin": "67031", "bemiparin": None,
}  # fmt: skip
_GLUCOSE_LOWERING: dict[str, str | None] = {
    "metformin": "6809", "glipizide": "4821", "glimepiride": "25789", "glyburide": "4815", "glibenclamide": None,
    "gliclazide": "4816", "gliquidone": "25793", "repaglinide": "73044", "nateglinide": "274332",
    "pioglitazone": "33738", "rosiglitazone": "84108", "sitagliptin": "593411", "saxagliptin": "857974",
    "linagliptin": "1100699", "alogliptin": "1368001", "vildagliptin": "596554", "empagliflozin": "1545653",
    "dapagliflozin": "1488564", "canagliflozin": "1373458", "ertugliflozin": "1992672", "bexagliflozin": None,
    "henagliflozin": None, "liraglutide": "475968", "semaglutide": "1991302", "dulaglutide": "1551291",
    "exenatide": "60548", "lixisenatide": "1440051", "tirzepatide": "2601723", "acarbose": "16681",
    "miglitol": None, "voglibose": None, "insulin": "5856", "glargine": "274783", "lispro": "86009",
    "aspart": "51428", "detemir": "139825", "degludec": "1670007", "glulisine": "400008",
}  # fmt: skip
_VITAMIN_K_ANTAGONISTS = {
    name: _ANTICOAGULANTS[name] for name in ("warfarin", "acenocoumarol", "phenprocoumon", "fluindione")
}
_DIRECT_ORAL_ANTICOAGULANTS = {
    name: _ANTICOAGULANTS[name] for name in ("apixaban", "rivaroxaban", "dabigatran", "edoxaban")
}
_ANTIPLATELETS: dict[str, str | None] = {
    "aspirin": "1191", "clopidogrel": "32968", "ticagrelor": "1116632", "prasugrel": "613391", "dipyridamole": "3521",
    "acetylsalicylic": None, "ticlopidine": None, "cilostazol": None, "vorapaxar": None, "indobufen": None,
}  # fmt: skip
_NSAIDS: dict[str, str | None] = {
    "ibuprofen": "5640", "naproxen": "7258", "diclofenac": "3355", "meloxicam": "41493", "celecoxib": "140587",
    "indomethacin": None, "indometacin": None, "ketorolac": None, "etodolac": None, "nabumetone": None,
    "piroxicam": None, "ketoprofen": None, "etoricoxib": None, "sulindac": None, "oxaprozin": None,
    "flurbiprofen": None, "loxoprofen": None, "aceclofenac": None,
}  # fmt: skip
_SGLT2_INHIBITORS: dict[str, str | None] = {
    **{
        name: _GLUCOSE_LOWERING[name]
        for name in (
            "empagliflozin",
            "dapagliflozin",
            "canagliflozin",
            "ertugliflozin",
            "bexagliflozin",
            "henagliflozin",
        )
    },
    "sotagliflozin": None,
}
_RAS_INHIBITORS = {
    name: _ANTIHYPERTENSIVES[name]
    for name in (
        "lisinopril",
        "enalapril",
        "ramipril",
        "benazepril",
        "captopril",
        "fosinopril",
        "quinapril",
        "perindopril",
        "trandolapril",
        "moexipril",
        "imidapril",
        "zofenopril",
        "losartan",
        "valsartan",
        "irbesartan",
        "candesartan",
        "olmesartan",
        "telmisartan",
        "azilsartan",
        "eprosartan",
        "sacubitril",
    )
}
_ANTIBACTERIALS: dict[str, str | None] = dict.fromkeys((
    "amoxicillin", "ampicillin", "piperacillin", "flucloxacillin", "oxacillin", "nafcillin", "benzylpenicillin",
    "penicillin", "cefazolin", "cefalexin", "cephalexin", "cefuroxime", "cefoxitin", "cefotaxime", "ceftriaxone",
    "ceftazidime", "cefepime", "cefoperazone", "ceftaroline", "cefixime", "cefpodoxime", "meropenem", "imipenem",
    "ertapenem", "aztreonam", "azithromycin", "clarithromycin", "erythromycin", "doxycycline", "minocycline",
    "tigecycline", "ciprofloxacin", "levofloxacin", "moxifloxacin", "gentamicin", "tobramycin", "amikacin",
    "vancomycin", "teicoplanin", "linezolid", "daptomycin", "clindamycin", "metronidazole", "sulfamethoxazole",
    "cotrimoxazole", "nitrofurantoin", "fosfomycin", "colistin",
))  # fmt: skip
# Cleared by the kidney, with limits in `knowledge/renal_limits.py`, and in none of the classes above.
_CLEARED_BY_THE_KIDNEY: dict[str, str | None] = {
    "gabapentin": None, "pregabalin": "187832", "allopurinol": "519", "baclofen": "1292", "lithium": "6448",
    "methotrexate": "6851", "colchicine": "2683", "valacyclovir": None, "valaciclovir": None, "trimethoprim": "10829",
    "famotidine": "4278", "tramadol": "10689", "duloxetine": "72625", "zoledronic": None, "alendronate": None,
    "alendronic": None, "memantine": None,
}  # fmt: skip
_SEDATIVES: dict[str, str | None] = dict.fromkeys((
    "propofol", "midazolam", "dexmedetomidine", "remimazolam", "ketamine", "thiopental", "etomidate", "rocuronium",
    "vecuronium", "cisatracurium", "atracurium",
))  # fmt: skip
_INOTROPES: dict[str, str | None] = {"dopamine": "3628", "dobutamine": "3616"}
_CATECHOLAMINES: dict[str, str | None] = {
    "norepinephrine": "7512", "noradrenaline": None, "epinephrine": "3992", "adrenaline": None,
}  # fmt: skip
_HEPARINS: dict[str, str | None] = {"heparin": None}  # unfractionated; the others are among the anticoagulants
_HORMONES: dict[str, str | None] = dict.fromkeys((
    "estradiol", "ethinylestradiol", "ethinyl", "estrogens", "estrone", "estriol", "tibolone", "tamoxifen",
    "raloxifene", "toremifene", "bazedoxifene", "drospirenone", "desogestrel", "gestodene", "medroxyprogesterone",
    "megestrol",
))  # fmt: skip
_ERYTHROPOIETICS: dict[str, str | None] = dict.fromkeys(("epoetin", "darbepoetin", "erythropoietin"))
# Not methotrexate and not hydroxycarbamide, which are mostly given for other diseases.
_ANTINEOPLASTICS: dict[str, str | None] = dict.fromkeys((
    "cisplatin", "carboplatin", "oxaliplatin", "fluorouracil", "capecitabine", "gemcitabine", "pemetrexed",
    "paclitaxel", "docetaxel", "cabazitaxel", "doxorubicin", "epirubicin", "cyclophosphamide", "ifosfamide",
    "etoposide", "irinotecan", "topotecan", "vincristine", "vinblastine", "vinorelbine", "eribulin", "bleomycin",
    "dacarbazine", "temozolomide", "mitomycin", "bendamustine", "cytarabine", "trastuzumab", "bevacizumab",
    "rituximab", "cetuximab", "panitumumab", "ramucirumab", "pembrolizumab", "nivolumab", "atezolizumab",
    "durvalumab", "ipilimumab", "osimertinib", "erlotinib", "gefitinib", "alectinib", "sunitinib", "pazopanib",
    "sorafenib", "lenvatinib", "olaparib", "palbociclib",
))  # fmt: skip

# RxNorm products (SCD, SBD, SCDC) in the sample data whose display does not name, or misspells, the ingredient,
# and the commonest products of each class, for rows that carry no words at all.
PRODUCTS: dict[str, tuple[str, ...]] = {
    "316672": ("simvastatin",),  # "Simvistatin 10 MG" in Synthea
    "314231": ("simvastatin",),
    "312961": ("simvastatin",),
    "617314": ("atorvastatin",),
    "617310": ("atorvastatin",),
    "617311": ("atorvastatin",),
    "259255": ("atorvastatin",),
    "316049": ("hydrochlorothiazide",),
    "316052": ("hydrochlorothiazide",),
    "310798": ("hydrochlorothiazide",),
    "197361": ("amlodipine",),
    "308136": ("amlodipine",),
    "314076": ("lisinopril",),
    "314077": ("lisinopril",),
    "866414": ("metoprolol",),
    "897718": ("verapamil",),
    "315971": ("furosemide",),  # "Lasix 40mg" in Synthea
    "1719286": ("furosemide",),
    "855332": ("warfarin",),
    "860975": ("metformin",),
    "106892": ("insulin",),
}
BRANDS: dict[str, str] = {
    "lasix": "furosemide", "lipitor": "atorvastatin", "zocor": "simvastatin", "crestor": "rosuvastatin",
    "eliquis": "apixaban", "xarelto": "rivaroxaban", "pradaxa": "dabigatran", "coumadin": "warfarin",
    "glucophage": "metformin", "jardiance": "empagliflozin", "farxiga": "dapagliflozin", "ozempic": "semaglutide",
    "januvia": "sitagliptin", "lantus": "insulin", "humalog": "insulin", "novolog": "insulin", "humulin": "insulin",
    "norvasc": "amlodipine", "diovan": "valsartan", "entresto": "sacubitril", "toprol": "metoprolol",
    "neurontin": "gabapentin", "lyrica": "pregabalin", "macrobid": "nitrofurantoin", "bactrim": "trimethoprim",
    "septra": "trimethoprim", "zyloprim": "allopurinol", "valtrex": "valacyclovir", "cymbalta": "duloxetine",
    "savaysa": "edoxaban", "lixiana": "edoxaban",
    "karvea": "irbesartan", "cozaar": "losartan", "lovenox": "enoxaparin",
}  # fmt: skip

# Words of forms that do not treat the whole body.
LOCAL_FORMS = frozenset({
    "ophthalmic", "ophth", "eye", "eyedrops", "otic", "ear", "nasal", "topical", "cream", "ointment", "lotion",
    "shampoo", "foam", "cutaneous", "intravitreal", "vaginal", "flush", "lock",
})  # fmt: skip

_KNOWN = (
    _STATINS | _ANTIHYPERTENSIVES | _ANTICOAGULANTS | _GLUCOSE_LOWERING | _SGLT2_INHIBITORS | _ANTIPLATELETS | _NSAIDS
    | _ANTIBACTERIALS
    | _SEDATIVES | _INOTROPES | _CATECHOLAMINES | _HEPARINS | _HORMONES | _ERYTHROPOIETICS | _ANTINEOPLASTICS
    | _CLEARED_BY_THE_KIDNEY
)  # fmt: skip
_LOWERS_TOO_FAR = frozenset({
    "insulin", "glargine", "lispro", "aspart", "detemir", "degludec", "glulisine", "glipizide", "glimepiride",
    "glyburide",
    "glibenclamide", "gliclazide", "repaglinide", "nateglinide",
})  # fmt: skip
NAME_OF_CODE = {code: name for name, code in _KNOWN.items() if code is not None}
NAMES = frozenset(_KNOWN)


def one(name: str, label: Message, *atc: str, also: tuple[str, ...] = ()) -> MedicationFeature:
    """The medicines with one ingredient of our tables, be it under further names."""
    names = (name, *also)
    codes = tuple(code for n in names if (code := _KNOWN[n]) is not None)
    return MedicationFeature(id=name, label=label, ingredients=codes, names=names, atc=atc)


def _codes(table: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(code for code in table.values() if code is not None)


STATIN = MedicationFeature(
    id="statin",
    label=msg("Statin"),
    ingredients=_codes(_STATINS),
    names=tuple(_STATINS),
    atc=("C10AA", "C10BA", "C10BX"),
)
ANTIHYPERTENSIVE = MedicationFeature(
    id="antihypertensive",
    label=msg("Blood pressure medicine"),
    ingredients=_codes(_ANTIHYPERTENSIVES),
    names=tuple(_ANTIHYPERTENSIVES),
    atc=("C02", "C03", "C07", "C08", "C09"),
)
ANTICOAGULANT = MedicationFeature(
    id="anticoagulant",
    label=msg("Anticoagulant"),
    ingredients=_codes(_ANTICOAGULANTS),
    names=tuple(_ANTICOAGULANTS),
    atc=("B01AA", "B01AB", "B01AE", "B01AF", "B01AX05"),
)
HYPOGLYCAEMIC = MedicationFeature(
    id="insulin_or_sulfonylurea",
    label=msg("Insulin or a sulfonylurea"),
    ingredients=tuple(code for n, code in _GLUCOSE_LOWERING.items() if n in _LOWERS_TOO_FAR and code is not None),
    names=tuple(n for n in _GLUCOSE_LOWERING if n in _LOWERS_TOO_FAR),
    atc=("A10A", "A10BB", "A10BX02", "A10BX03"),
)
GLUCOSE_LOWERING = MedicationFeature(
    id="glucose_lowering",
    label=msg("Glucose-lowering medicine"),
    ingredients=_codes(_GLUCOSE_LOWERING),
    names=tuple(_GLUCOSE_LOWERING),
    atc=("A10",),
)
METFORMIN = MedicationFeature(
    id="metformin",
    label=msg("Metformin"),
    ingredients=("6809",),
    names=("metformin",),
    atc=(
        "A10BA02", "A10BD02", "A10BD03", "A10BD05", "A10BD07", "A10BD08", "A10BD10", "A10BD11", "A10BD13", "A10BD14",
        "A10BD15", "A10BD16", "A10BD17", "A10BD20", "A10BD22", "A10BD23",
    ),
)  # fmt: skip
SGLT2_INHIBITOR = MedicationFeature(
    id="sglt2_inhibitor",
    label=msg("SGLT2 inhibitor"),
    ingredients=_codes(_SGLT2_INHIBITORS),
    names=tuple(_SGLT2_INHIBITORS),
    atc=(
        "A10BK", "A10BD15", "A10BD16", "A10BD19", "A10BD20", "A10BD21", "A10BD23", "A10BD24", "A10BD25", "A10BD27",
        "A10BD29", "A10BD30",
    ),
)  # fmt: skip
RAS_INHIBITOR = MedicationFeature(
    id="ras_inhibitor",
    label=msg("ACE inhibitor or ARB"),
    ingredients=_codes(_RAS_INHIBITORS),
    names=tuple(_RAS_INHIBITORS),
    atc=("C09A", "C09B", "C09C", "C09D"),
)
VITAMIN_K_ANTAGONIST = MedicationFeature(
    id="vitamin_k_antagonist",
    label=msg("Vitamin K antagonist"),
    ingredients=_codes(_VITAMIN_K_ANTAGONISTS),
    names=tuple(_VITAMIN_K_ANTAGONISTS),
    atc=("B01AA",),
)
DIRECT_ORAL_ANTICOAGULANT = MedicationFeature(
    id="direct_oral_anticoagulant",
    label=msg("Direct oral anticoagulant"),
    ingredients=_codes(_DIRECT_ORAL_ANTICOAGULANTS),
    names=tuple(_DIRECT_ORAL_ANTICOAGULANTS),
    atc=("B01AE07", "B01AF01", "B01AF02", "B01AF03"),
)
ANTIPLATELET = MedicationFeature(
    id="antiplatelet",
    label=msg("Antiplatelet medicine"),
    ingredients=_codes(_ANTIPLATELETS),
    names=tuple(_ANTIPLATELETS),
    atc=("B01AC",),
)
NSAID = MedicationFeature(
    id="nsaid",
    label=msg("Nonsteroidal anti-inflammatory drug"),
    ingredients=_codes(_NSAIDS),
    names=tuple(_NSAIDS),
    atc=("M01A",),
)
ANTIBACTERIAL = MedicationFeature(
    id="antibacterial",
    label=msg("Antibacterial medicine"),
    ingredients=_codes(_ANTIBACTERIALS),
    names=tuple(_ANTIBACTERIALS),
    atc=("J01",),
)
SEDATIVE = MedicationFeature(
    id="sedative",
    label=msg("Sedation or muscle relaxation as in intensive care"),
    ingredients=_codes(_SEDATIVES),
    names=tuple(_SEDATIVES),
    atc=("N01AX10", "N01AX03", "N01AX07", "N01AF03", "N05CD08", "N05CM18", "M03AC"),
)
INOTROPE = MedicationFeature(
    id="inotrope",
    label=msg("Dopamine or dobutamine"),
    ingredients=_codes(_INOTROPES),
    names=tuple(_INOTROPES),
    atc=("C01CA04", "C01CA07"),
)
CATECHOLAMINE = MedicationFeature(
    id="catecholamine",
    label=msg("Epinephrine or norepinephrine"),
    ingredients=_codes(_CATECHOLAMINES),
    names=tuple(_CATECHOLAMINES),
    atc=("C01CA03", "C01CA24"),
)
HEPARIN = MedicationFeature(
    id="heparin",
    label=msg("Unfractionated heparin"),
    ingredients=_codes(_HEPARINS),
    names=tuple(_HEPARINS),
    atc=("B01AB01",),
)
HORMONE = MedicationFeature(
    id="hormone",
    label=msg("Estrogen, contraceptive or hormonal treatment of cancer"),
    ingredients=_codes(_HORMONES),
    names=tuple(_HORMONES),
    atc=("G03A", "G03C", "G03F", "G03XC", "L02AB", "L02BA"),
)
ERYTHROPOIETIC = MedicationFeature(
    id="erythropoietic",
    label=msg("Erythropoiesis-stimulating agent"),
    ingredients=_codes(_ERYTHROPOIETICS),
    names=tuple(_ERYTHROPOIETICS),
    atc=("B03XA",),
)
ANTINEOPLASTIC = MedicationFeature(
    id="antineoplastic",
    label=msg("Systemic treatment of cancer"),
    ingredients=_codes(_ANTINEOPLASTICS),
    names=tuple(_ANTINEOPLASTICS),
    atc=("L01",),
)

MEDICINES = (
    STATIN, ANTIHYPERTENSIVE, ANTICOAGULANT, GLUCOSE_LOWERING, METFORMIN, SGLT2_INHIBITOR, RAS_INHIBITOR,
    VITAMIN_K_ANTAGONIST, DIRECT_ORAL_ANTICOAGULANT, ANTIPLATELET, NSAID,
    ANTIBACTERIAL, SEDATIVE, INOTROPE, CATECHOLAMINE, HEPARIN, HORMONE, ERYTHROPOIETIC, ANTINEOPLASTIC,
)  # fmt: skip
