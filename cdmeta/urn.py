"""SDMX identifiers, references and URNs (SDMX 3.0 Technical Notes, section "URN Structure")."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_PREFIX = "urn:sdmx:org.sdmx.infomodel."
_PACKAGES = {
    "Agency": "base",
    "AgencyScheme": "base",
    "DataProvider": "base",
    "DataProviderScheme": "base",
    "MetadataProvider": "base",
    "MetadataProviderScheme": "base",
    "Codelist": "codelist",
    "ValueList": "codelist",
    "GeographicCodelist": "codelist",
    "GeoGridCodelist": "codelist",
    "Code": "codelist",
    "ConceptScheme": "conceptscheme",
    "Concept": "conceptscheme",
    "DataStructure": "datastructure",
    "Dataflow": "datastructure",
    "DataConstraint": "registry",
    "ContentConstraint": "registry",
    "RepresentationMap": "structuremapping",
    "StructureMap": "structuremapping",
    "MetadataStructure": "metadatastructure",
    "Metadataflow": "metadatastructure",
    "MetadataSet": "metadatastructure",
    "MetadataProvisionAgreement": "registry",
    "ProvisionAgreement": "registry",
}
_URN = re.compile(
    re.escape(_PREFIX)
    + r"(?P<package>[a-z]+)\.(?P<kind>[A-Za-z]+)=(?P<agency>[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*)"
    r":(?P<id>[A-Za-z0-9_@$-]+)\((?P<version>[0-9]+(\.[0-9]+){0,2}[0-9A-Za-z.+-]*)\)(\.(?P<item>[A-Za-z0-9_@$.-]+))?"
)
_ANY_URN = re.compile(
    re.escape(_PREFIX) + r"[a-z]+\.(?P<kind>[A-Za-z]+)=(?P<agency>[A-Za-z0-9_.*-]+)"
    r":(?P<id>[A-Za-z0-9_@$*-]+)\((?P<version>[0-9A-Za-z.*+~-]+)\)(\.(?P<item>[A-Za-z0-9_@$.*-]+))?"
)
_RENAMED = {"ContentConstraint": "DataConstraint", "GeoCodelist": "GeographicCodelist"}
"""Classes of SDMX 2.1 that have another name in 3.0."""
_BY_NAME = {kind.lower(): kind for kind in _PACKAGES}
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*")
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_NCNAME_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def is_agency_id(value: object) -> bool:
    """Tell whether a value is an SDMX agency id: NCName parts joined by dots (NestedNCNameIDType)."""
    return isinstance(value, str) and _AGENCY.fullmatch(value) is not None


def is_code_id(value: object) -> bool:
    """Tell whether a value may be the id of a code (IDType)."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_concept_id(value: object) -> bool:
    """Tell whether a value may be the id of a concept, component or maintainable artefact (NCNameIDType)."""
    return isinstance(value, str) and _NCNAME_ID.fullmatch(value) is not None


def to_id(value: str) -> str:
    """Transliterate any text to an SDMX code id: accents dropped, what remains forbidden becomes `_`.

    Two different values may meet in one id; the caller has to look for that.
    """
    if is_code_id(value):
        return value
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9@$-]+", "_", plain).strip("_")


def to_concept_id(value: str) -> str:
    """Transliterate any text to an upper-case id that starts with a letter; empty where nothing is left."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", to_id(value)).strip("_").upper()
    return f"X_{plain}" if plain and not plain[0].isalpha() else plain


@dataclass(frozen=True)
class Ref:
    """A reference to an SDMX artefact or to an item in it.

    Attributes:
        kind: the SDMX class of what is referred to, for instance `Codelist`, `Concept`, `DataStructure`.
        agency: the maintainer, dotted where it is a sub-agency.
        id: the id of the maintainable artefact.
        version: `1.0`, `2.1` …
        item: the id of the item, for kinds such as `Concept` and `MetadataProvider`.
    """

    kind: str
    agency: str
    id: str
    version: str = "1.0"
    item: str | None = None

    @property
    def urn(self) -> str:
        """The URN."""
        tail = f".{self.item}" if self.item else ""
        return f"{_PREFIX}{_PACKAGES[self.kind]}.{self.kind}={self.short}{tail}"

    @property
    def short(self) -> str:
        """The artefact as people and SDMX-CSV write it: `AGENCY:ID(1.0)`."""
        return f"{self.agency}:{self.id}({self.version})"

    @classmethod
    def parse(cls, urn: object) -> Ref | None:
        """Read a URN; None where it is none of a kind that we know."""
        match = _URN.fullmatch(urn) if isinstance(urn, str) else None
        if match is None or _PACKAGES.get(match["kind"]) != match["package"]:
            return None
        return cls(match["kind"], match["agency"], match["id"], match["version"], match["item"])

    @classmethod
    def parse_short(cls, kind: str, text: object) -> Ref | None:
        """Read a reference as people write it, `SDMX:CL_SEX(2.1)`; None where it is none."""
        known = isinstance(text, str) and kind in _PACKAGES
        return cls.parse(f"{_PREFIX}{_PACKAGES[kind]}.{kind}={text}") if known else None

    @classmethod
    def read(cls, urn: object) -> Ref | None:
        """Read a URN as others write it: with wildcards (`*`, `1.0+`, `latest`), or a class of SDMX 2.1.

        None where it is none of a kind that we know.
        """
        match = _ANY_URN.fullmatch(urn.strip()) if isinstance(urn, str) else None
        if match is None:
            return None
        kind = known_kind(match["kind"])
        return None if kind is None else cls(kind, match["agency"], match["id"], match["version"], match["item"])


def urn_of(name: str, text: str) -> str:
    """The URN of what queries call by the name of its class in small letters, and by `AGENCY:ID(1.0)`.

    A class that we do not know stays before the text as it is; a text without one is the URN already.
    """
    kind = _BY_NAME.get(name.lower())
    if kind is None:
        return f"{name}={text}" if name else text
    return f"{_PREFIX}{_PACKAGES[kind]}.{kind}={text}"


def known_kind(name: str) -> str | None:
    """The class of SDMX 3.0 that a class of 2.1 or 3.0 is; None where we know none."""
    kind = _RENAMED.get(name, name)
    return kind if kind in _PACKAGES else None
