"""A decision of the Framework, as reports show it."""

DECISION = {
    "outcome": "CITIZEN_DATA",
    "rule": "C1",
    "paragraphs": ["Box 1"],
    "open": [],
    "errors": [],
    "warnings": [],
}
