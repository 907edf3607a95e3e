"""Documents of a record as located sentences: read in a process apart, under limits, with what they state."""
