"""Codes, units and reference ranges of what sample records hold: tests, diagnoses, medicines, vaccines, procedures.

Sources: LOINC, SNOMED CT, ICD-10-CM 2021, RxNorm and CVX codes as published; adult reference ranges as commonly
printed by United States laboratories. A medicine without a product code is written by its ingredient alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_WHO = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"


_SPECIMEN = re.compile(r" \[| in (?:Blood|Platelet)|/Hemoglobin")


@dataclass(frozen=True)
class Si:
    """The same analyte in SI units: value * factor + offset, rounded to digits."""

    unit: str
    factor: float
    digits: int
    offset: float = 0.0

    def of(self, value: float) -> float:
        """A conventional value in SI units."""
        return value * self.factor + self.offset


@dataclass(frozen=True)
class Lab:
    """A laboratory test; low and high are the adult reference range, usual a healthy adult's value."""

    loinc: str
    display: str
    zh: str
    unit: str
    digits: int
    usual: float
    low: float | None = None
    high: float | None = None
    usual_female: float | None = None
    low_female: float | None = None
    high_female: float | None = None
    si: Si | None = None
    si_loinc: str | None = None  # LOINC tells mass from substance concentration

    @property
    def name(self) -> str:
        """What a laboratory prints: the LOINC display without specimen and method."""
        return _SPECIMEN.split(self.display, maxsplit=1)[0]

    def range_for(self, female: bool) -> tuple[float | None, float | None]:
        """The reference range of a sex."""
        low = self.low_female if female and self.low_female is not None else self.low
        high = self.high_female if female and self.high_female is not None else self.high
        return low, high

    def usual_for(self, female: bool) -> float:
        """A healthy adult's value of a sex."""
        return self.usual_female if female and self.usual_female is not None else self.usual


