"""What guidelines say of inputs that can be changed, and ways through the graph."""

from cds_service.knowledge import guidance, library
from cds_service.web.app.graph_search import search

FIND = guidance.finder(library.base())


def test_inputs_that_can_be_changed_lead_to_dated_and_cited_rows():
    """Pressure, cholesterol, smoking, weight, glucose, kidney and potassium."""
    for feature in ("sbp", "dbp", "ldl", "non_hdl", "smoking", "bmi", "hba1c", "glucose", "egfr", "uacr", "potassium"):
        rows = FIND([feature])
        assert rows, feature
        assert all(row.citation and row.url.startswith("https://doi.org/") and row.year.isdigit() for row in rows)


def test_what_cannot_be_changed_leads_nowhere_and_neither_does_a_missing_graph():
    """Age and sex have no guideline row."""
    assert FIND(["age", "sex"]) == ()
    assert guidance.finder(None)(["sbp"]) == ()


def test_a_search_shows_rows_neighbours_and_the_way_to_another_name():
    """The most severe first; names, not ids."""
    found = search(library.base(), "simvastatin", "clarithromycin")
    assert found.rows[0]["severity"] == "contraindicated"
    assert "Strong CYP3A4 inhibitors" in found.neighbours
    assert ("simvastatin", "Strong CYP3A4 inhibitors", "clarithromycin") in found.ways


def test_what_is_not_known_is_said_and_is_no_all_clear():
    """An unknown name, a second one, and one that is too long."""
    base = library.base()
    assert "does not mean that there is nothing" in str(search(base, "zzzz").notice)
    assert "second name" in str(search(base, "simvastatin", "zzzz").notice)
    assert "too long" in str(search(base, "x" * 101).notice)
    assert search(base, "").notice is None
    assert "No knowledge graph" in str(search(None, "x").notice)
