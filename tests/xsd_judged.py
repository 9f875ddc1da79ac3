"""Data messages judged by the structure-specific schema of their data structure."""

from io import BytesIO

from cdmeta.sdmx import xsd


def xsd_problems(message: bytes, schema: bytes) -> tuple[str, ...]:
    """A line for each different problem, with how often it occurs; empty where the message is valid."""
    return xsd.stream_problems(BytesIO(message), xsd.compiled(schema))
