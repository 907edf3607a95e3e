"""Importing sources: rows in, what is wrong by line, nothing changed by a file that is another's."""

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Timer

import pytest

from cds_service.cli import run
from cds_service.errors import InputError
from cds_service.knowledge import build
from cds_service.knowledge.graph import Graph
from cds_service.knowledge.importers.sources import KINDS, import_file

CIVIC = (
    "evidence_id\tgene\tvariant\tdisease\tdoid\tdrugs\tevidence_type\tevidence_direction\tevidence_level\t"
    "clinical_significance\tevidence_statement\tsource_type\tcitation_id\tcitation\n"
)
LINE = (
    "{id}\tBRAF\tV600E\tMelanoma\t1909\tVemurafenib\tPredictive\t{way}\t{level}\tSensitivity\tMade up.\tPubMed\t1\tA\n"
)
ONC = "drug1\trxcui1\tdrug2\trxcui2\tlist\n"
DATA = Path(os.environ.get("CURBSIDE_DATA", "")) / "knowledge"


@pytest.fixture
def into(tmp_path):
    return tmp_path / "k.db"


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_an_item_of_civic_leads_from_the_variant_to_the_drug_in_the_disease(tmp_path, into):
    """With level, direction and publication; supporting and contradicting items stand beside each other."""
    lines = LINE.format(id=1, way="Supports", level="A") + LINE.format(id=2, way="Does Not Support", level="B")
    report = import_file(into, "civic", write(tmp_path, "civic_2026-05.tsv", CIVIC + lines), None, "")
    assert (report.rows, report.skipped) == (2, [])
    graph = Graph(into)
    found = graph.evidence(["variant:braf-v600e"], "predicts", ["drug:vemurafenib"])
    one, two = (row for row in found if row.source == "civic")
    assert (one.level, one.direction, one.context) == ("A", "supports", "disease:doid-1909")
    assert two.direction == "does-not-support"
    assert one.url == "https://pubmed.ncbi.nlm.nih.gov/1/"
    assert graph.by_source["civic"].released == "2026-05"
    assert graph.named("BRAF V600E")[0].id == "variant:braf-v600e"


def test_a_newer_file_replaces_the_older_and_leaves_other_sources_alone(tmp_path, into):
    """No row of the old release is left."""
    import_file(into, "ddi-onc", write(tmp_path, "a.tsv", ONC + "warfarin\t\tfoo\t\tonc-high-priority\n"), None, "2012")
    import_file(
        into, "civic", write(tmp_path, "c.tsv", CIVIC + LINE.format(id=1, way="Supports", level="A")), None, "2025"
    )
    import_file(
        into, "civic", write(tmp_path, "d.tsv", CIVIC + LINE.format(id=7, way="Supports", level="B")), None, "2026"
    )
    graph = Graph(into)
    assert [e.row for e in graph.evidence(relation="predicts") if e.source == "civic"] == ["EID7"]
    assert {s.id for s in graph.sources} == {"civic", "curbside", "ddi-onc"}
    assert [e.row for e in graph.search("Melanoma vemurafenib") if e.source == "civic"] == ["EID7"]


def test_a_malformed_row_is_told_by_its_line_and_skipped(tmp_path, into):
    """The rest is imported."""
    good = "".join(f"warfarin\t\tdrug{n}\t\tonc-high-priority\n" for n in range(9))
    report = import_file(into, "ddi-onc", write(tmp_path, "x.tsv", ONC + good + "only\ttwo\n"), None, "2012")
    assert report.rows == 9
    assert report.skipped == [(11, "has 2 columns, expected 5")]
    assert report.unresolved["drug3"] == 1


@pytest.mark.parametrize(
    ("source", "text", "words"),
    [("civic", "a\tb\n1\t2\n", "lacks the columns"), ("civic", CIVIC, "gave no row|0 of 0"),
     ("cpic", "not json\n", "malformed"), ("ddi-onc", ONC + "x\n" * 9, "malformed"),
     ("icd10cm", "hello\n", "holds no code"), ("ddi-ansm", "x\ty\n", "classes' file is missing")],
)  # fmt: skip
def test_a_file_of_something_else_changes_nothing(tmp_path, into, source, text, words):
    """Refused with a sentence, and the graph keeps its bytes."""
    import_file(into, "ddi-onc", write(tmp_path, "a.tsv", ONC + "warfarin\t\tfoo\t\tonc-high-priority\n"), None, "2012")
    before = into.read_bytes()
    with pytest.raises(InputError, match=words):
        import_file(into, source, write(tmp_path, "bad.tsv", text), None, "2026")
    assert into.read_bytes() == before
    assert [p.name for p in tmp_path.glob(".k.db*")] == []


def test_classes_are_matched_by_their_letters_and_empty_ones_are_named(tmp_path, into):
    """The two files of the thesaurus spell some classes differently."""
    head = "kind1\tname1\trxcui_or_class1\tkind2\tname2\trxcui_or_class2\tseverity\tsource_table\n"
    rows = "class\tFOO-BARS\tX\tdrug\twarfarin\t11289\tcontraindicated\t1\n"
    rows += "class\tEMPTY\tY\tdrug\twarfarin\t11289\tprecaution\t1\n"
    main = write(tmp_path, "main_2016.tsv", head + rows)
    write(tmp_path, "classes.tsv", "class_name\tclass_code\tdrug\trxcui\nFOOBAR\tX1\tIbuprofen\t5640\n")
    report = import_file(into, "ddi-ansm", main, None, "")
    assert report.unresolved["class EMPTY"] == 1
    graph = Graph(into)
    assert "class:ansm-foobar" in graph.parents("drug:ibuprofen")
    assert graph.evidence(["class:ansm-foobar"], None, ["drug:warfarin"])[0].severity == "contraindicated"


