"""Whole populations: read, scored, replayed through time and reported, before and after a service goes live."""