_PERCENT = "%"
LABS: dict[str, Lab] = {
    # basic metabolic panel
    "sodium": Lab("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "钠", "mmol/L", 0, 140, 135, 145),
    "potassium": Lab("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "钾", "mmol/L", 1, 4.2, 3.5, 5.1),
    "chloride": Lab("2075-0", "Chloride [Moles/volume] in Serum or Plasma", "氯", "mmol/L", 0, 103, 98, 107),
    "bicarbonate": Lab("1963-8", "Bicarbonate [Moles/volume] in Serum or Plasma", "碳酸氢根", "mmol/L", 0, 25, 22, 29),
    "bun": Lab("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "尿素", "mg/dL", 0, 14, 7, 20,
               si=Si("mmol/L", 0.357, 1), si_loinc="22664-7"),
    "creatinine": Lab("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "肌酐", "mg/dL", 2, 0.95, 0.7, 1.3,
                      usual_female=0.78, low_female=0.6, high_female=1.1,
                      si=Si("umol/L", 88.42, 0), si_loinc="14682-9"),
    "glucose": Lab("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "葡萄糖", "mg/dL", 0, 92, 70, 99,
                   si=Si("mmol/L", 0.05551, 1), si_loinc="14749-6"),
    "calcium": Lab("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "钙", "mg/dL", 1, 9.5, 8.6, 10.2,
                   si=Si("mmol/L", 0.2495, 2), si_loinc="2000-8"),
    "egfr": Lab("98979-8", "Glomerular filtration rate [Volume Rate/Area] in Serum, Plasma or Blood by "
                "Creatinine-based formula (CKD-EPI 2021)/1.73 sq M", "估算肾小球滤过率",
                "mL/min/{1.73_m2}", 0, 95, 60, None),
    # liver
    "albumin": Lab("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "白蛋白", "g/dL", 1, 4.3, 3.5, 5.0,
                   si=Si("g/L", 10, 0)),
    "bilirubin": Lab("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "总胆红素", "mg/dL", 1, 0.6, 0.2,
                     1.2, si=Si("umol/L", 17.1, 0), si_loinc="14631-6"),
    "alp": Lab("6768-6", "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma", "碱性磷酸酶",
               "U/L", 0, 68, 40, 130),
    "ast": Lab("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
               "天门冬氨酸氨基转移酶", "U/L", 0, 22, 10, 40),
    "alt": Lab("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
               "丙氨酸氨基转移酶", "U/L", 0, 24, 7, 56),
    "ggt": Lab("2324-2", "Gamma glutamyl transferase [Enzymatic activity/volume] in Serum or Plasma",
               "γ-谷氨酰转移酶", "U/L", 0, 24, 8, 61),
    # blood count
    "hemoglobin": Lab("718-7", "Hemoglobin [Mass/volume] in Blood", "血红蛋白", "g/dL", 1, 14.8, 13.5, 17.5,
                      usual_female=13.4, low_female=12.0, high_female=15.5, si=Si("g/L", 10, 0)),
    "wbc": Lab("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "白细胞", "10*3/uL", 1, 6.4, 4.0, 11.0,
               si=Si("10*9/L", 1, 1)),
    "platelets": Lab("777-3", "Platelets [#/volume] in Blood by Automated count", "血小板", "10*3/uL", 0, 245, 150, 400,
                     si=Si("10*9/L", 1, 0)),
    "rbc": Lab("789-8", "Erythrocytes [#/volume] in Blood by Automated count", "红细胞", "10*6/uL", 2, 4.9, 4.3, 5.7,
               usual_female=4.4, low_female=3.8, high_female=5.1, si=Si("10*12/L", 1, 2)),
    "mcv": Lab("787-2", "MCV [Entitic volume] by Automated count", "平均红细胞体积", "fL", 1, 90.0, 80, 100),
    "rdw": Lab("788-0", "Erythrocyte distribution width [Ratio] by Automated count", "红细胞分布宽度",
               _PERCENT, 1, 13.0, 11.5, 14.5),
    "lymphocytes": Lab("736-9", "Lymphocytes/100 leukocytes in Blood by Automated count", "淋巴细胞百分比",
                       _PERCENT, 1, 30.0, 20, 45),
    "neutrophils": Lab("770-8", "Neutrophils/100 leukocytes in Blood by Automated count", "中性粒细胞百分比",
                       _PERCENT, 1, 59.0, 40, 70),
    "monocytes": Lab("5905-5", "Monocytes/100 leukocytes in Blood by Automated count", "单核细胞百分比",
                     _PERCENT, 1, 7.5, 2, 10),
    "eosinophils": Lab("713-8", "Eosinophils/100 leukocytes in Blood by Automated count", "嗜酸性粒细胞百分比",
                       _PERCENT, 1, 2.8, 0, 6),
    "basophils": Lab("706-2", "Basophils/100 leukocytes in Blood by Automated count", "嗜碱性粒细胞百分比",
                     _PERCENT, 1, 0.7, 0, 2),
    # lipids
    "cholesterol": Lab("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "总胆固醇", "mg/dL", 0, 182, None, 200,
                       si=Si("mmol/L", 0.02586, 2), si_loinc="14647-2"),
    "hdl": Lab("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "高密度脂蛋白胆固醇", "mg/dL", 0, 52,
               40, None, usual_female=60, low_female=50, si=Si("mmol/L", 0.02586, 2), si_loinc="14646-4"),
    "ldl": Lab("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "低密度脂蛋白胆固醇",
               "mg/dL", 0, 108, None, 130, si=Si("mmol/L", 0.02586, 2), si_loinc="39469-2"),
    "triglycerides": Lab("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "甘油三酯", "mg/dL", 0, 108, None,
                         150, si=Si("mmol/L", 0.01129, 2), si_loinc="14927-8"),
    # single tests
    "hba1c": Lab("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "糖化血红蛋白", _PERCENT, 1, 5.3, 4.0, 5.6,
                 si=Si("mmol/mol", 10.929, 0, -23.5), si_loinc="59261-8"),
    "uacr": Lab("9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "尿白蛋白/肌酐比值", "mg/g", 0, 8, None, 30,
                si=Si("mg/mmol", 0.113, 1), si_loinc="32294-1"),
    "uric_acid": Lab("3084-1", "Urate [Mass/volume] in Serum or Plasma", "尿酸", "mg/dL", 1, 5.4, 3.4, 7.0,
                     usual_female=4.4, low_female=2.4, high_female=6.0, si=Si("umol/L", 59.48, 0), si_loinc="14933-6"),
    "crp": Lab("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "C反应蛋白", "mg/L", 1, 1.6, None, 5.0),
    "inr": Lab("6301-6", "INR in Platelet poor plasma by Coagulation assay", "国际标准化比值", "{INR}", 1, 1.0, 0.9,
               1.1),
    "phosphate": Lab("2777-1", "Phosphate [Mass/volume] in Serum or Plasma", "磷", "mg/dL", 1, 3.4, 2.5, 4.5,
                     si=Si("mmol/L", 0.3229, 2), si_loinc="14879-1"),
    "bnp": Lab("33762-6", "Natriuretic peptide.B prohormone N-Terminal [Mass/volume] in Serum or Plasma",
               "N末端B型钠尿肽原", "pg/mL", 0, 60, None, 125),
    "ferritin": Lab("2276-4", "Ferritin [Mass/volume] in Serum or Plasma", "铁蛋白", "ng/mL", 0, 110, 30, 400,
                    usual_female=60, low_female=15, high_female=150),
    "tsh": Lab("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "促甲状腺激素", "m[IU]/L", 2, 1.8, 0.4, 4.0),
    "lactate": Lab("2524-7", "Lactate [Moles/volume] in Serum or Plasma", "乳酸", "mmol/L", 1, 1.0, 0.5, 2.0),
    "tacrolimus": Lab("11253-2", "Tacrolimus [Mass/volume] in Blood", "他克莫司", "ng/mL", 1, 6.5, 5, 15),
    "pth": Lab("2731-8", "Parathyrin.intact [Mass/volume] in Serum or Plasma", "甲状旁腺激素", "pg/mL", 0, 38, 15, 65),
}  # fmt: skip

BASIC_METABOLIC = ("sodium", "potassium", "chloride", "bicarbonate", "bun", "creatinine", "glucose", "calcium")
BLOOD_COUNT = (
    "hemoglobin", "wbc", "platelets", "mcv", "rdw", "lymphocytes", "neutrophils", "monocytes", "eosinophils",
    "basophils",
)  # fmt: skip
LIVER_PANEL = ("albumin", "bilirubin", "alp", "ast", "alt", "ggt")
LIPID_PANEL = ("cholesterol", "hdl", "triglycerides")


@dataclass(frozen=True)
class Vital:
    """A vital sign or body measurement."""

    loinc: str
    display: str
    zh: str
    unit: str
    digits: int


VITALS: dict[str, Vital] = {
    "heart_rate": Vital("8867-4", "Heart rate", "心率", "/min", 0),
    "respiratory_rate": Vital("9279-1", "Respiratory rate", "呼吸频率", "/min", 0),
    "spo2": Vital("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "血氧饱和度", "%", 0),
    "temperature": Vital("8310-5", "Body temperature", "体温", "Cel", 1),
    "weight": Vital("29463-7", "Body weight", "体重", "kg", 1),
    "height": Vital("8302-2", "Body height", "身高", "cm", 0),
    "bmi": Vital("39156-5", "Body mass index (BMI) [Ratio]", "体重指数", "kg/m2", 1),
    "sbp": Vital("8480-6", "Systolic blood pressure", "收缩压", "mm[Hg]", 0),
    "dbp": Vital("8462-4", "Diastolic blood pressure", "舒张压", "mm[Hg]", 0),
}


@dataclass(frozen=True)
class Problem:
    """A diagnosis: SNOMED CT code and display, ICD-10-CM code and title, and Chinese name with WHO ICD-10 code."""

    snomed: str | None
    display: str
    icd10: str
    title: str
    zh: str = ""
    icd10_who: str = ""


PROBLEMS: dict[str, Problem] = {
    "hypertension": Problem("59621000", "Essential hypertension", "I10", "Essential (primary) hypertension",
                            "原发性高血压", "I10"),
    "diabetes": Problem("44054006", "Diabetes mellitus type 2", "E11.9",
                        "Type 2 diabetes mellitus without complications", "2型糖尿病", "E11.9"),
    "diabetes_high": Problem("44054006", "Diabetes mellitus type 2", "E11.65",
                             "Type 2 diabetes mellitus with hyperglycemia"),
    "diabetic_kidney": Problem("127013003", "Disorder of kidney due to diabetes mellitus", "E11.22",
                               "Type 2 diabetes mellitus with diabetic chronic kidney disease"),
    "prediabetes": Problem("714628002", "Prediabetes", "R73.03", "Prediabetes"),
    "lipids": Problem("55822004", "Hyperlipidemia", "E78.5", "Hyperlipidemia, unspecified", "高脂血症", "E78.5"),
    "obesity": Problem("414916001", "Obesity", "E66.9", "Obesity, unspecified"),
    "ckd3a": Problem("700378005", "Chronic kidney disease stage 3A", "N18.31", "Chronic kidney disease, stage 3a"),
    "ckd3b": Problem("700379002", "Chronic kidney disease stage 3B", "N18.32", "Chronic kidney disease, stage 3b"),
    "ckd4": Problem("431857002", "Chronic kidney disease stage 4", "N18.4", "Chronic kidney disease, stage 4 (severe)"),
    "esrd": Problem("46177005", "End-stage renal disease", "N18.6", "End stage renal disease"),
    "dialysis": Problem("105502003", "Dependence on renal dialysis", "Z99.2", "Dependence on renal dialysis"),
    "renal_anaemia": Problem("707323002", "Anemia in chronic kidney disease", "D63.1",
                             "Anemia in chronic kidney disease"),
    "kidney_transplant": Problem("737295003", "Transplanted kidney present", "Z94.0", "Kidney transplant status"),
    "aki": Problem("14669001", "Acute kidney injury", "N17.9", "Acute kidney failure, unspecified"),
    "hfref": Problem("703272007", "Heart failure with reduced ejection fraction", "I50.22",
                     "Chronic systolic (congestive) heart failure"),
    "heart_failure": Problem("84114007", "Heart failure", "I50.9", "Heart failure, unspecified"),
    "persistent_af": Problem("440059007", "Persistent atrial fibrillation", "I48.19",
                             "Other persistent atrial fibrillation"),
    "af": Problem("49436004", "Atrial fibrillation", "I48.91", "Unspecified atrial fibrillation"),
    "mechanical_valve": Problem(None, "", "Z95.2", "Presence of prosthetic heart valve"),
    "tia": Problem("266257000", "Transient ischemic attack", "G45.9",
                   "Transient cerebral ischemic attack, unspecified"),
    "coronary": Problem("53741008", "Coronary arteriosclerosis", "I25.10",
                        "Atherosclerotic heart disease of native coronary artery without angina pectoris",
                        "冠状动脉粥样硬化性心脏病", "I25.1"),
    "old_mi": Problem("1755008", "Old myocardial infarction", "I25.2", "Old myocardial infarction"),
    "pad": Problem("399957001", "Peripheral arterial occlusive disease", "I73.9",
                   "Peripheral vascular disease, unspecified"),
    "cirrhosis_alcohol": Problem("420054005", "Alcoholic cirrhosis", "K70.31",
                                 "Alcoholic cirrhosis of liver with ascites"),
    "ascites": Problem("389026000", "Ascites", "R18.8", "Other ascites"),
    "varices": Problem("28670008", "Esophageal varices", "I85.10", "Secondary esophageal varices without bleeding"),
    "alcohol": Problem("7200002", "Alcohol dependence", "F10.21", "Alcohol dependence, in remission"),
    "steatosis": Problem("197321007", "Steatosis of liver", "K76.0",
                         "Fatty (change of) liver, not elsewhere classified", "脂肪肝", "K76.0"),
    "nsclc": Problem("254637007", "Non-small cell lung cancer", "C34.90",
                     "Malignant neoplasm of unspecified part of unspecified bronchus or lung"),
    "melanoma": Problem("372244006", "Malignant melanoma", "C43.9", "Malignant melanoma of skin, unspecified"),
    "ovarian_cancer": Problem("363443007", "Malignant neoplasm of ovary", "C56.9",
                              "Malignant neoplasm of unspecified ovary"),
    "breast_cancer": Problem("254837009", "Malignant neoplasm of breast", "C50.912",
                             "Malignant neoplasm of unspecified site of left female breast"),
    "bone_mets": Problem("94222008", "Secondary malignant neoplasm of bone", "C79.51",
                         "Secondary malignant neoplasm of bone"),
    "liver_mets": Problem("94381002", "Secondary malignant neoplasm of liver", "C78.7",
                          "Secondary malignant neoplasm of liver and intrahepatic bile duct"),
    "palliative": Problem("305824005", "Seen by palliative care medicine service", "Z51.5",
                          "Encounter for palliative care"),
    "colon_cancer": Problem("363406005", "Malignant neoplasm of colon", "C18.9",
                            "Malignant neoplasm of colon, unspecified"),
    "copd": Problem("13645005", "Chronic obstructive lung disease", "J44.9",
                    "Chronic obstructive pulmonary disease, unspecified", "慢性阻塞性肺疾病", "J44.9"),
    "hypercapnia": Problem("409622000", "Respiratory failure", "J96.12",
                           "Chronic respiratory failure with hypercapnia"),
    "pneumonia": Problem("233604007", "Pneumonia", "J18.9", "Pneumonia, unspecified organism"),
    "sepsis": Problem("91302008", "Sepsis", "A41.9", "Sepsis, unspecified organism"),
    "pancreatic_cancer": Problem("363418001", "Malignant tumor of pancreas", "C25.9",
                                 "Malignant neoplasm of pancreas, unspecified"),
    "bedridden": Problem("160685001", "Bed-ridden", "Z74.01", "Bed confinement status"),
    "dvt_history": Problem("161508001", "History of deep vein thrombosis", "Z86.718",
                           "Personal history of other venous thrombosis and embolism"),
    "urinary_infection": Problem("68566005", "Urinary tract infectious disease", "N39.0",
                                 "Urinary tract infection, site not specified"),
    "cellulitis": Problem("128045006", "Cellulitis", "L03.116", "Cellulitis of left lower limb"),
    "dementia": Problem("52448006", "Dementia", "F03.90", "Unspecified dementia without behavioral disturbance"),
    "osteoporosis": Problem("64859006", "Osteoporosis", "M81.0",
                            "Age-related osteoporosis without current pathological fracture"),
    "osteoarthritis": Problem("396275006", "Osteoarthritis", "M19.90", "Unspecified osteoarthritis, unspecified site"),
    "hypothyroidism": Problem("40930008", "Hypothyroidism", "E03.9", "Hypothyroidism, unspecified"),
    "gout": Problem("90560007", "Gout", "M10.9", "Gout, unspecified", "痛风", "M10.9"),
    "asthma": Problem("195967001", "Asthma", "J45.909", "Unspecified asthma, uncomplicated"),
    "eczema": Problem("24079001", "Atopic dermatitis", "L20.9", "Atopic dermatitis, unspecified"),
    "migraine": Problem("37796009", "Migraine", "G43.909",
                        "Migraine, unspecified, not intractable, without status migrainosus"),
    "pregnancy": Problem("72892002", "Normal pregnancy", "Z34.00",
                         "Encounter for supervision of normal first pregnancy, unspecified trimester"),
    "reflux": Problem("235595009", "Gastroesophageal reflux disease", "K21.9",
                      "Gastro-esophageal reflux disease without esophagitis"),
    "rhinitis": Problem("367498001", "Seasonal allergic rhinitis", "J30.2", "Other seasonal allergic rhinitis"),
    "chest_pain": Problem("29857009", "Chest pain", "R07.9", "Chest pain, unspecified"),
}  # fmt: skip


@dataclass(frozen=True)
class Medicine:
    """A medicine: RxNorm product (code, name) where known, and ingredient (code, name)."""

    text: str
    dosage: str
    ingredient: tuple[str, str]
    product: tuple[str, str] | None = None
    zh: str = ""
    atc: str = ""  # WHO code, the only one in the Chinese record


MEDICINES: dict[str, Medicine] = {
    "atorvastatin40": Medicine("Atorvastatin 40 mg tablet", "Take 1 tablet by mouth once daily",
                               ("83367", "atorvastatin"), ("617311", "atorvastatin 40 MG Oral Tablet")),
    "simvastatin20": Medicine("Simvastatin 20 mg tablet", "Take 1 tablet by mouth at night", ("36567", "simvastatin"),
                              ("312961", "simvastatin 20 MG Oral Tablet")),
    "rosuvastatin": Medicine("Rosuvastatin 10 mg tablet", "Take 1 tablet by mouth once daily",
                             ("301542", "rosuvastatin")),
    "lisinopril10": Medicine("Lisinopril 10 mg tablet", "Take 1 tablet by mouth once daily", ("29046", "lisinopril"),
                             ("314076", "lisinopril 10 MG Oral Tablet")),
    "lisinopril20": Medicine("Lisinopril 20 mg tablet", "Take 1 tablet by mouth once daily", ("29046", "lisinopril"),
                             ("314077", "lisinopril 20 MG Oral Tablet")),
    "losartan50": Medicine("Losartan 50 mg tablet", "Take 1 tablet by mouth once daily", ("52175", "losartan"),
                           ("979492", "losartan potassium 50 MG Oral Tablet"), "氯沙坦钾片 50毫克", "C09CA01"),
    "amlodipine5": Medicine("Amlodipine 5 mg tablet", "Take 1 tablet by mouth once daily", ("17767", "amlodipine"),
                            ("197361", "amlodipine 5 MG Oral Tablet")),
    "hydrochlorothiazide25": Medicine("Hydrochlorothiazide 25 mg tablet", "Take 1 tablet by mouth every morning",
                                      ("5487", "hydrochlorothiazide"),
                                      ("310798", "hydrochlorothiazide 25 MG Oral Tablet")),
    "metformin500": Medicine("Metformin 500 mg tablet", "Take 1 tablet by mouth twice daily with meals",
                             ("6809", "metformin"), ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
                             "盐酸二甲双胍片 500毫克", "A10BA02"),
    "metformin1000": Medicine("Metformin 1000 mg tablet", "Take 1 tablet by mouth twice daily with meals",
                              ("6809", "metformin"), ("861004", "metformin hydrochloride 1000 MG Oral Tablet")),
    "empagliflozin": Medicine("Empagliflozin 10 mg tablet", "Take 1 tablet by mouth once daily",
                              ("1545653", "empagliflozin")),
    "glargine": Medicine("Insulin glargine 100 units/mL pen", "Inject 24 units under the skin at bedtime",
                         ("274783", "insulin glargine")),
    "metoprolol_xl50": Medicine("Metoprolol succinate ER 50 mg tablet", "Take 1 tablet by mouth once daily",
                                ("6918", "metoprolol"),
                                ("866436", "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet")),
    "carvedilol6": Medicine("Carvedilol 6.25 mg tablet", "Take 1 tablet by mouth twice daily", ("20352", "carvedilol"),
                            ("200031", "carvedilol 6.25 MG Oral Tablet")),
    "sacubitril_valsartan": Medicine("Sacubitril/valsartan 24/26 mg tablet", "Take 1 tablet by mouth twice daily",
                                     ("1656339", "sacubitril / valsartan"),
                                     ("1656340", "sacubitril 24 MG / valsartan 26 MG Oral Tablet")),
    "spironolactone25": Medicine("Spironolactone 25 mg tablet", "Take 1 tablet by mouth once daily",
                                 ("9997", "spironolactone"), ("313096", "spironolactone 25 MG Oral Tablet")),
    "furosemide40": Medicine("Furosemide 40 mg tablet", "Take 1 tablet by mouth every morning", ("4603", "furosemide"),
                             ("313988", "furosemide 40 MG Oral Tablet")),
    "apixaban5": Medicine("Apixaban 5 mg tablet", "Take 1 tablet by mouth twice daily", ("1364430", "apixaban"),
                          ("1364445", "apixaban 5 MG Oral Tablet")),
    "warfarin5": Medicine("Warfarin 5 mg tablet", "Take as directed by the anticoagulation clinic",
                          ("11289", "warfarin"), ("855332", "warfarin sodium 5 MG Oral Tablet")),
    "aspirin81": Medicine("Aspirin 81 mg tablet", "Take 1 tablet by mouth once daily", ("1191", "aspirin"),
                          ("243670", "aspirin 81 MG Oral Tablet")),
    "clopidogrel75": Medicine("Clopidogrel 75 mg tablet", "Take 1 tablet by mouth once daily", ("32968", "clopidogrel"),
                              ("309362", "clopidogrel 75 MG Oral Tablet")),
    "levothyroxine": Medicine("Levothyroxine 75 mcg tablet", "Take 1 tablet by mouth every morning before breakfast",
                              ("10582", "levothyroxine")),
    "allopurinol100": Medicine("Allopurinol 100 mg tablet", "Take 1 tablet by mouth once daily", ("519", "allopurinol"),
                               ("197319", "allopurinol 100 MG Oral Tablet"), "别嘌醇片 100毫克", "M04AA01"),
    "albuterol": Medicine("Albuterol 90 mcg inhaler", "Inhale 2 puffs every 4 hours as needed", ("435", "albuterol"),
                          ("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler")),
    "tiotropium": Medicine("Tiotropium 18 mcg inhalation capsule", "Inhale 1 capsule once daily",
                           ("69120", "tiotropium")),
    "prednisone5": Medicine("Prednisone 5 mg tablet", "Take 1 tablet by mouth once daily", ("8640", "prednisone"),
                            ("312617", "prednisone 5 MG Oral Tablet")),
    "tacrolimus": Medicine("Tacrolimus 1 mg capsule", "Take 2 capsules by mouth every 12 hours",
                           ("42316", "tacrolimus")),
    "mycophenolate": Medicine("Mycophenolate mofetil 500 mg tablet", "Take 1 tablet by mouth twice daily",
                              ("68149", "mycophenolate mofetil")),
    "lactulose": Medicine("Lactulose 10 g/15 mL solution", "Take 30 mL by mouth twice daily", ("6218", "lactulose")),
    "propranolol": Medicine("Propranolol 20 mg tablet", "Take 1 tablet by mouth twice daily", ("8787", "propranolol")),
    "letrozole": Medicine("Letrozole 2.5 mg tablet", "Take 1 tablet by mouth once daily", ("72965", "letrozole")),
    "morphine": Medicine("Morphine 15 mg extended-release tablet", "Take 1 tablet by mouth every 12 hours",
                         ("7052", "morphine")),
    "ondansetron": Medicine("Ondansetron 4 mg tablet", "Take 1 tablet by mouth every 8 hours as needed",
                            ("26225", "ondansetron")),
    "sevelamer": Medicine("Sevelamer 800 mg tablet", "Take 2 tablets by mouth three times daily with meals",
                          ("214824", "sevelamer")),
    "epoetin": Medicine("Epoetin alfa injection", "Inject 4000 units at each dialysis session",
                        ("105694", "epoetin alfa")),
    "acetaminophen325": Medicine("Acetaminophen 325 mg tablet", "Take 2 tablets by mouth every 6 hours as needed",
                                 ("161", "acetaminophen"), ("313782", "acetaminophen 325 MG Oral Tablet")),
    "clarithromycin500": Medicine("Clarithromycin 500 mg tablet", "Take 1 tablet by mouth twice daily for 7 days",
                                  ("21212", "clarithromycin")),
    "amoxicillin500": Medicine("Amoxicillin 500 mg capsule", "Take 1 capsule by mouth three times daily for 7 days",
                               ("723", "amoxicillin")),
    "ibuprofen200": Medicine("Ibuprofen 200 mg tablet", "Take 2 tablets by mouth every 8 hours as needed",
                             ("5640", "ibuprofen"), ("310965", "ibuprofen 200 MG Oral Tablet")),
    "gabapentin300": Medicine("Gabapentin 300 mg capsule", "Take 1 capsule by mouth three times daily",
                              ("25480", "gabapentin")),
    "nitrofurantoin100": Medicine("Nitrofurantoin 100 mg capsule", "Take 1 capsule by mouth twice daily",
                                  ("7454", "nitrofurantoin")),
    "prenatal": Medicine("Prenatal vitamin with folic acid tablet", "Take 1 tablet by mouth once daily",
                         ("4511", "folic acid")),
    "ceftriaxone": Medicine("Ceftriaxone 2 g injection", "2 g intravenously every 24 hours", ("2193", "ceftriaxone")),
    "donepezil10": Medicine("Donepezil 10 mg tablet", "Take 1 tablet by mouth at bedtime", ("135447", "donepezil"),
                            ("997223", "donepezil hydrochloride 10 MG Oral Tablet")),
}  # fmt: skip

VACCINES: dict[str, tuple[str, str]] = {
    "influenza": ("140", "Influenza, seasonal, injectable, preservative free"),
    "tdap": ("115", "Tdap"),
    "pneumococcal": ("216", "Pneumococcal conjugate vaccine 20-valent (PCV20)"),
    "pcv13": ("133", "Pneumococcal conjugate PCV 13"),
    "zoster": ("187", "zoster recombinant"),
    "dtap": ("20", "DTaP"),
    "polio": ("10", "IPV"),
    "hib": ("49", "Hib (PRP-OMP)"),
    "hepatitis_b_child": ("08", "Hep B, adolescent or pediatric"),
    "hepatitis_b": ("43", "Hep B, adult"),
    "rotavirus": ("119", "rotavirus, monovalent"),
    "mmr": ("03", "MMR"),
    "varicella": ("21", "varicella"),
}

PROCEDURES: dict[str, tuple[str, str]] = {
    "colonoscopy": ("73761001", "Colonoscopy"),
    "mammography": ("24623002", "Screening mammography"),
    "echocardiography": ("433236007", "Transthoracic echocardiography"),
    "coronary_stent": ("36969009", "Placement of stent in coronary artery"),
    "haemodialysis": ("302497006", "Hemodialysis"),
    "kidney_transplant": ("70536003", "Transplant of kidney"),
    "spirometry": ("127783003", "Spirometry"),
    "chemotherapy": ("367336001", "Chemotherapy"),
    "cardioversion": ("180325003", "Electrical cardioversion"),
    "chest_xray": ("399208008", "Plain chest X-ray"),
    "bone_density": ("312681000", "Bone density scan"),
    "palliative_care": ("103735009", "Palliative care"),
    "paracentesis": ("89305009", "Abdominal paracentesis"),
    "urine_culture": ("117010004", "Urine culture"),
    "fetal_anatomy": ("271442007", "Fetal anatomy study"),
}

SMOKING: dict[str, tuple[str, str, str]] = {
    "never": ("266919005", "Never smoked tobacco", "从不吸烟"),
    "former": ("8517006", "Ex-smoker", "已戒烟"),
    "current": ("449868002", "Smokes tobacco daily", "每日吸烟"),
}

CONSCIOUSNESS: dict[str, tuple[str, str]] = {
    "A": ("248234008", "Mentally alert"),
    "C": ("130987000", "Acute confusion"),
    "V": ("300202002", "Responds to voice"),
    "P": ("450847001", "Responds to pain"),
    "U": ("422768004", "Unresponsive"),
}
