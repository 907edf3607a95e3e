"""drug-safety and pharmacogenomics on a third list, written by another reader before the rows were opened.

Orders as they are typed (brands, products, abbreviations, free text) and in Chinese, diagnoses as ICD-10-CM codes,
grave allergies, kidney function, laboratory values, ages and genes; each with the least and the loudest that it may
be. Written from general knowledge of United States and European labels, Stockley's Drug Interactions, the AGS Beers
criteria and the names of the Chinese Pharmacopoeia; nothing was open. docs/evidence/knowledge.md has what the first
run found and missed, and which expectations gave way instead of the rows.
"""

from datetime import timedelta

import pytest
from charts import LOINC, NOW, Chart

from cds_service.findings import Severity

SERVICE = "drug-safety"
I, W, C = Severity.INFO, Severity.WARNING, Severity.CRITICAL  # noqa: E741

# draft, taken, at least how loud, at most
PAIRS = (
    ("Jantoven 5 mg tab po daily", "Diflucan 200 mg", W, W),
    ("warfarin sodium 2.5 MG Oral Tablet", "Levaquin 500 mg", I, W), ("warfarin", "carbamazepine", W, W),
    ("warfarin", "tamoxifen", W, C), ("Eliquis 5 mg", "phenytoin", W, C),
    ("Brilinta 90 mg bid", "ketoconazole", W, C), ("Lovenox 80 mg sc q12h", "Brilinta", I, W),
    ("heparin drip", "Eliquis 5 mg", W, C), ("Nardil", "Wellbutrin", C, C), ("Azilect 1 mg", "Demerol", C, C),
    ("Anafranil", "Emsam patch", C, C), ("fluoxetine 20 mg", "amitriptyline 50 mg", I, W),
    ("Seroquel 300 mg", "Nizoral", W, W), ("Saphris", "fluvoxamine", I, W), ("carbamazepine", "diltiazem", I, W),
    ("phenytoin", "fluconazole", I, W), ("phenobarbital", "Ortho-Novum", W, W), ("topiramate", "valproate", I, W),
    ("Xanax 1 mg tid", "ketoconazole", C, C), ("methadone", "fluconazole", W, W),
    ("Soma 350 mg", "hydrocodone/acetaminophen 5/325", W, W), ("Hetlioz", "fluvoxamine", W, C),
    ("clozapine", "ciprofloxacin", W, W), ("Adderall 20 mg", "Nardil", C, C),
    ("rizatriptan 10 mg", "propranolol", I, W), ("Relpax", "ketoconazole", W, C),
    ("levodopa/carbidopa", "haloperidol", W, C), ("diltiazem IV", "metoprolol tartrate 50 mg", W, W),
    ("flecainide", "amiodarone", W, W), ("dofetilide", "verapamil", C, C), ("digoxin", "dronedarone", W, W),
    ("pravastatin", "gemfibrozil", W, W), ("Inspra", "potassium chloride 20 mEq", W, C),
    ("ranolazine", "diltiazem", I, W), ("ranolazine", "rifampin", C, C), ("Levitra", "doxazosin", I, W),
    ("conivaptan", "ketoconazole", C, C), ("Avelox", "Betapace", W, C), ("Ketek", "pimozide", C, C),
    ("rifampin", "Prezista", W, C), ("Genvoya", "lovastatin", C, C), ("Prezcobix", "Revatio", W, C),
    ("Complera", "esomeprazole", C, C), ("Tivicay", "carbamazepine", I, W), ("Mavyret", "rifampin", C, C),
    ("voriconazole", "sirolimus", C, C), ("posaconazole", "atorvastatin", C, C),
    ("itraconazole", "methadone", C, C), ("terbinafine", "nortriptyline", I, W), ("vancomycin IV", "Zosyn", I, W),
    ("amikacin", "amphotericin B", W, W), ("colistimethate", "gentamicin", W, C), ("tobramycin", "torsemide", I, W),
    ("moxifloxacin", "aluminium hydroxide", I, W), ("chloroquine", "amiodarone", W, C),
    ("mefloquine", "quinine", W, C), ("Coartem", "rifampin", C, C), ("bedaquiline", "rifampin", W, C),
    ("ribavirin", "didanosine", C, C), ("ganciclovir", "zidovudine", W, W),
    ("cyclosporine", "simvastatin 20 mg", C, C), ("Rapamune", "diltiazem", I, W),
    ("methotrexate", "omeprazole", I, W), ("Xeloda", "phenytoin", W, W), ("Tarceva", "omeprazole", W, W),
    ("Tasigna", "ketoconazole", W, C), ("venetoclax", "ketoconazole", W, C), ("Jakafi", "fluconazole", I, W),
    ("prednisone 60 mg", "MMR vaccine", I, C), ("Zostavax", "adalimumab", W, C),
    ("glyburide", "clarithromycin", I, W), ("Synthroid 100 mcg", "Tums", I, I),
    ("theophylline", "erythromycin", I, W), ("Colcrys 0.6", "Calan SR", I, W), ("alfuzosin", "ketoconazole", C, C),
    ("Flomax", "ketoconazole", W, W), ("misoprostol", "oxytocin", I, W),
    ("methylergonovine", "clarithromycin", C, C), ("flibanserin", "clarithromycin", C, C),
    ("Ella", "rifampin", W, W), ("Plan B", "phenytoin", I, W), ("budesonide inhaled", "ritonavir", W, W),
    ("triamcinolone injection", "cobicistat", W, W), ("quinine", "digoxin", I, W),
    ("bosentan", "Ortho-Cyclen", W, W), ("riociguat", "dipyridamole", I, C), ("Vicodin", "Tylenol #3", I, W),
    ("Lotrel", "benazepril", I, W), ("Symbicort", "formoterol", I, W), ("Advil PM", "Benadryl", I, W),
    ("Coreg", "Lopressor", W, W), ("Actos", "Duetact", I, W), ("Prolia", "Xgeva", I, W),
    ("Premarin", "Estrace", I, W), ("Detrol", "Vesicare", I, W),
)  # fmt: skip

