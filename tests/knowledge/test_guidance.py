"""What guidelines say of inputs that can be changed, and ways through the graph."""

import re

from cds_service.knowledge import guidance, library
from cds_service.knowledge.headings import heading, sentence
from cds_service.language import ENGLISH, words
from cds_service.web import knowledge
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
    assert found.rows[0]["grade"].startswith("contraindicated")
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


def test_rows_are_told_in_the_readers_language():
    """What a row is about, what it says, how sure, and the names beside it; a guideline's goal too."""
    found = search(library.base(), "simvastatin", "clarithromycin", words("zh_Hans"))
    assert found.rows[0]["heading"].startswith("禁忌：他汀类用于")
    assert not re.search(r"[a-z]{4,} [a-z]{3,}", found.rows[0]["says"]), found.rows[0]["says"]
    assert found.rows[0]["grade"].startswith("禁忌")
    assert "辛伐他汀" in found.ways[0][0]
    (goal,) = library.base().graph.evidence(relation="recommended-for", objects=["test:uacr"])
    told = knowledge.told(library.base(), goal, words("zh_Hans"))
    assert told["heading"].startswith("指南：减少白蛋白尿")
    assert "RAS 抑制剂可减少白蛋白尿" in told["says"]


def test_the_allergy_of_a_cross_reaction_is_named_as_the_allergy():
    """Sacubitril after a reaction to an ACE inhibitor, not the other way round."""
    (row,) = library.base().graph.evidence(["class:ace-inhibitor"], "cross-reacts-with", ["drug:sacubitril"])
    assert ENGLISH(heading(library.base(), row)) == "Allergy: sacubitril after a reaction to ACE inhibitors"


def test_a_phenotype_that_names_its_gene_is_not_told_twice():
    """In a heading and in a sentence, for what a gene changes; an allele that is its own name stands alone too."""
    base = library.base()
    rows = base.graph.evidence(relation="dosed-by-gene")
    assert len(rows) > 20
    for row in rows:
        for told in (str(heading(base, row)), str(sentence(base, row))):
            gene = base.name(row.object)
            assert f"{gene} {gene}" not in told, told
    (one,) = base.graph.row("curbside/genes/clopidogrel+cyp2c19+poor-metabolizer")
    assert str(heading(base, one)) == "Gene: clopidogrel, CYP2C19 Poor Metabolizer"
