"""SDMX: artefacts, and how a Dataset becomes structures, data and reference metadata."""