def test_codes_of_icd10cm_hang_below_each_other_in_either_format(tmp_path, into):
    """A table, packed, or the order file."""
    packed = tmp_path / "icd_2026.tsv.gz"
    packed.write_bytes(gzip.compress(b"code\tbillable\tdescription\nE11\t0\tType 2\nE11.9\t1\tWithout\n"))
    import_file(into, "icd10cm", packed, None, "")
    assert Graph(into).parents("disease:icd10cm-e119") == ("disease:icd10cm-e119", "disease:icd10cm-e11")
    short = "Cholera".ljust(60)
    import_file(into, "icd10cm", write(tmp_path, "order.txt", f"00001 A00     0 {short} Cholera\n"), None, "2026")
    assert [n.name for n in Graph(into).named("A00")] == ["Cholera"]


def test_a_recommendation_keeps_gene_phenotype_and_wording(tmp_path, into):
    """CPIC's own export."""
    row = {"drug": "clopidogrel", "rxnorm": "32968", "genes": ["CYP2C19"], "classification": "Strong",
           "lookup": {"CYP2C19": "Poor Metabolizer"}, "recommendation": "Another.", "guideline": "G",
           "url": "https://x.example"}  # fmt: skip
    import_file(into, "cpic", write(tmp_path, "cpic_2026-01.jsonl", json.dumps(row) + "\n"), None, "")
    found = [e for e in Graph(into).evidence(["drug:clopidogrel"], "dosed-by-gene") if e.source == "cpic"]
    assert [(e.context, e.level, e.management) for e in found] == [
        ("phenotype:cyp2c19-poor-metabolizer", "Strong", "Another.")
    ]


def test_an_old_base_in_the_file_is_brought_up_to_date(tmp_path, into, monkeypatch):
    """A new version of Curbside keeps what was imported."""
    import_file(into, "ddi-onc", write(tmp_path, "a.tsv", ONC + "warfarin\t\tfoo\t\tonc-high-priority\n"), None, "2012")
    old = build.opened(into).digest
    monkeypatch.setattr(build.base_files, "digest", lambda: "another")
    assert {s.id for s in build.opened(into).sources} == {"curbside", "ddi-onc"}
    assert build.opened(into).digest != old


def test_of_two_imports_at_once_both_are_kept(tmp_path, into, monkeypatch):
    """The second waits for the first, which it would otherwise replace by a file without it."""
    onc = write(tmp_path, "a.tsv", ONC + "warfarin\t\tfoo\t\tonc-high-priority\n")
    civic = write(tmp_path, "c.tsv", CIVIC + LINE.format(id=1, way="Supports", level="A"))
    copied, reached, let_go = build._fill, Event(), Event()

    def slow(connection, old, source, fill):
        copied(connection, old, source, fill)
        if source == "ddi-onc":
            reached.set()
            assert let_go.wait(60)

    monkeypatch.setattr(build, "_fill", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(import_file, into, "ddi-onc", onc, None, "2012")
        assert reached.wait(60)
        second = threads.submit(import_file, into, "civic", civic, None, "2026")
        Timer(0.1, let_go.set).start()
        assert (first.result().rows, second.result().rows) == (1, 1)
    assert {s.id for s in Graph(into).sources} == {"curbside", "ddi-onc", "civic"}


def test_the_command_names_the_source_and_the_release_that_are_missing(tmp_path, monkeypatch, capsys):
    """One sentence, exit code 2."""
    monkeypatch.setenv("CURBSIDE_KNOWLEDGE__PATH", str(tmp_path / "k.db"))
    path = write(tmp_path, "x.tsv", ONC)
    assert run(["knowledge", "import", "civc", str(path)]) == 2
    assert "there is no source 'civc'" in capsys.readouterr().err
    assert run(["knowledge", "import", "ddi-onc", str(path)]) == 2
    assert "--released" in capsys.readouterr().err


def test_the_command_answers_about_one_name_and_two(capsys):
    """A pair, a brand, an unknown name."""
    assert run(["knowledge", "query", "Zocor", "clarithromycin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["severity"] == "contraindicated"
    assert run(["knowledge", "query", "metformin", "amoxicillin"]) == 1
    capsys.readouterr()
    assert run(["knowledge", "query", "simvastn"]) == 2
    assert "Did you mean" in capsys.readouterr().err


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the reference data: set CURBSIDE_DATA")
@pytest.mark.parametrize(
    ("source", "file", "released", "least"),
    [("civic", "civic_accepted_evidence_2021-02.tsv", "", 3700),
     ("cpic", "cpic_recommendations_2022-05.jsonl", "", 1800),
     ("clinpgx", "cpic_annotations_clinpgx_2024-03.jsonl", "", 2000),
     ("ddi-ansm", "ddi_ansm_worldvista_2016.tsv", "", 2800), ("ddi-onc", "ddi_onc_lists.tsv", "2013", 3200),
     ("pharmacotherapydb", "pharmacotherapydb_indications_1.0.tsv", "2017", 1300)],
)  # fmt: skip
def test_a_published_file_is_imported_whole(into, source, file, released, least):
    """Each in the source's own format."""
    assert set(KINDS) >= {source}
    assert import_file(into, source, DATA / file, None, released).rows >= least
