"""Formats: each module turns values into a message of one format, and is imported when used."""