# the same, in Chinese: salts, forms, brands, compound preparations
CHINESE = (
    ("华法林钠片 3mg", "布洛芬缓释胶囊", W, W), ("辛伐他汀片 20mg qn", "克拉霉素分散片", C, C),
    ("地高辛片", "维拉帕米", W, W), ("阿司匹林肠溶片", "华法林", W, W), ("西地那非", "硝酸甘油片", C, C),
    ("复方磺胺甲噁唑片", "甲氨蝶呤片", W, C), ("硫唑嘌呤", "别嘌醇", W, C), ("利奈唑胺", "舍曲林", W, C),
    ("美罗培南", "丙戊酸钠缓释片", W, W), ("氯吡格雷", "奥美拉唑肠溶胶囊", I, W), ("螺内酯", "氯化钾缓释片", W, W),
    ("卡马西平", "阿哌沙班", W, C), ("碳酸锂", "氢氯噻嗪", W, W), ("沙库巴曲缬沙坦钠片", "贝那普利", C, C),
    ("环孢素", "阿托伐他汀钙片", W, C), ("非布司他片", "硫唑嘌呤", C, C), ("多潘立酮", "克拉霉素", C, C),
    ("对乙酰氨基酚", "氨酚黄那敏", I, W), ("甲巯咪唑", "丙硫氧嘧啶", I, W), ("缬沙坦氨氯地平片", "缬沙坦", I, W),
    ("头孢曲松", "葡萄糖酸钙", I, W),
)  # fmt: skip

