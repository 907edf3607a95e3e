"""Exams for a configured language model: published question sets, and case vignettes of our own."""
