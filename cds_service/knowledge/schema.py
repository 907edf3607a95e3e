"""The tables of the graph. A change of them is a new `VERSION`; a database of another version is made anew."""

from __future__ import annotations

VERSION = 1

KINDS = frozenset({"drug", "class", "disease", "gene", "variant", "phenotype", "test", "guideline"})
RELATIONS = frozenset(
    {
        "interacts-with",  # drug or class -> drug or class
        "contraindicated-in",  # drug or class -> disease
        "limited-by",  # drug or class -> test: properties hold comparison, value and unit
        "cross-reacts-with",  # drug or class that is not tolerated -> drug or class
        "duplicates",  # class -> itself: two of its members at once
        "monitored-by",  # drug or class -> test: properties hold `every_days`
        "dosed-by-gene",  # drug -> gene; context: the phenotype
        "treats",  # drug or class -> disease
        "recommended-for",  # guideline action -> disease
        "predicts",  # variant -> drug or disease; context: the disease
    }
)
SEVERITIES = ("minor", "moderate", "major", "contraindicated")

DDL = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, released TEXT NOT NULL, licence TEXT NOT NULL, url TEXT NOT NULL,
  rows INTEGER NOT NULL, skipped INTEGER NOT NULL, unresolved INTEGER NOT NULL, digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE node (id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (id, source)) WITHOUT ROWID;
CREATE TABLE name (text TEXT NOT NULL, node TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (text, node, source)) WITHOUT ROWID;
CREATE TABLE code (system TEXT NOT NULL, code TEXT NOT NULL, node TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (system, code, node, source)) WITHOUT ROWID;
CREATE TABLE member (child TEXT NOT NULL, parent TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (child, parent, source)) WITHOUT ROWID;
CREATE INDEX member_parent ON member (parent);
CREATE INDEX name_node ON name (node);
CREATE INDEX code_node ON code (node);
CREATE TABLE edge (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, row TEXT NOT NULL, subject TEXT NOT NULL, relation TEXT NOT NULL,
  object TEXT NOT NULL, context TEXT NOT NULL, severity TEXT NOT NULL, level TEXT NOT NULL, direction TEXT NOT NULL,
  statement TEXT NOT NULL, properties TEXT NOT NULL, citation TEXT NOT NULL, url TEXT NOT NULL, year TEXT NOT NULL,
  checked TEXT NOT NULL, UNIQUE (source, row, subject, relation, object, context)
);
CREATE INDEX edge_subject ON edge (subject, relation, object);
CREATE INDEX edge_object ON edge (object, relation, subject);
CREATE INDEX edge_context ON edge (context) WHERE context <> '';
CREATE VIRTUAL TABLE edge_text USING fts5 (words, content='', tokenize='porter unicode61');
"""
