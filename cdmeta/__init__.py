"""cdmeta: SDMX-compatible metadata and publishing toolkit for citizen data."""
