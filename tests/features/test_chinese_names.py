"""Chinese names of medicines: what they mean, and what a longer name keeps from being read."""

import re

import pytest
from babel.messages.pofile import read_po
from built import prescription, record, usable

from cds_service.features import catalogue as c
from cds_service.features import chinese_names
from cds_service.features.medicines_on_record import MedicationList
from cds_service.knowledge import base_files
from tests.test_translations import PO


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("盐酸二甲双胍缓释片 0.5g", {"metformin"}),
        ("复方磺胺甲噁唑片", {"sulfamethoxazole", "trimethoprim"}),
        ("注射用头孢哌酮钠舒巴坦钠", {"cefoperazone", "sulbactam"}),
        ("缬沙坦氨氯地平片（Ⅰ）", {"valsartan", "amlodipine"}),
        ("酚麻美敏片", {"acetaminophen", "chlorpheniramine", "dextromethorphan", "pseudoephedrine"}),
        ("维生素Ｃ银翘 维C银翘片", {"acetaminophen", "ascorbic acid", "chlorpheniramine"}),
        ("左氧氟沙星", {"levofloxacin"}),
        ("去甲肾上腺素", {"norepinephrine"}),
        ("氢化可的松", {"hydrocortisone"}),
        ("甘精胰岛素注射液", {"insulin glargine"}),
        ("血脂康胶囊", {"lovastatin"}),
        ("消渴丸", {"glyburide"}),
        ("头孢类", {"class:cephalosporin"}),
        ("注射用柔红霉素", set()),
        ("异丙肾上腺素", set()),
        ("多索茶碱", set()),
        ("氨基葡萄糖胶囊", set()),
        ("罗拉匹坦", set()),
        ("三磷酸腺苷二钠片", set()),
        ("注射用醋酸曲普瑞林（达菲林）", set()),
        ("葡萄糖酸钙注射液", {"calcium gluconate"}),
        ("葡萄糖酸锌口服液", set()),
        ("盐酸左旋氧氟沙星片", {"levofloxacin"}),
        ("异福酰胺胶囊", {"rifampin", "isoniazid", "pyrazinamide"}),
        ("注射用美洛西林钠", {"class:penicillin"}),
        ("羟氨苄青霉素胶囊", {"amoxicillin"}),
        ("中草药汤剂", set()),
    ],
)
def test_a_name_means_its_ingredients_and_no_shorter_name_inside_it(text, meant):
    """Red yeast rice is lovastatin, daunorubicin is no erythromycin."""
    assert set(chinese_names.meant(text)) == meant


def test_a_compound_preparation_that_is_not_known_is_known_in_part():
    """An ingredient in its name says nothing of the others."""
    assert chinese_names.in_part("复方对乙酰氨基酚片")
    assert not chinese_names.in_part("复方新诺明片")
    assert not chinese_names.in_part("对乙酰氨基酚片")


def test_every_name_means_what_the_base_knows():
    """No ingredient and no class that does not exist."""
    drugs = {line["name"] for line in base_files.lines("drugs")}
    classes = {f"class:{line['id']}" for line in base_files.lines("classes")}
    found = {word for meant in chinese_names.table().values() for word in meant}
    assert found - drugs - classes == set()
    assert drugs - found == set(), "every drug of the base has a Chinese name"
    assert all(len(name) > 1 for name in chinese_names.table())


def test_what_cards_call_a_drug_is_what_is_recognised():
    """The translated name of each drug is read as that drug: words and recognition cannot drift apart."""
    with PO.open("rb") as file:
        catalogue = read_po(file)
    odd = []
    for line in base_files.lines("drugs"):
        message = catalogue.get(line["name"])
        if message is not None and message.string:
            plain = re.sub(r"（.*?）", "", str(message.string))
            if chinese_names.meant(plain) != (line["name"],):
                odd.append((line["name"], message.string))
    assert odd == []


def test_models_and_scores_know_a_chinese_name_and_a_local_form():
    """A statin is a statin in any language; an eye drop is no treatment of the whole body."""
    assert usable(c.STATIN, prescription("阿托伐他汀钙片 20mg")).value is True
    assert usable(c.ANTICOAGULANT, prescription("利伐沙班片")).value is True
    lists = MedicationList(record(prescription("噻吗洛尔滴眼液"), prescription("孟鲁司特钠片")))
    assert [m.names for m in lists.medicines] == [frozenset(), frozenset()]
    assert [m.label for m in lists.unreadable()] == []
