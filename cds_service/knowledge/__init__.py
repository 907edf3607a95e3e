"""The knowledge graph: what evidence says of drugs, diseases, genes, variants and tests, and where it says so.

`graph` reads it, `build` makes it from the curated base (text files in `base/`) and from imported sources, `terms`
resolves names and codes, `medicines` and `safety` apply it to a record, `policy` says how loud a row may be.
"""