# draft, ICD-10-CM of a woman of 35, at least, at most
CONDITIONS = (
    ("carvedilol", "J45.909", W, C), ("adenosine", "J45.50", W, C), ("Plavix", "K92.2", W, C),
    ("Eliquis", "I61.9", W, C), ("alteplase", "I61.9", C, C), ("Ortho-Novum", "I82.401", C, C),
    ("Premarin", "I21.9", C, C), ("Lupron", "Z33.1", C, C), ("thalidomide", "Z34.90", C, C),
    ("misoprostol", "Z33.1", C, C), ("topiramate", "Z33.1", W, W), ("naproxen", "Z33.1", W, W),
    ("testosterone", "Z33.1", C, C), ("Januvia", "K85.90", I, W), ("pioglitazone", "C67.9", W, C),
    ("tramadol", "G40.909", W, W), ("azithromycin", "I45.81", W, C), ("Haldol", "I45.81", W, C),
    ("Zofran", "I45.81", W, C), ("Cogentin", "H40.031", W, C), ("amitriptyline", "N40.1", I, W),
    ("amitriptyline", "I21.4", W, C), ("Reglan", "G20", W, C), ("Aricept", "I49.5", I, W),
    ("dapsone", "D55.0", W, C), ("Pyridium", "D55.0", I, W), ("heparin", "D75.82", C, C),
    ("spironolactone", "E87.5", W, C), ("HCTZ", "M10.9", I, W), ("Prolia", "E83.51", C, C),
    ("diazepam", "K74.60", I, W), ("valproate", "K72.90", W, C), ("lorazepam", "G47.33", I, W),
    ("Lomotil", "A04.72", W, C), ("loperamide", "A04.72", W, W), ("clindamycin", "A04.72", I, W),
    ("rituximab", "B18.1", W, W), ("Otezla", "F32.9", I, W), ("interferon alfa", "F32.9", W, C),
    ("phentermine", "I25.10", C, C), ("Adderall", "I25.10", W, C), ("ergotamine", "I73.9", C, C),
    ("fludrocortisone", "I50.9", I, W), ("tadalafil", "I20.0", I, C), ("fingolimod", "I44.1", C, C),
    ("cilostazol", "I50.9", C, C), ("disopyramide", "I50.22", W, C), ("itraconazole", "I50.9", W, C),
    ("saxagliptin", "I50.9", I, W), ("doxorubicin", "I50.9", W, C), ("trastuzumab", "I50.9", W, W),
)  # fmt: skip

# draft, grave allergy, at least, at most
ALLERGIES = (
    ("Augmentin 875", "PCN", C, C), ("nafcillin", "penicillin G", C, C), ("Ancef", "Keflex", I, C),
    ("cefuroxime", "Rocephin", W, C), ("Fortaz", "Azactam", W, C), ("Silvadene cream", "sulfa", W, C),
    ("Celebrex", "sulfa", I, W), ("Zonegran", "sulfonamide", I, C), ("meloxicam", "ibuprofen", W, C),
    ("Ecotrin", "naproxen", W, C), ("Dilantin", "Lamictal", I, W), ("phenobarbital", "phenytoin", W, C),
    ("Vasotec", "Zestril", C, C), ("Biaxin", "Zithromax", W, C), ("gentamicin", "tobramycin", W, C),
    ("minocycline", "doxycycline", W, C), ("bupivacaine", "lidocaine", I, C), ("procaine", "benzocaine", W, C),
    ("hydrocodone", "codeine", I, C), ("Lovenox", "heparin", W, C), ("pantoprazole", "omeprazole", W, C),
    ("meropenem", "imipenem", W, C), ("rocuronium", "vecuronium", W, C), ("cisplatin", "carboplatin", W, C),
    ("docetaxel", "paclitaxel", W, C), ("Feraheme", "iron dextran", W, C), ("阿莫西林克拉维酸钾", "青霉素", C, C),
    ("头孢呋辛酯片", "头孢曲松", W, C), ("复方磺胺甲噁唑", "磺胺类", C, C), ("双氯芬酸钠", "阿司匹林", W, C),
    ("左氧氟沙星", "莫西沙星", W, C),
)  # fmt: skip

