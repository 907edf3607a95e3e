"""Paraphrases that the verifier once dropped: each right one stands beside a wrong one that differs in one thing."""

import pytest
from bench import Case, reference, verdict

from cds_service.summary.verify import Sentence

SAID = (
    ("cirrhosis", "C1 C2", "He has alcoholic cirrhosis complicated by ascites.", True),
    ("cirrhosis", "C2 C3 C1", "Alcohol-related cirrhosis, complicated by oesophageal varices in 2023.", True),
    ("cirrhosis", "C1 C3", "酒精性肝硬化并发食管静脉曲张。", True),
    ("cirrhosis", "C1 C2", "Ascites complicated by alcoholic cirrhosis.", False),
    ("cirrhosis", "C1 C4 C2", "Cirrhosis, complicated by alcohol use and ascites.", False),
    ("kidney-transplant", "P1", "The kidney transplant was complicated by acute rejection.", False),
    ("cirrhosis", "O:sodium-6", "Sodium is 131 mmol/L, consistent with hyponatraemia.", True),
    ("cirrhosis", "O:sodium-6", "Sodium is 131 mmol/L, consistent with hypernatraemia.", False),
    ("third-day", "O:creatinine-1 C1", "Creatinine 3.4 mg/dL, consistent with heart failure.", False),
    ("medicines-changed", "Appointment/medicines-changed-appointment-1",
     "The heart failure clinic is booked for 5 November 2026.", True),
    ("medicines-changed", "Appointment/medicines-changed-appointment-1",
     "The heart failure clinic is booked for 8 November 2026.", False),
    ("medicines-changed", "Encounter/medicines-changed-visit-2", "A hospital admission is booked.", False),
    ("acute-deterioration", "O:creatinine-2", "Creatinine was 1.1 mg/dL before this stay.", True),
    ("acute-deterioration", "O:creatinine-3", "Creatinine was 2.1 mg/dL before this stay.", False),
    ("acute-deterioration", "O:creatinine-2", "入院前肌酐1.1 mg/dL。", True),
    ("acute-deterioration", "O:creatinine-3", "入院前肌酐2.1 mg/dL。", False),
    ("going-home", "E1", "Before this stay he was admitted on 9 February 2026.", True),
    ("going-home", "E4", "Before this stay he was admitted on 24 October 2026.", False),
    ("heart-failure", "O:creatinine-5", "Before this stay, creatinine was 1.3 mg/dL.", False),
    ("kras-g12c-lung", "O:variant-1", "基因检测检出KRAS p.G12C变异。", True),
    ("kras-g12c-lung", "O:variant-1", "未检出KRAS G12C突变。", False),
)  # fmt: skip


@pytest.mark.parametrize(("patient", "cites", "text", "right"), SAID, ids=[text for _, _, text, _ in SAID])
def test_a_paraphrase_is_kept_only_where_it_is_true(patient, cites, text, right):
    """Complications, what a value shows, what is booked, before this stay, and what was detected."""
    found = verdict(Case(right, "", patient, Sentence(text, tuple(reference(patient, one) for one in cites.split()))))
    assert found.keep is right, found.reasons
