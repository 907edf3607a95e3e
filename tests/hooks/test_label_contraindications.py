"""Pairs that the contraindications of a label name, as they were read in November 2026 (docs/evidence/knowledge.md).

Written from the pages before the rows were looked at: 42 of these 158 pairs had no row, or one that was too quiet.
"""

import pytest
from test_pharmacist_list import SERVICE, chart, loudest

from cds_service.findings import Severity
from cds_service.knowledge import library

PAIRS = {
    "Paxlovid": "alfuzosin ranolazine amiodarone dronedarone flecainide propafenone quinidine lurasidone pimozide"
    " silodosin eplerenone ivabradine dihydroergotamine methylergonovine lovastatin simvastatin voclosporin lomitapide"
    " eletriptan ubrogepant triazolam carbamazepine phenobarbital primidone phenytoin rifampin rifapentine"
    " apalutamide enzalutamide venetoclax",
    "pimozide": "azithromycin citalopram escitalopram nefazodone itraconazole aprepitant voriconazole ziprasidone",
    "thioridazine": "fluoxetine paroxetine propranolol pindolol fluvoxamine amiodarone ziprasidone",
    "voriconazole": "rifabutin efavirenz carbamazepine phenobarbital quinidine sirolimus ergotamine",
    "ranolazine": "rifabutin clarithromycin",
    "dofetilide": "hydrochlorothiazide verapamil megestrol prochlorperazine dolutegravir ketoconazole cimetidine"
    " trimethoprim itraconazole",
    "fluvoxamine": "alosetron tizanidine",
    "lovastatin": "erythromycin cobicistat",
    "simvastatin": "danazol gemfibrozil cyclosporine",
    "Nardil": "sertraline amitriptyline bupropion buspirone carbamazepine dextromethorphan levodopa methylphenidate"
    " meperidine pseudoephedrine mirtazapine cyclobenzaprine selegiline methyldopa",
    "sildenafil": "nitroglycerin riociguat",
    "Entresto": "lisinopril",
    "bosentan": "glyburide cyclosporine",
    "febuxostat": "azathioprine mercaptopurine",
    "Xyrem": "zolpidem eszopiclone zaleplon",
    "flibanserin": "fluconazole ketoconazole",
    "ivabradine": "diltiazem verapamil clarithromycin erythromycin",
    "Camzyos": "fluconazole fluvoxamine rifampin efavirenz bosentan modafinil etravirine rifabutin",
    "itraconazole": "methadone disopyramide dronedarone quinidine isavuconazole methylergonovine irinotecan lurasidone"
    " felodipine nisoldipine ivabradine eplerenone cisapride naloxegol lomitapide avanafil ticagrelor finerenone"
    " voclosporin",
    "ritonavir": "flecainide propafenone quinidine amiodarone alfuzosin cisapride",
    "ziprasidone": "sotalol quinidine moxifloxacin chlorpromazine droperidol mefloquine pentamidine tacrolimus",
    "gemfibrozil": "repaglinide",
    "Korlym": "fentanyl pimozide quinidine sirolimus tacrolimus simvastatin ergotamine",
    "dronedarone": "flecainide propafenone cyclosporine sotalol erythromycin ketoconazole",
    "fingolimod": "amiodarone sotalol",
    "lomitapide": "diltiazem",
}


@pytest.mark.parametrize(("draft", "taken"), [(a, b) for a, others in PAIRS.items() for b in others.split()])
def test_what_a_label_contraindicates_is_critical_whichever_is_drafted(findings, draft, taken):
    """Both orders: the new one may be either."""
    for new, old in ((draft, taken), (taken, draft)):
        assert loudest(findings(SERVICE, chart().draft(new).medicine("", old))) == Severity.CRITICAL


def test_mavacamten_with_a_strong_inhibitor_of_cyp3a4_is_a_matter_of_dose_since_the_label_of_2025(findings):
    """It was contraindicated before; strong inhibitors of CYP2C19 still are."""
    assert loudest(findings(SERVICE, chart().draft("Camzyos").medicine("", "ketoconazole"))) == Severity.WARNING


def test_as_many_rows_were_held_against_a_label_as_the_page_says():
    """docs/evidence/knowledge.md counts them."""
    rows = library.base().graph.evidence(relation="interacts-with")
    grave = [row for row in rows if row.severity == "contraindicated"]
    held = [row for row in grave if "label-2026-11" in row.checked.split("|")]
    assert (len(held), len(grave), len(rows)) == (125, 212, 546)
