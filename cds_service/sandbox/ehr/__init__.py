"""A small EHR to see Curbside in: charts, hooks, cards, a FHIR API and a SMART authorization server, on loopback."""
