"""What the namespaces of SDMX-ML begin with."""

SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/"
"""Begins those of all versions: `v2_1/message`."""


def base(version: str) -> str:
    """What those of a version, such as `3.0`, begin with."""
    return f"{SCHEMAS}v{version.replace('.', '_')}"