# draft, measured, age, at least, at most
VALUES = (
    ("Xarelto 20 mg", {"creatinine": 6.0}, 60, W, C), ("Arixtra", {"creatinine": 3.9}, 60, C, C),
    ("lithium", {"creatinine": 3.9}, 60, W, C), ("Boniva", {"creatinine": 3.9}, 70, W, C),
    ("Namenda", {"creatinine": 4.5}, 80, I, W), ("Lyrica 300 bid", {"creatinine": 4.5}, 80, I, W),
    ("Valtrex 1 g tid", {"creatinine": 4.5}, 80, I, W), ("cefepime 2 g q8h", {"creatinine": 4.5}, 80, I, W),
    ("imipenem", {"creatinine": 4.5}, 80, I, W), ("famotidine 40", {"creatinine": 4.5}, 80, I, W),
    ("allopurinol 300", {"creatinine": 4.5}, 80, I, W), ("Viread", {"creatinine": 3.5}, 60, I, W),
    ("morphine", {"creatinine": 4.5}, 70, I, W), ("glyburide", {"creatinine": 2.5}, 70, I, W),
    ("exenatide", {"creatinine": 4.0}, 70, W, C), ("spironolactone", {"creatinine": 3.5}, 70, W, C),
    ("triamterene/HCTZ", {"creatinine": 4.0}, 70, W, C), ("Bactrim DS", {"creatinine": 6.0}, 70, W, C),
    ("gentamicin", {"creatinine": 4.0}, 70, I, W), ("ganciclovir", {"creatinine": 4.0}, 70, I, W),
    ("Xeloda", {"creatinine": 4.5}, 70, W, C), ("cisplatin", {"creatinine": 3.0}, 60, W, C),
    ("pemetrexed", {"creatinine": 3.0}, 60, W, C), ("alogliptin 25", {"creatinine": 4.0}, 70, I, W),
    ("duloxetine", {"creatinine": 4.5}, 70, W, W), ("Aldactone", {"potassium": 5.6}, 60, W, C),
    ("potassium chloride", {"potassium": 5.8}, 60, W, C), ("chlorthalidone", {"sodium": 124}, 70, W, C),
    ("desmopressin", {"sodium": 124}, 70, W, C), ("clopidogrel", {"platelets": 20}, 60, I, C),
    ("warfarin", {"inr": 6.0}, 60, W, C), ("clozapine", {"white_cells": 2.0}, 40, W, C),
    ("promethazine", {}, 1, C, C), ("ciprofloxacin", {}, 10, I, W), ("Benadryl", {}, 80, I, W),
    ("Ambien", {}, 80, I, W), ("indomethacin", {}, 80, I, W), ("glyburide", {}, 78, I, W), ("Lomotil", {}, 1, C, C),
    ("prasugrel", {}, 80, I, W), ("tigecycline", {}, 5, W, W),
)  # fmt: skip

