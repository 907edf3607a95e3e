"""Value sets of conditions: exact SNOMED CT codes (descendants listed, for no server expands them) and ICD-10 prefixes.

ICD-10 prefixes serve ICD-10-CM and the WHO edition alike. A code that is not listed does not count: the lists
hold what is certain, so that `True` can be trusted; a local extension adds codes, never removes them.
Sources: SNOMED CT international and US editions, ICD-10-CM 2021; Quan 2005 (doi:10.1097/01.mlr.0000182534.19832.83)
for the ICD-10 ranges of comorbidities.
"""

from __future__ import annotations

from dataclasses import replace

from cds_service.features import snomed_lists
from cds_service.features.feature import Absence, ConditionFeature, Elsewhere
from cds_service.language import msg


def _merged(own: tuple[str, ...], listed: tuple[str, ...]) -> tuple[str, ...]:
    """The codes of both, each once, `own` first."""
    return tuple(dict.fromkeys((*own, *listed)))


DIABETES = ConditionFeature(
    id="diabetes",
    label=msg("Diabetes"),
    # Not prediabetes (15777000, R73.03), not gestational diabetes (11687002, O24.4), not a family history.
    snomed=_merged(
        (
            "73211009",  # diabetes mellitus
            "44054006",  # type 2
            "46635009",  # type 1
            "8801005",  # secondary
            "313435000",  # type 1 without complication
            "313436004",  # type 2 without complication
        ),
        snomed_lists.DIABETES,
    ),
    icd10=("E08", "E09", "E10", "E11", "E12", "E13", "E14", "O24.0", "O24.1", "O24.3"),
)
HYPERTENSION = ConditionFeature(
    id="hypertension",
    label=msg("Hypertension"),
    # Not raised pressure without the diagnosis (24184005), not pregnancy-induced hypertension.
    snomed=(
        "38341003",  # hypertensive disorder
        "59621000",  # essential
        "1201005",  # benign essential
        "10725009",  # benign
        "78975002",  # malignant essential
        "70272006",  # malignant
        "31992008",  # secondary
        "123799005",  # renovascular
        "56218007",  # systolic
        "429457004",  # systolic essential
        "48146000",  # diastolic
        "64715009",  # hypertensive heart disease
        "38481006",  # hypertensive renal disease
        "86234004",  # hypertensive heart and renal disease
        "5148006",  # hypertensive heart disease with congestive heart failure
        *snomed_lists.DIABETIC_CKD_WITH_HYPERTENSION,
    ),
    icd10=("I10", "I11", "I12", "I13", "I15", "I16", "O10"),
)
HEART_FAILURE = ConditionFeature(
    id="heart_failure",
    label=msg("Heart failure"),
    snomed=_merged(
        (
            "84114007",  # heart failure
            "42343007",  # congestive
            "48447003",  # chronic
            "56675007",  # acute
            "88805009",  # chronic congestive
            "10633002",  # acute congestive
            "85232009",  # left
            "367363000",  # right
            "92506005",  # biventricular
            "417996009",  # systolic
            "441481004",  # chronic systolic
            "443254009",  # acute systolic
            "443253003",  # acute on chronic systolic
            "418304008",  # diastolic
            "441530006",  # chronic diastolic
            "443343001",  # acute diastolic
            "443344007",  # acute on chronic diastolic
            "703272007",  # with reduced ejection fraction
            "446221000",  # with normal ejection fraction
            "5148006",  # hypertensive heart disease with congestive heart failure
        ),
        snomed_lists.HEART_FAILURE,
    ),
    icd10=("I50", "I11.0", "I13.0", "I13.2", "I09.81"),
    combined=("I11.0", "I13.0", "I13.2", "I09.81"),
    ever=True,  # compensated heart failure is often closed on the list, and still counts
)
ATRIAL_FIBRILLATION = ConditionFeature(
    id="atrial_fibrillation",
    label=msg("Atrial fibrillation or flutter"),
    snomed=_merged(
        (
            "49436004",  # atrial fibrillation
            "282825002",  # paroxysmal
            "440059007",  # persistent
            "440028005",  # permanent
            "426749004",  # chronic
            "706923002",  # longstanding persistent
            "314208002",  # rapid
            "195080001",  # fibrillation and flutter
            "5370000",  # atrial flutter
        ),
        snomed_lists.ATRIAL_FIBRILLATION,
    ),
    icd10=("I48",),
)
_STROKES = (
    "230690007",  # cerebrovascular accident
    "422504002",  # ischaemic stroke
    "432504007",  # cerebral infarction
    "371040005",  # thrombotic stroke
    "371041009",  # embolic stroke
    "116288000",  # paralytic stroke
    "111297002",  # nonparalytic stroke
)
STROKE_TIA = ConditionFeature(
    id="stroke_tia",
    label=msg("Stroke, TIA or systemic embolism"),
    snomed=_merged(
        (
            *_STROKES,
            "266257000",  # transient ischaemic attack
            "275526006",  # history of cerebrovascular accident
            "161511000",  # history of transient ischaemic attack
        ),
        snomed_lists.ISCHAEMIC_STROKE,
    ),
    # G45.4, transient global amnesia, is no ischaemic attack.
    icd10=(
        "I63", "I64", "I69.3", "I74", "H34.1", "Z86.73", "G45.0", "G45.1", "G45.2", "G45.3", "G45.8", "G45.9",
    ),
    ever=True,
)  # fmt: skip
STROKE = ConditionFeature(
    id="stroke",
    label=msg("Stroke"),
    # Not a transient attack; Z86.73 does not tell one from the other. Haemorrhage counts.
    snomed=_merged(
        (
            *_STROKES,
            "275526006",  # history of cerebrovascular accident
            "274100004",  # cerebral haemorrhage
        ),
        snomed_lists.ISCHAEMIC_STROKE,
    ),
    icd10=("I60", "I61", "I63", "I64", "I69.0", "I69.1", "I69.3"),
    ever=True,
)
MAJOR_BLEEDING = ConditionFeature(
    id="major_bleeding",
    label=msg("Major bleeding or a tendency to bleed"),
    # Thrombophilia (D68.5, D68.6) is the opposite.
    snomed=(
        "74474003",  # gastrointestinal haemorrhage
        "37372002",  # upper gastrointestinal haemorrhage
        "1386000",  # intracranial haemorrhage
        "274100004",  # cerebral haemorrhage
        "21454007",  # subarachnoid haemorrhage
        "35486000",  # subdural haemorrhage
        "90935002",  # haemophilia
        "302215000",  # thrombocytopenic disorder
    ),
    icd10=(
        "I60", "I61", "I62", "I85.01", "I85.11", "K25.0", "K25.2", "K25.4", "K25.6", "K26.0", "K26.2", "K26.4",
        "K26.6", "K27.0", "K27.2", "K27.4", "K27.6", "K28.0", "K28.2", "K28.4", "K28.6", "K92.0", "K92.1", "K92.2",
        "D62", "D65", "D66", "D67", "D68.0", "D68.1", "D68.2", "D68.3", "D68.4", "D69.3", "D69.4", "D69.5", "D69.6",
    ),
    ever=True,
)  # fmt: skip
INFARCTION = _merged(
    (
        "22298006",  # myocardial infarction
        "57054005",  # acute
        "401303003",  # acute ST elevation
        "401314000",  # acute non-ST elevation
        "54329005",  # acute anterior wall
        "73795002",  # acute inferior wall
        "1755008",  # old
        "399211009",  # history of myocardial infarction
    ),
    snomed_lists.INFARCTION,
)
VASCULAR_DISEASE = ConditionFeature(
    id="vascular_disease",
    label=msg("Vascular disease (myocardial infarction, peripheral arterial disease or aortic plaque)"),
    snomed=(
        *INFARCTION,
        "399957001",  # peripheral arterial occlusive disease
        "840580004",  # peripheral arterial disease
        "400047006",  # peripheral vascular disease
        "63491006",  # intermittent claudication
        "81817003",  # atherosclerosis of aorta
    ),
    icd10=("I21", "I22", "I25.2", "I70", "I71", "I73.9"),
    ever=True,
)
CORONARY_DISEASE = ConditionFeature(
    id="coronary_disease",
    label=msg("Coronary heart disease"),
    snomed=(
        *INFARCTION,
        "53741008",  # coronary arteriosclerosis
        "443502000",  # atherosclerosis of coronary artery
        "414545008",  # ischaemic heart disease
        "413838009",  # chronic ischaemic heart disease
        "413439005",  # acute ischaemic heart disease
        "194828000",  # angina pectoris
        "233819005",  # stable angina
        "4557003",  # preinfarction syndrome (unstable angina)
        "394659003",  # acute coronary syndrome
        "399261000",  # history of coronary artery bypass grafting
    ),
    icd10=("I20", "I21", "I22", "I23", "I24", "I25", "Z95.1", "Z95.5", "Z98.61"),
    ever=True,
)
CKD = ConditionFeature(
    id="ckd",
    label=msg("Chronic kidney disease"),
    snomed=(
        "709044004",  # chronic kidney disease
        "431855005",  # stage 1
        "431856006",  # stage 2
        "433144002",  # stage 3
        "700378005",  # stage 3A
        "700379002",  # stage 3B
        "431857002",  # stage 4
        "433146000",  # stage 5
        "46177005",  # end-stage
        "236435004",  # end-stage, on dialysis
        "90688005",  # chronic renal failure
        "236425005",  # chronic renal impairment
        "236434000",  # end-stage, untreated
        *snomed_lists.DIABETIC_CKD,
    ),
    icd10=("N18", "I12", "I13", "E08.22", "E09.22", "E10.22", "E11.22", "E13.22"),
    combined=("I12", "I13", "E08.22", "E09.22", "E10.22", "E11.22", "E13.22"),
)
_DIALYSES = (
    "265764009",  # renal dialysis
    "302497006",  # haemodialysis
    "71192002",  # peritoneal dialysis
)
DIALYSIS = ConditionFeature(
    id="dialysis",
    label=msg("Dialysis"),
    snomed=(
        "105502003",  # dependence on renal dialysis
        "236435004",  # end-stage renal disease on dialysis
        *_DIALYSES,
    ),
    icd10=("Z99.2", "Z49"),
    elsewhere=Elsewhere(done=_DIALYSES, done_days=14),  # who is on it has a session within days
)
_TRANSPLANTED = _merged(
    (
        "737295003",  # transplanted kidney present
        "161665007",  # history of renal transplant
        "70536003",  # transplant of kidney
        "236578006",  # chronic rejection of renal transplant
    ),
    snomed_lists.KIDNEY_TRANSPLANT,
)
KIDNEY_TRANSPLANT = ConditionFeature(
    id="kidney_transplant",
    label=msg("Kidney transplant"),
    snomed=_TRANSPLANTED,
    icd10=("Z94.0", "T86.1"),
    ever=True,
    elsewhere=Elsewhere(done=_TRANSPLANTED),
)
NO_CERVIX = ConditionFeature(
    id="no_cervix",
    label=msg("Cervix removed"),
    snomed=(
        "248911005",  # cervix absent
        "37687000",  # from birth
        "723171001",  # cervix and uterus
        "428078001",  # history of total hysterectomy
        "429763009",  # with tubes and ovaries
        "429290001",  # of radical hysterectomy
        "473171009",  # of vaginal hysterectomy
        "10738891000119107",  # of total hysterectomy without an abnormal smear
    ),
    icd10=("Z90.710", "Z90.712", "Q51.5"),
    ever=True,
    elsewhere=Elsewhere(
        done=(
            "116140006", "116142003", "116143008", "116144002", "176697007", "236888001", "236891001", "307771009",
        )  # total and radical hysterectomies
    ),
)  # fmt: skip
ACUTE_KIDNEY_INJURY = ConditionFeature(
    id="acute_kidney_injury",
    label=msg("Acute kidney injury"),
    snomed=("14669001",),  # acute renal failure syndrome
    icd10=("N17",),
)
_CIRRHOSIS = (
    "19943007",  # cirrhosis of liver
    "420054005",  # alcoholic cirrhosis
    "89580002",  # cryptogenic cirrhosis
)
CIRRHOSIS = ConditionFeature(
    id="cirrhosis",
    label=msg("Cirrhosis"),
    snomed=_CIRRHOSIS,
    icd10=("K70.3", "K71.7", "K74.3", "K74.4", "K74.5", "K74.6"),
    ever=True,
)
LIVER_TRANSPLANT = ConditionFeature(
    id="liver_transplant",
    label=msg("Liver transplant"),
    snomed=("18027006",),  # transplantation of liver
    icd10=("Z94.4", "T86.4"),
    ever=True,
)
ASCITES = ConditionFeature(
    id="ascites",
    label=msg("Ascites"),
    snomed=("389026000",),  # ascites
    icd10=("R18.8", "K70.11", "K70.31", "K71.51"),  # R18.0 is malignant ascites
    combined=("K70.11", "K70.31", "K71.51"),
)
HEPATIC_ENCEPHALOPATHY = ConditionFeature(
    id="hepatic_encephalopathy",
    label=msg("Hepatic encephalopathy"),
    snomed=("13920009",),  # hepatic encephalopathy
    icd10=("K76.82", "K70.41", "K71.11", "K72.01", "K72.11", "K72.91"),  # with coma, as it was coded before 2022
    combined=("K70.41", "K71.11", "K72.01", "K72.11", "K72.91"),
)
_STEATOSIS = (
    "197321007",  # steatosis of liver
    "442685003",  # nonalcoholic steatohepatitis
    "442191002",  # steatohepatitis
    "50325005",  # alcoholic fatty liver
)
STEATOSIS = ConditionFeature(
    id="steatosis",
    label=msg("Fatty liver disease"),
    snomed=_STEATOSIS,
    icd10=("K76.0", "K75.81", "K70.0"),
)
CHRONIC_LIVER_DISEASE = ConditionFeature(
    id="chronic_liver_disease",
    label=msg("Chronic liver disease"),
    snomed=(
        *_CIRRHOSIS,
        *_STEATOSIS,
        "328383001",  # chronic liver disease
        "76783007",  # chronic hepatitis
        "61977001",  # chronic hepatitis B
        "128302006",  # chronic hepatitis C
        "408335007",  # autoimmune hepatitis
        "31712002",  # primary biliary cholangitis
        "41309000",  # alcoholic liver damage
        "62484002",  # hepatic fibrosis
    ),
    icd10=("B18", "K70", "K71.3", "K71.4", "K71.5", "K71.7", "K72.1", "K73", "K74", "K75.4", "K75.81", "K76.0"),
)
ACUTE_HEPATITIS = ConditionFeature(
    id="acute_hepatitis",
    label=msg("Acute hepatitis"),
    snomed=(
        "37871000",  # acute hepatitis
        "40468003",  # hepatitis A
        "76795007",  # acute hepatitis B
        "235866006",  # acute hepatitis C
        "235875008",  # alcoholic hepatitis
    ),
    icd10=("B15", "B16", "B17", "K70.1", "K71.2", "K72.0"),
)
OBESITY = ConditionFeature(
    id="obesity",
    label=msg("Obesity"),
    snomed=(
        "414916001",  # obesity
        "414915002",  # obese
        "162864005",  # body mass index 30 or more
        "408512008",  # body mass index 40 or more
        "238136002",  # morbid obesity
        "83911000119104",  # severe obesity
    ),
    icd10=("E66.0", "E66.1", "E66.2", "E66.8", "E66.9", "Z68.3", "Z68.4"),  # E66.3 is overweight
)
ALCOHOL_USE_DISORDER = ConditionFeature(
    id="alcohol_use_disorder",
    label=msg("Alcohol use disorder"),
    snomed=(
        "7200002",  # alcoholism
        "66590003",  # alcohol dependence
        "15167005",  # harmful pattern of use of alcohol
    ),
    icd10=("F10.1", "F10.2"),
)
PREGNANCY = ConditionFeature(
    id="pregnancy",
    label=msg("Pregnancy"),
    snomed=(
        "77386006",  # pregnancy
        "72892002",  # normal pregnancy
        "47200007",  # high risk pregnancy
        "16356006",  # multiple pregnancy
        "79586000",  # tubal pregnancy
        "398254007",  # pre-eclampsia
    ),
    icd10=(
        "Z33.1", "Z34", "Z3A", "O00", "O09", "O10", "O11", "O12", "O13", "O14", "O16", "O20", "O21", "O22", "O23",
        "O24", "O25", "O26", "O28", "O29", "O30", "O31", "O32", "O33", "O34", "O35", "O36", "O40", "O41", "O42", "O43",
        "O44", "O45", "O46", "O47", "O48",
    ),
    forgotten_days=320,  # 42 weeks and some: what began earlier is over, whatever its entry says
    elsewhere=Elsewhere(
        questions=("82810-3",),  # pregnancy status
        answers=("77386006", "LA15173-0"),
        days=300,  # an answer given at the very beginning
    ),
)  # fmt: skip
# For orders, which ask whether such an entry still holds: a child may be at stake.
PREGNANCY_LISTED = replace(PREGNANCY, id="pregnancy_listed", forgotten_days=None, most_days=320)
MECHANICAL_VALVE = ConditionFeature(
    id="mechanical_valve",
    label=msg("Mechanical heart valve"),
    # Z95.2 is a prosthetic valve other than a biological one (Z95.3). SNOMED CT: the operations, also as problems.
    snomed=snomed_lists.MECHANICAL_VALVE,
    icd10=("Z95.2",),
    ever=True,
    elsewhere=Elsewhere(done=snomed_lists.MECHANICAL_VALVE),
)
MITRAL_STENOSIS = ConditionFeature(
    id="mitral_stenosis",
    label=msg("Mitral stenosis"),
    snomed=(
        "79619009",  # mitral valve stenosis
        "86466006",  # rheumatic mitral stenosis
    ),
    icd10=("I05.0", "I05.2", "I34.2", "Q23.2"),
)
COPD = ConditionFeature(
    id="copd",
    label=msg("Chronic obstructive pulmonary disease"),
    snomed=(
        "13645005",  # chronic obstructive lung disease
        "185086009",  # chronic obstructive bronchitis
        "87433001",  # pulmonary emphysema
        "195951007",  # acute exacerbation
        "313296004",  # mild
        "313297008",  # moderate
        "313299006",  # severe
        "135836000",  # end-stage
    ),
    icd10=("J43", "J44"),
    ever=True,
)
HYPERCAPNIA = ConditionFeature(
    id="hypercapnia",
    label=msg("Respiratory failure with hypercapnia"),
    # ICD-10-CM; in the WHO edition the fifth character has another meaning, so its J96.x1 is not listed. No SNOMED CT
    # code could be verified.
    snomed=(),
    icd10=("J96.02", "J96.12", "J96.22", "J96.92", "E66.2"),
    ever=True,
)
TYPE_1_DIABETES = ConditionFeature(
    id="type_1_diabetes",
    label=msg("Type 1 diabetes"),
    snomed=_merged(("46635009", "313435000"), snomed_lists.DIABETES_TYPE_1),  # type 1; without complication
    icd10=("E10",),
)
DEMENTIA = ConditionFeature(
    id="dementia",
    label=msg("Dementia"),
    snomed=(
        "52448006",  # dementia
        "26929004",  # Alzheimer's disease
        "230265002",  # familial Alzheimer's disease of early onset
        "416780008",  # Alzheimer type, presenile onset
        "416975007",  # Alzheimer type, senile onset
        "429998004",  # vascular
        "56267009",  # multi-infarct
        "312991009",  # Lewy body type
        "230270009",  # frontotemporal
        "15662003",  # senile
        "281004",  # due to alcohol
    ),
    icd10=("F01", "F02", "F03", "G30", "G31.0", "G31.83"),
    ever=True,
)
CANCER = ConditionFeature(
    id="cancer",
    label=msg("Cancer"),
    # Not in situ, not of uncertain behaviour, not suspected, not non-melanoma skin cancer (C44).
    snomed=(
        "363346000",  # malignant neoplastic disease
        "363406005",  # colon
        "109838007",  # colon, overlapping
        "93761005",  # colon, primary
        "363351006",  # rectum
        "254837009",  # breast
        "408643008",  # breast, infiltrating duct carcinoma
        "363358000",  # lung
        "93880001",  # lung, primary
        "254632001",  # lung, small cell
        "254637007",  # lung, non-small cell
        "67811000119102",  # lung, small cell, stage 1
        "424132000",  # lung, non-small cell, stage 1
        "399068003",  # prostate
        "363418001",  # pancreas
        "363349007",  # stomach
        "1260050006",  # intrahepatic bile duct
        "399326009",  # bladder
        "363443007",  # ovary
        "372244006",  # melanoma
        "118600007",  # lymphoma
        "109989006",  # multiple myeloma
        "93143009",  # leukaemia
        "128462008",  # metastatic
        "94181007",
        "94222008",
        "94381002",
        "94391008",  # metastases of axillary nodes, bone, liver, lung
    ),
    icd10=(*(f"C{n:02}" for n in range(98) if n != 44), "C4A", "C7A", "C7B"),
)
METASTASIS = ConditionFeature(
    id="metastasis",
    label=msg("Metastatic cancer"),
    snomed=(
        "128462008",  # metastatic malignant neoplasm
        "94181007",  # axillary lymph nodes
        "94222008",  # bone
        "94225005",  # brain
        "94381002",  # liver
        "94391008",  # lung
    ),
    icd10=("C77", "C78", "C79", "C80.0", "C7B"),
)
PALLIATIVE_CARE = ConditionFeature(
    id="palliative_care",
    label=msg("Palliative care"),
    snomed=(
        "103735009",  # palliative care
        "385763009",  # hospice care
        "133918004",  # comfort measures
        "182964004",  # terminal care
        "385736008",  # dying care
        "443761007",  # anticipatory palliative care
        "170935008",  # full care by hospice
        "170936009",  # shared care by hospice
        "305911006",  # seen in hospice
        "305686008",  # seen by palliative care physician
        "305824005",  # by palliative care medicine service
        "441874000",  # by palliative care service
    ),
    icd10=("Z51.5",),
    elsewhere=Elsewhere(
        codes=(
            "133918004",  # comfort measures
            "103735009",  # palliative care
            "385763009",  # hospice care
            "182964004",  # terminal care
            "385736008",  # dying care
            "305336008",  # admission to hospice
            "183919006",  # urgent, routine, for respite
            "183920000",
            "183921001",
        ),
        words=("comfort measures", "comfort care", "hospice care", "admission to hospice", "临终关怀", "安宁疗护"),
    ),
)
# Where there is little muscle, creatinine is low whatever the kidney does (KDIGO 2024, section 1.2).
LITTLE_MUSCLE = ConditionFeature(
    id="little_muscle",
    label=msg("Little muscle (amputation, paralysis, cachexia, muscle disease)"),
    snomed=(
        "60389000",  # paraplegia
        "11538006",  # quadriplegia
    ),
    icd10=("Z89.5", "Z89.6", "G82", "G71.0", "G12", "R64", "M62.84", "E43"),
)
# Where the agreed aim is comfort, an early warning calls nobody; palliative care alone sets no such limit.
_COMFORT = (
    "385763009",  # hospice care
    "133918004",  # comfort measures
    "182964004",  # terminal care
    "385736008",  # dying care
)
COMFORT_CARE = ConditionFeature(
    id="comfort_care",
    label=msg("Comfort or hospice care"),
    snomed=(*_COMFORT, "170935008"),  # full care by hospice
    icd10=(),
    elsewhere=Elsewhere(
        codes=(*_COMFORT, "305336008"),  # admission to hospice
        words=("comfort measures", "comfort care", "hospice care", "admission to hospice", "临终关怀", "安宁疗护"),
    ),
)
_PNEUMONIA = (
    "233604007",  # pneumonia
    "385093006",  # community-acquired
    "53084003",  # bacterial
    "75570004",  # viral
    "233607000",  # pneumococcal
    "278516003",  # lobar
    "396285007",  # bronchopneumonia
)
PNEUMONIA = ConditionFeature(
    id="pneumonia",
    label=msg("Pneumonia"),
    # Not J95.851, of the ventilator, and not J69.0, of aspiration: neither is community-acquired pneumonia.
    snomed=_PNEUMONIA,
    icd10=("J12", "J13", "J14", "J15", "J16", "J17", "J18", "J10.0", "J11.0"),
    forgotten_days=60,
)
INFECTION = ConditionFeature(
    id="infection",
    label=msg("Acute infection"),
    snomed=(
        *_PNEUMONIA,
        "91302008",  # sepsis
        "10001005",  # bacterial sepsis
        "76571007",  # septic shock
        "5758002",  # bacteraemia
        "68566005",  # urinary tract infection
        "45816000",  # pyelonephritis
        "128045006",  # cellulitis
        "7180009",  # meningitis
        "48661000",  # peritonitis
        "6142004",  # influenza
        "840539006",  # COVID-19
    ),
    icd10=(
        "A02.1", "A04.7", "A40", "A41", "A49", "B37.7", "G00", "I33.0", "J09", "J10", "J11", "J12", "J13", "J14",
        "J15", "J16", "J17", "J18", "J22", "J85.1", "J86", "K35", "K61", "K65", "K81.0", "K83.0", "L02", "L03", "M00",
        "M72.6", "M86.0", "M86.1", "N10", "N12", "N13.6", "N15.1", "N30.0", "N39.0", "N41.0", "R65.2", "R78.81",
        "T80.2", "T81.4", "U07.1",
    ),
    forgotten_days=60,  # six weeks of treatment and some
)  # fmt: skip
GESTATIONAL_DIABETES = ConditionFeature(
    id="gestational_diabetes",
    label=msg("Gestational diabetes, now or before"),
    snomed=("11687002",),  # gestational diabetes mellitus
    icd10=("O24.4", "Z86.32"),
    ever=True,
)
GLUCOSE_RAISED_EVER = ConditionFeature(
    id="glucose_raised_ever",
    label=msg("Raised blood glucose, now or before"),
    snomed=("15777000", "714628002", "11687002"),  # prediabetes, twice; gestational diabetes
    icd10=("R73.0", "O24.4", "Z86.32"),
    ever=True,
)
FAMILY_DIABETES = ConditionFeature(
    id="family_diabetes",
    label=msg("Diabetes in the family"),
    snomed=("160303001",),  # family history of diabetes mellitus
    icd10=("Z83.3",),
    ever=True,
    absence=Absence.UNKNOWN,  # problem lists seldom name relatives: that none is named says nothing
)

CONDITIONS = (
    DIABETES, HYPERTENSION, HEART_FAILURE, ATRIAL_FIBRILLATION, STROKE_TIA, VASCULAR_DISEASE, CORONARY_DISEASE, CKD,
    DIALYSIS, KIDNEY_TRANSPLANT, LIVER_TRANSPLANT, NO_CERVIX, ACUTE_KIDNEY_INJURY, CIRRHOSIS, CHRONIC_LIVER_DISEASE,
    ACUTE_HEPATITIS, STEATOSIS,
    OBESITY, ALCOHOL_USE_DISORDER, PREGNANCY, MECHANICAL_VALVE, MITRAL_STENOSIS, COMFORT_CARE, LITTLE_MUSCLE, COPD,
    DEMENTIA,
    CANCER, METASTASIS,
    PALLIATIVE_CARE, HYPERCAPNIA, TYPE_1_DIABETES, STROKE, MAJOR_BLEEDING, ASCITES, HEPATIC_ENCEPHALOPATHY, PNEUMONIA,
    INFECTION,
    GESTATIONAL_DIABETES, GLUCOSE_RAISED_EVER, FAMILY_DIABETES,
)  # fmt: skip
