"""The curated base: every row resolves, is cited, stands once, and contradicts no other."""

from collections import Counter

import pytest

from cds_service.errors import KnowledgeError
from cds_service.features import chinese_names
from cds_service.features.feature import ConditionFeature
from cds_service.knowledge import base_files, library, schema
from cds_service.knowledge.policy import severity_rank

LIBRARY = library.base()
ROWS = tuple(row for relation in sorted(schema.RELATIONS) for row in LIBRARY.graph.evidence(relation=relation))
HARMS = ("interacts-with", "contraindicated-in", "limited-by", "cross-reacts-with", "duplicates", "monitored-by",
         "dosed-by-gene")  # fmt: skip


def test_there_are_at_least_three_hundred_rows_of_every_kind_of_harm():
    """The base is useful before any import."""
    count = Counter(row.relation for row in ROWS)
    assert len(ROWS) >= 300
    assert all(count[relation] >= 30 for relation in HARMS), count
    assert LIBRARY.graph.by_source["curbside"].rows == len(ROWS)


def test_every_row_is_cited_with_a_link_and_a_year():
    """A reader can open what a card says."""
    assert [row.id for row in ROWS if not row.citation or not row.url.startswith("https://") or not row.year] == []


def test_every_row_says_why_and_what_to_do():
    """No alert without a mechanism and a management; indications need neither."""
    harms = [row for row in ROWS if row.relation in HARMS]
    assert [row.id for row in harms if not row.statement or not row.management] == []


def test_every_end_of_a_row_is_a_node():
    """No row speaks of something that is not in the graph."""
    ends = {end for row in ROWS for end in (row.subject, row.object, *row.alternatives)}
    assert [end for end in sorted(ends) if LIBRARY.graph.node(end) is None] == []


def test_no_two_rows_speak_of_the_same_pair_in_either_order():
    """Warfarin with fluconazole and fluconazole with warfarin would be one fact twice."""
    pairs = Counter(frozenset((r.subject, r.object)) for r in ROWS if r.relation == "interacts-with")
    assert [sorted(pair) for pair, count in pairs.items() if count > 1] == []


def test_no_row_recommends_what_another_row_calls_contraindicated_for_the_same_matter():
    """An alternative must not be a member of the class that is warned of."""
    bad = [
        row.id
        for row in ROWS
        for other in row.alternatives
        if row.relation in ("contraindicated-in", "limited-by") and row.subject in LIBRARY.terms.above(other)
    ]
    assert bad == []


def test_limits_of_one_drug_and_test_get_stricter_the_further_they_go():
    """Below 30 is never milder than below 45."""
    limits: dict[tuple[str, str, str], list[tuple[float, int]]] = {}
    for row in ROWS:
        if row.relation == "limited-by":
            key = row.subject, row.object, row.properties["comparison"], str(row.properties.get("use"))
            limits.setdefault(key, []).append((row.properties["value"], severity_rank(row.severity)))
    for (_, _, comparison, _), steps in limits.items():
        ordered = [rank for _, rank in sorted(steps, reverse=comparison == "below")]
        assert ordered == sorted(ordered)


def test_no_name_means_two_drugs_unless_it_is_a_combination():
    """A brand that resolves to the wrong ingredient would be worse than one that does not resolve."""
    combinations = {line["name"].lower() for line in base_files.lines("combinations")}
    combinations |= {name for name, meant in chinese_names.table().items() if len(meant) > 1}
    names = Counter(text for text, _ in LIBRARY.graph.names("drug"))
    assert {name for name, count in names.items() if count > 1} <= combinations


def test_rxnorm_codes_stand_once():
    """One ingredient, one code."""
    codes = Counter(line["rxcui"] for line in base_files.lines("drugs") if line["rxcui"])
    assert [code for code, count in codes.items() if count > 1] == []
    assert len(codes) >= 400


def test_every_class_has_members_and_every_condition_has_codes():
    """A class or condition that nothing can match would be silence that looks like safety."""
    empty = [line["id"] for line in base_files.lines("classes") if not LIBRARY.graph.children(f"class:{line['id']}")]
    assert empty == []
    assert all(isinstance(f, ConditionFeature) and (f.snomed or f.icd10) for f in LIBRARY.terms.conditions.values())


def test_a_contraindication_of_the_highest_level_rests_on_more_than_pharmacology():
    """Level A is kept for labels and guidelines, so that only they make a card critical."""
    weak = [row.id for row in ROWS if row.severity == "contraindicated" and row.level in ("C", "D")]
    assert weak == []


@pytest.mark.parametrize("file", sorted(base_files._EDGES))
def test_no_file_has_white_space_at_the_ends_of_a_value(file):
    """What looks equal is equal."""
    for line in base_files.lines(file):
        assert all(value == value.strip() for value in line.values.values()), line.number


def test_a_row_with_a_missing_column_is_named_by_its_line(tmp_path, monkeypatch):
    """Whoever edits the base learns where."""
    (tmp_path / "tests.tsv").write_text("id\tlabel\nx\n")
    monkeypatch.setattr(base_files, "FOLDER", tmp_path)
    with pytest.raises(KnowledgeError, match=r"base/tests\.tsv line 2 has 1 columns, expected 2"):
        list(base_files.lines("tests"))


def test_a_question_is_looked_up_once_and_long_answers_are_not_kept(monkeypatch):
    """Nothing changes a graph: what one patient's medicines asked of it is known for the next; memory stays bounded."""
    graph = library.build.opened(None)
    looked_up = []
    rows_of = graph._rows
    monkeypatch.setattr(graph, "_rows", lambda *asked: looked_up.append(asked) or rows_of(*asked))
    first, again = (graph.evidence(["drug:warfarin"], "monitored-by") for _ in range(2))
    other = graph.evidence(["drug:lithium"], "monitored-by")
    assert first
    assert first is again
    assert {row.subject for row in other} == {"drug:lithium"}
    assert len(looked_up) == 2
    every, anew = (graph.evidence(relation="limited-by") for _ in range(2))
    assert len(every) > 20
    assert every == anew
    assert len(looked_up) == 4