# draft, taken: silent, and both recognised
SAFE = (
    ("Norvasc 5 mg", "Diovan 160"), ("Toprol XL", "Zestril"), ("hydrochlorothiazide 12.5", "olmesartan"),
    ("carvedilol", "furosemide"), ("apixaban", "metformin"), ("Eliquis", "lisinopril"),
    ("warfarin", "calcium carbonate"), ("aspirin 81", "ramipril"), ("clopidogrel", "famotidine"),
    ("atorvastatin", "ezetimibe"), ("rosuvastatin", "losartan"), ("pravastatin", "diltiazem"),
    ("Farxiga", "carvedilol"), ("Jardiance", "Ozempic"), ("metformin", "pioglitazone"),
    ("insulin aspart", "metoprolol tartrate 12.5"), ("Lantus", "Novolog"), ("Tresiba", "Trulicity"),
    ("glipizide", "lisinopril"), ("sitagliptin", "lisinopril"), ("levothyroxine", "amlodipine"),
    ("levothyroxine", "escitalopram"), ("sertraline", "lamotrigine"), ("escitalopram", "lorazepam"),
    ("sertraline", "hydroxyzine"), ("venlafaxine", "losartan"), ("duloxetine", "pregabalin"),
    ("bupropion", "sertraline"), ("mirtazapine", "metoprolol"), ("quetiapine", "lamotrigine"),
    ("aripiprazole", "metformin"), ("lithium", "lamotrigine"), ("gabapentin", "lamotrigine"),
    ("levetiracetam", "lacosamide"), ("donepezil", "sertraline"), ("carbidopa/levodopa", "entacapone"),
    ("ropinirole", "carbidopa-levodopa"), ("Topamax", "sumatriptan"), ("sumatriptan", "ibuprofen"),
    ("propranolol", "topiramate"), ("ProAir HFA", "Breo Ellipta"), ("Trelegy", "albuterol"),
    ("Flovent", "Singulair"), ("prednisone 5 mg", "calcium carbonate/vitamin D"), ("azithromycin", "albuterol"),
    ("amoxicillin/clavulanate", "prednisone"), ("cefdinir", "ibuprofen"), ("cephalexin", "acetaminophen"),
    ("nitrofurantoin", "phenazopyridine"), ("valacyclovir", "lisinopril"), ("oseltamivir", "atorvastatin"),
    ("Biktarvy", "atorvastatin"), ("Biktarvy", "lisinopril"), ("dolutegravir", "amlodipine"),
    ("Truvada", "doxycycline"), ("methotrexate", "adalimumab"), ("hydroxychloroquine", "prednisone"),
    ("methotrexate 15 mg weekly", "prednisone 5 mg"), ("etanercept", "methotrexate"),
    ("tacrolimus", "mycophenolate"), ("tacrolimus", "prednisone"), ("anastrozole", "calcium carbonate"),
    ("letrozole", "palbociclib"), ("tamoxifen", "citalopram"), ("ondansetron", "metoclopramide"),
    ("docusate", "senna"), ("omeprazole", "amoxicillin"), ("pantoprazole", "ibuprofen"),
    ("tamsulosin", "amlodipine"), ("finasteride", "lisinopril"), ("mirabegron", "tamsulosin"),
    ("alendronate", "metformin"), ("denosumab", "vitamin D"), ("estradiol patch", "progesterone"),
    ("Mirena", "ibuprofen"), ("norethindrone", "amoxicillin"), ("ferrous sulfate", "folic acid"),
    ("acetaminophen", "oxycodone"), ("tramadol", "acetaminophen"), ("Tylenol #3", "ibuprofen"),
    ("melatonin", "metformin"), ("loratadine", "fluticasone nasal"), ("guaifenesin", "azithromycin"),
    ("vitamin B12", "metformin"),
)  # fmt: skip
SAFE_CHINESE = (
    ("阿卡波糖", "二甲双胍"), ("苯磺酸氨氯地平片", "厄贝沙坦氢氯噻嗪片"), ("瑞舒伐他汀", "阿司匹林"),
    ("门冬胰岛素", "甘精胰岛素"), ("甲泼尼龙", "泮托拉唑"), ("美托洛尔缓释片", "培哚普利"),
    ("孟鲁司特钠", "布地奈德"), ("恩替卡韦", "缬沙坦"), ("达格列净", "二甲双胍"),
)  # fmt: skip

# draft, gene, result, at least, at most
GENES = (
    ("Plavix", "CYP2C19", "*2/*3", W, W), ("Tylenol #3", "CYP2D6", "*4/*5", W, W),
    ("Ziagen", "HLA-B*57:01", "Positive", C, C), ("Xeloda", "DPYD", "*2A/*13", C, C),
    ("Zyloprim", "HLA-B*58:01", "Positive", C, C), ("Imuran", "NUDT15", "Poor metabolizer", C, C),
    ("Mayzent", "CYP2C9", "*3/*3", C, C), ("Zocor", "SLCO1B1", "*5/*15", W, W),
    ("Prograf", "CYP3A5", "*1/*3", I, I), ("thioridazine", "CYP2D6", "*4/*4", C, C),
    ("氯吡格雷片", "CYP2C19", "*2/*2", W, W), ("卡马西平片", "HLA-B*15:02", "Positive", C, C),
)  # fmt: skip


