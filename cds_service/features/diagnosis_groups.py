"""Groups of diagnoses of a stay, by one map of ICD-9-CM, ICD-10 and SNOMED CT, for models of what follows the stay.

The groups were drawn before any outcome was looked at, along the chapters of ICD-9-CM and the categories of AHRQ's
Clinical Classifications Software (hcup-us.ahrq.gov), as far as the three digits of the training data allow; groups
without enough stays, or that moved nothing in cross-validation, were left out.
ICD-9-CM: three digits, or a range of them; for diabetes the fourth too. ICD-10: prefixes, of the WHO's edition and of
ICD-10-CM. SNOMED CT: the usual codes of problem lists, each by itself: descendants that are not named do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.features.feature import Feature
from cds_service.language import Message, msg

PRINCIPAL, OTHER, NONE = "principal diagnosis", "another diagnosis", "no"
DEGREES: Mapping[str, float] = {NONE: 0.0, OTHER: 1.0, PRINCIPAL: 2.0}
_DIABETES_9 = "250"


@dataclass(frozen=True, slots=True)
class DiagnosisGroup(Feature):
    """Whether a diagnosis of the present stay is in a group: its principal one, another one, or none."""

    icd9: tuple[str, ...]
    icd10: tuple[str, ...]
    snomed: frozenset[str]


def _group(id_: str, label: Message, icd9: str, icd10: str, snomed: str = "") -> DiagnosisGroup:
    """Codes as words: `410` or `426-427` of ICD-9-CM, prefixes of ICD-10, codes of SNOMED CT."""
    return DiagnosisGroup(f"dx_{id_}", label, tuple(icd9.split()), tuple(icd10.split()), frozenset(snomed.split()))


def _diabetes(digits: str) -> str:
    return " ".join(f"E{kind:02}.{digit}" for kind in (8, 9, 10, 11, 13, 14) for digit in digits.split())


GROUPS: tuple[DiagnosisGroup, ...] = (
    _group("sepsis", msg("Sepsis"), "038", "A40 A41 R65.2", "91302008 76571007"),
    _group("lung_cancer", msg("Lung cancer"), "162", "C33 C34", "363358000 254637007 254632001"),
    _group(
        "metastasis", msg("Metastatic cancer"), "196-199", "C77 C78 C79 C80", "128462008 94222008 94381002 94225005"
    ),
    _group(
        "blood_cancer",
        msg("Leukaemia, lymphoma or myeloma"),
        "200-208",
        "C81 C82 C83 C84 C85 C86 C88 C90 C91 C92 C93 C94 C95 C96",
        "109989006 118600007 93143009 91861009",
    ),
    _group(
        "diabetes_plain",
        msg("Diabetes without stated complication"),
        "250.0 250",
        _diabetes("9 65"),
        "44054006 46635009 73211009",
    ),
    _group(
        "diabetes_acute",
        msg("Diabetic ketoacidosis or coma"),
        "250.1-250.3",
        _diabetes("0 1 641"),
        "420422005 421437000 421750000",
    ),
    _group("diabetes_kidney", msg("Diabetic kidney disease"), "250.4", _diabetes("2"), "127013003"),
    _group("diabetes_eye", msg("Diabetic eye disease"), "250.5", _diabetes("3"), "4855003"),
    _group("diabetes_nerve", msg("Diabetic nerve disease"), "250.6", _diabetes("4"), "230572002 422088007"),
    _group("diabetes_vessel", msg("Diabetic circulatory disease"), "250.7", _diabetes("5"), "127014009 421895002"),
    _group(
        "diabetes_other",
        msg("Diabetes with another complication"),
        "250.8-250.9",
        _diabetes("60 61 62 63 649 69 8"),
        "371087003",
    ),
    _group("lipids", msg("Disorder of lipids"), "272", "E78", "55822004 13644009"),
    _group(
        "metabolism",
        msg("Other metabolic disorder"),
        "270-271 273-275 277",
        "E70 E71 E72 E73 E74 E75 E76 E77 E79 E80 E83 E84 E85 E88 M10",
        "90560007 190905008",
    ),
    _group(
        "fluids", msg("Disorder of fluids or electrolytes"), "276", "E86 E87", "34095006 89627008 14140009 43339004"
    ),
    _group(
        "anaemia",
        msg("Anaemia"),
        "280-285",
        "D50 D51 D52 D53 D55 D56 D57 D58 D59 D60 D61 D62 D63 D64",
        "271737000 87522002 413532003",
    ),
    _group("dementia", msg("Dementia"), "290 294 331", "F00 F01 F02 F03 G30 G31", "52448006 26929004 429998004"),
    _group("psychosis", msg("Psychosis"), "295 297-299", "F20 F21 F22 F23 F24 F25 F28 F29", "58214004 69322001"),
    _group(
        "mood",
        msg("Mood or anxiety disorder"),
        "296 300-302 306-319",
        "F30 F31 F32 F33 F34 F38 F39 F40 F41 F42 F43 F44 F45 F48",
        "35489007 370143000 13746004 197480006",
    ),
    _group(
        "nervous",
        msg("Disease of the nervous system"),
        "320-330 332-359",
        "G0 G1 G20 G21 G22 G23 G24 G25 G26 G32 G35 G36 G37 G4 G5 G6 G7 G8 G9",
        "49049000 24700007 84757009 81308009",
    ),
    _group("eye_ear", msg("Disease of the eye or ear"), "360-389", "H", "193570009"),
    _group("hypertension", msg("Hypertension"), "401", "I10 I16", "38341003 59621000"),
    _group(
        "hypertensive_kidney",
        msg("Hypertensive kidney disease"),
        "403-405",
        "I12 I13 I13.0 I13.2 I15",
        "38481006 194783001",
    ),
    _group("infarction", msg("Myocardial infarction"), "410", "I21 I22", "22298006 57054005 401303003 401314000"),
    _group(
        "coronary",
        msg("Coronary artery disease"),
        "412-414",
        "I20.1 I20.8 I20.9 I25",
        "53741008 414545008 194828000 399211009",
    ),
    _group(
        "pulmonary_circulation",
        msg("Pulmonary embolism or heart disease"),
        "415-417",
        "I26 I27 I28",
        "59282003 70995007",
    ),
    _group(
        "rhythm",
        msg("Disorder of heart rhythm"),
        "426-427",
        "I44 I45 I46 I47 I48 I49",
        "698247007 49436004 5370000 282825002 25569003",
    ),
    _group(
        "heart_failure",
        msg("Heart failure"),
        "428",
        "I50 I11.0 I13.0 I13.2",
        "42343007 84114007 88805009 10633002 441530006 441481004",
    ),
    _group(
        "stroke",
        msg("Stroke or transient ischaemia"),
        "430-436",
        "I60 I61 I62 I63 I64 I65 I66 G45",
        "230690007 422504002 266257000 274100004",
    ),
    _group("aneurysm", msg("Aneurysm or dissection"), "441-442", "I71 I72", "233985008 67362008"),
    _group(
        "arteries",
        msg("Disease of peripheral arteries"),
        "440 443-445",
        "I70 I73 I74 I75",
        "400047006 399957001 51274000",
    ),
    _group(
        "veins",
        msg("Disease of veins or blood pressure too low"),
        "451-459",
        "I80 I81 I82 I83 I84 I85 I86 I87 I89 I95 I99 K64",
        "128053003 45007003 70153002",
    ),
    _group(
        "pneumonia",
        msg("Pneumonia or influenza"),
        "480-488",
        "J09 J10 J11 J12 J13 J14 J15 J16 J17 J18",
        "233604007 385093006 6142004",
    ),
    _group(
        "copd",
        msg("Chronic obstructive lung disease"),
        "490-492 496",
        "J40 J41 J42 J43 J44",
        "13645005 195951007 87433001",
    ),
    _group("asthma", msg("Asthma"), "493", "J45 J46", "195967001"),
    _group("aspiration", msg("Aspiration pneumonia"), "507", "J69", "422588002"),
    _group(
        "respiratory_failure",
        msg("Respiratory failure"),
        "518",
        "J96 J80 J81 J98.1",
        "409622000 65710008 67782005 46621007 19242006",
    ),
    _group(
        "gut_ulcer",
        msg("Ulcer or disorder of stomach or duodenum"),
        "531-537",
        "K25 K26 K27 K28 K29 K30 K31",
        "13200003 397825006 51868009",
    ),
    _group("gut_bleeding", msg("Bleeding of the gut"), "578", "K92.0 K92.1 K92.2", "74474003"),
    _group(
        "bowel",
        msg("Disease of the bowel"),
        "540-554 560-569",
        "K35 K36 K37 K38 K40 K41 K42 K43 K44 K45 K46 K56 K57 K58 K59 K6",
        "307496006 74400008 81060008 48661000",
    ),
    _group("liver", msg("Disease of the liver"), "570-573", "K70 K71 K72 K73 K74 K75 K76 K77", "19943007 235856003"),
    _group("pancreas", msg("Disease of the pancreas"), "577", "K85 K86", "75694006 197456007 235494005"),
    _group(
        "kidney_chronic",
        msg("Chronic kidney disease"),
        "585-586",
        "N18 N19",
        "709044004 433144002 431857002 433146000 46177005",
    ),
    _group("urinary", msg("Urinary infection or disorder"), "599", "N39 R31", "68566005 34436003"),
    _group(
        "genitourinary",
        msg("Other disease of kidney, bladder or genitals"),
        "580-583 587-589 591-598 600-629",
        "N00 N01 N02 N03 N04 N05 N06 N07 N08 N13 N2 N3 N4 N5 N6 N7 N8 N9",
        "95570007 266569009",
    ),
    _group("pregnancy", msg("Pregnancy or childbirth"), "630-679", "O", "11687002 398254007"),
    _group("cellulitis", msg("Cellulitis or abscess"), "681-682", "L02 L03", "128045006 385627004"),
    _group("skin_ulcer", msg("Chronic ulcer of skin"), "707", "L89 L97 L98.4", "399912005 46742003"),
    _group(
        "skin",
        msg("Other disease of skin"),
        "680 683-706 708-709",
        "L00 L01 L04 L05 L08 L1 L2 L3 L4 L5 L6 L7 L80 L81 L82 L83 L84 L85 L86 L87 L88 L9",
        "9014002",
    ),
    _group(
        "arthritis",
        msg("Disease of joints"),
        "710-714 716-719",
        "M00 M01 M02 M05 M06 M07 M08 M11 M12 M13 M2 M3",
        "69896004",
    ),
    _group("osteoarthritis", msg("Osteoarthritis"), "715", "M15 M16 M17 M18 M19", "396275006 239873007 239872002"),
    _group("spine", msg("Disease of the spine"), "720-724", "M4 M50 M51 M53 M54", "161891005 76107001 279039007"),
    _group("hip_fracture", msg("Fracture of the hip"), "820", "S72.0 S72.1 S72.2", "5913000 263225007"),
    _group(
        "fracture",
        msg("Another fracture"),
        "800-819 821-829",
        "S02 S12 S22 S32 S42 S52 S62 S72.3 S72.4 S72.8 S72.9 S82 S92 T02 T08 T10 T12",
        "125605004",
    ),
    _group(
        "injury",
        msg("Injury"),
        "830-959",
        "S T07 T14 T15 T16 T17 T18 T19 T2 T30 T31 T32 T79",
    ),
    _group(
        "complication_device",
        msg("Complication of a device, implant or graft"),
        "996",
        "T82 T83 T84 T85 T86 T87",
        "473023007",
    ),
    _group(
        "complication_care",
        msg("Complication of a procedure"),
        "997-999",
        "T80 T81 T88 G97 H95 J95 K91 N99 I97",
        "116224001",
    ),
    _group(
        "chest_symptom",
        msg("Chest pain or another symptom of chest"),
        "785-786",
        "R00 R01 R04 R05 R06 R07 R09",
        "29857009 267036007",
    ),
    _group(
        "abdominal_symptom",
        msg("Symptom of abdomen or urine"),
        "787-789",
        "R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R30 R32 R33 R34 R35 R39",
        "21522001 422400008",
    ),
    _group(
        "general_symptom",
        msg("Syncope, fever or another general symptom"),
        "780",
        "R40 R41 R42 R44 R50 R51 R52 R53 R55 R56 R61 R68",
        "271594007 386661006 91175000 419284004",
    ),
    _group("rehabilitation", msg("Rehabilitation"), "V57", "Z50 Z51.89", "52052004"),
    _group(
        "aftercare", msg("Aftercare, chemotherapy or long-term medicine"), "V58", "Z47 Z48 Z51.0 Z51.1 Z79", "367336001"
    ),
    _group("organ_replaced", msg("Organ or joint replaced"), "V43", "Z95.2 Z95.3 Z95.4 Z96"),
)


def _codes_of(word: str) -> Iterable[str]:
    """The three-digit codes of `410` or `426-427`; diabetes keeps its fourth digit."""
    first, _, last = word.partition("-")
    if word.startswith(_DIABETES_9) and "." in word:
        kinds = range(int(first[-1]), int((last or first)[-1]) + 1)
        return tuple(f"{_DIABETES_9}.{kind}" for kind in kinds)
    return (first,) if not last else tuple(f"{number:03}" for number in range(int(first), int(last) + 1))


def _by_icd9() -> Mapping[str, tuple[str, ...]]:
    """Code -> ids of its groups, each once."""
    found: dict[str, dict[str, None]] = {}
    for group in GROUPS:
        for code in (code for word in group.icd9 for code in _codes_of(word)):
            found.setdefault(code, {})[group.id] = None
    return {code: tuple(ids) for code, ids in found.items()}


_BY_ICD9 = _by_icd9()


def of_icd9(code: str) -> tuple[str, ...]:
    """Ids of the groups of an ICD-9-CM code as the training data write it (`428`, `250.6`, `V58`, `E879`).

    Raises ValueError if it cannot be a code.
    """
    whole, _, rest = code.partition(".")
    digits = whole[1:] if whole[:1] in ("V", "E") else whole
    if not digits.isdecimal() or len(digits) > 3 or (rest and not rest.isdecimal()):
        raise ValueError("an ICD-9-CM code")
    key = whole if whole[:1] in ("V", "E") else f"{int(digits):03}"
    if key == _DIABETES_9 and rest:
        key = f"{key}.{rest[0]}"
    return _BY_ICD9.get(key, ())


def degrees(principal: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Group id -> in what degree it is there, for every group. principal, others: ids of groups."""
    first, further = set(principal), set(others)
    return {g.id: PRINCIPAL if g.id in first else OTHER if g.id in further else NONE for g in GROUPS}
