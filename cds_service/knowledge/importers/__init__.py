"""Importers: one module a source, each reading the source's own published format.

A row that is malformed is skipped and told with its line; a file that is not the source's is refused and nothing
changes.
"""
