"""`GET /knowledge`: rows by code and by words, as HTML and as JSON."""

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@pytest.fixture(scope="module")
def web():
    return create_app(Settings()).test_client()


def test_a_code_leads_to_rows_with_their_sources(web):
    """Warfarin by its RxNorm ingredient, the classes above it included."""
    rows = web.get("/knowledge", query_string={"code": f"{RXNORM}|11289"}).get_json()["rows"]
    assert rows
    assert all(row["url"].startswith("https://") and row["source"] for row in rows)
    assert rows[0]["severity"] == "contraindicated"


def test_a_condition_is_found_by_its_code_with_or_without_a_dot(web):
    """ICD-10-CM."""
    system = "http://hl7.org/fhir/sid/icd-10-cm"
    one, other = (web.get("/knowledge", query_string={"code": f"{system}|{c}"}).get_json() for c in ("D55.0", "D550"))
    assert one["rows"]
    assert one == other


def test_words_name_a_variant_or_are_searched_for(web):
    """BRAF V600E is a node; the others are words of rows."""
    rows = web.get("/knowledge", query_string={"text": "BRAF V600E"}).get_json()["rows"]
    assert {row["subject"] for row in rows} == {"BRAF V600E"}
    assert web.get("/knowledge", query_string={"text": "lactic acidosis"}).get_json()["rows"]


def test_a_browser_gets_a_page_in_which_everything_is_escaped(web):
    """And a link to each row."""
    page = web.get("/knowledge?text=warfarin", headers={"Accept": "text/html"})
    assert page.mimetype == "text/html"
    assert 'href="/knowledge/rows/curbside/' in page.text
    row = web.get("/knowledge/rows/curbside/genes/clopidogrel+cyp2c19+poor-metabolizer").get_json()["rows"]
    assert [r["subject"] for r in row] == ["clopidogrel"]


def test_nothing_found_is_never_an_all_clear(web):
    """404, and a sentence."""
    answer = web.get("/knowledge", query_string={"text": "<script>zzz"}, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "does not mean that there is nothing" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("query", [{}, {"code": "11289"}, {"code": "x" * 300}, {"text": " "}])
def test_a_question_without_code_or_words_is_told_how_to_ask(web, query):
    """400."""
    answer = web.get("/knowledge", query_string=query)
    assert answer.status_code == 400
    assert "?code=SYSTEM|CODE" in answer.get_json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("text", ["\0", "war\0farin", "\x1b[31mx", '"', '""\0'])
def test_what_cannot_be_in_a_text_is_not_searched_for(web, text):
    """No index is said to be broken because of what a caller asks."""
    assert web.get("/knowledge", query_string={"text": text}).status_code in (200, 404)


@pytest.mark.parametrize("system", ["2.16.840.1.113883.6.88", RXNORM])
def test_an_infobutton_manager_may_ask_in_its_own_words(web, system):
    """What it says of task and patient besides is accepted and changes nothing."""
    asked = {
        "mainSearchCriteria.v.c": "11289",
        "mainSearchCriteria.v.cs": system,
        "mainSearchCriteria.v.dn": "warfarin",
        "taskContext.c.c": "MEDOE",
        "patientPerson.administrativeGenderCode.c": "F",
    }
    plain = web.get("/knowledge", query_string={"code": f"{RXNORM}|11289"}).get_json()
    assert web.get("/knowledge", query_string=asked).get_json() == plain
    named = web.get("/knowledge", query_string={"mainSearchCriteria.v.dn": "warfarin"}).get_json()
    assert named["rows"] == plain["rows"]


def test_an_infobutton_without_a_system_is_told_how_to_ask(web):
    """400, in one sentence."""
    answer = web.get("/knowledge", query_string={"mainSearchCriteria.v.c": "11289"})
    assert answer.status_code == 400
    assert "mainSearchCriteria.v.c with .cs" in answer.get_json()["issue"][0]["diagnostics"]