def chart(age=45, sex="male", **measured):
    usual = {"creatinine": 0.9, "potassium": 4.2, "sodium": 140, "platelets": 220, "alt": 20, "hemoglobin": 14.0,
             "white_cells": 7.0, "glucose": 95, "inr": 1.0, "weight": 75, "height": 175}  # fmt: skip
    usual |= {"weight": 30, "height": 130} if age < 18 else {}
    return Chart(age, sex=sex).measured(**{**usual, **measured}, ago=timedelta(days=2))


def loudest(found):
    """How loud, leaving out what is to be measured; what was not recognised is no find."""
    told = [f for f in found if not f.quiet and not any(f"/{part}" in f.key for part in ("monitoring/", "unrecog"))]
    return max((f.severity for f in told), default=None)


def within(found, least, most):
    loud = loudest(found)
    assert loud is not None, [f.key for f in found]
    assert least <= loud <= most, [f.key for f in found]


@pytest.mark.parametrize(("draft", "taken", "least", "most"), [*PAIRS, *CHINESE])
def test_a_dangerous_pair_is_as_loud_as_it_deserves_whichever_is_drafted(findings, draft, taken, least, most):
    """In whatever words and language the two are ordered."""
    for new, old in ((draft, taken), (taken, draft)):
        within(findings(SERVICE, chart().draft(new).medicine("", old)), least, most)


@pytest.mark.parametrize(("draft", "code", "least", "most"), CONDITIONS)
def test_a_medicine_against_a_condition_is_as_loud_as_it_deserves(findings, draft, code, least, most):
    """By the code that a problem list holds."""
    made = chart(35, "female").diagnosis(code)
    if code[:3] in ("Z33", "Z34", "O09"):
        made.rows[-1]["onsetDateTime"] = "2026-09-01"
    within(findings(SERVICE, made.draft(draft)), least, most)


@pytest.mark.parametrize(("draft", "substance", "least", "most"), ALLERGIES)
def test_a_medicine_against_an_allergy_is_as_loud_as_it_deserves(findings, draft, substance, least, most):
    """The substance, its class and what cross-reacts."""
    made = chart().intolerance(substance)
    made.rows[-1]["criticality"] = "high"
    within(findings(SERVICE, made.draft(draft)), least, most)


@pytest.mark.parametrize(("draft", "measured", "age", "least", "most"), VALUES)
def test_a_medicine_beyond_a_limit_is_as_loud_as_it_deserves(findings, draft, measured, age, least, most):
    """Kidney function, potassium, sodium, platelets, INR and age."""
    within(findings(SERVICE, chart(age, **measured).draft(draft)), least, most)


@pytest.mark.parametrize(("draft", "gene", "result", "least", "most"), GENES)
def test_a_medicine_against_a_gene_is_as_loud_as_it_deserves(findings, draft, gene, result, least, most):
    """Alleles and phenotypes."""
    made = chart().add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime=NOW.isoformat(),
        code={"coding": [{"system": LOINC, "code": "x"}], "text": gene}, valueCodeableConcept={"text": result},
    )  # fmt: skip
    within(findings("pharmacogenomics", made.draft(draft)), least, most)


@pytest.mark.parametrize(("draft", "taken"), [*SAFE, *SAFE_CHINESE])
def test_a_safe_pair_is_silent_whichever_is_drafted(findings, draft, taken):
    """And both names are recognised: silence about an unknown name would prove nothing."""
    for new, old in ((draft, taken), (taken, draft)):
        found = findings(SERVICE, chart().draft(new).medicine("", old))
        assert loudest(found) is None, [f.key for f in found]
        assert not any("unrecognised" in f.key for f in found)


def test_there_are_sixty_dangerous_and_sixty_safe_ones():
    """The goal of the lists."""
    assert len(PAIRS) + len(CHINESE) >= 60
    assert len(SAFE) >= 60
