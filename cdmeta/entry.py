"""Entry: one dataset as a catalogue tells of it, with its files, its people and its approval."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdmeta import profile
from cdmeta.dataset import Dataset
from cdmeta.errors import ConversionError
from cdmeta.licence import find
from cdmeta.package import Package, Resource
from cdmeta.period import to_date
from cdmeta.phrase import Phrase, closest, name_of, say
from cdmeta.text import NO_TEXT, Text, is_language_tag, is_missing
from cdmeta.urn import is_agency_id

STAGES = (
    ("1a", "designObjectives"),
    ("1b", "designPartnerships"),
    ("1c", "designMethods"),
    ("1d", "designAccessUse"),
    ("2", "collection"),
    ("3", "processing"),
    ("4", "dissemination"),
    ("5", "uptake"),
    ("6", "review"),
)
"""The stages of the data value chain (Framework ¶23): their number there, and the field that holds the level."""

MAX_PART = 100
"""Letters of an agency or a name, so that paths stay short enough for every host."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_WEB = re.compile(r"https?://[^\s<>\"{}|\\^`]+")

# Addresses of the licences that open data use most, for descriptors that only name them.
_LICENCES = {
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-sa-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "cc-by-nc-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "odbl-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "odc-by-1.0": "https://opendatacommons.org/licenses/by/1-0/",
    "odc-pddl-1.0": "https://opendatacommons.org/licenses/pddl/1-0/",
}
_MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "geojson": "application/geo+json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class Agent:
    """Somebody who had a part in the data.

    Attributes:
        name: as given; it may be withheld.
        email: address, or empty.
        url: web address, or empty.
        kind: code of CL_ACTOR_KIND, or empty.
        role: what they did, in words.
        organisation: where they belong, or empty.
    """

    name: Text
    email: str = ""
    url: str = ""
    kind: str = ""
    role: Text = NO_TEXT
    organisation: str = ""

    @property
    def withheld(self) -> bool:
        """True where the name is not published, for safety."""
        return any(is_withheld(part) for _, part in self.name)


@dataclass(frozen=True)
class Licence:
    """Conditions of re-use: a name for people, and a web address or an empty text."""

    name: str
    url: str = ""


@dataclass(frozen=True)
class DataFile:
    """A data file that the descriptor names.

    Attributes:
        path: inside the package, with `/`.
        resource: name of the resource it belongs to.
        title, description: for people.
        media_type: IANA media type, or empty.
        format: extension in lower case, or empty.
        size: in bytes.
        sha256: in hex.
    """

    path: str
    resource: str
    title: Text
    description: Text
    media_type: str
    format: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Approval:
    """Who answers for the package.

    Attributes:
        signer: who signed, as the receiver's list of allowed signers calls them.
        key: fingerprint of the key, `SHA256:…`.
        time: when, ISO 8601.
        name: the approver's name, where the statement holds it.
        organisation: theirs, where the statement holds it.
        reason: theirs; where the Framework leaves the case open, why they decided that it is citizen data.
    """

    signer: str
    key: str
    time: str
    name: str = ""
    organisation: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One dataset as a catalogue tells of it.

    Attributes:
        dataset: what its package says.
        licences: conditions of re-use, at least one where the package was checked.
        publisher: who publishes it.
        contacts: who can be asked.
        initiators: who started it.
        partners: who worked with them.
        files: its data files.
        approval: who answers for it.
        embargo: ISO date until which its data are kept back, or empty.
        available: True where its data files may be given to anybody now.
    """

    dataset: Dataset
    licences: tuple[Licence, ...]
    publisher: Agent
    contacts: tuple[Agent, ...]
    initiators: tuple[Agent, ...]
    partners: tuple[Agent, ...]
    files: tuple[DataFile, ...]
    approval: Approval
    embargo: str = ""
    available: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which its title is given, its own first; at least one."""
        own, given = self.dataset.language, [tag for tag in self.dataset.title.languages if is_language_tag(tag)]
        return tuple(dict.fromkeys([tag for tag in given if tag == own] + given)) or ("en",)

    def level(self, stage: str) -> str:
        """The code of CL_PARTICIPATION_LEVEL in a stage of STAGES, by its field; `_U` where it is not told."""
        return next(iter(self.dataset.codes(f"citizenData.participation.{stage}")), "_U")

    @property
    def path(self) -> str:
        """Its place in a catalogue, for good: `AGENCY/name`.

        Raises:
            ConversionError: agency or name cannot be the name of a folder.
        """
        agency, name = self.dataset.agency, self.dataset.name
        if not is_agency_id(agency) or len(agency) > MAX_PART:
            raise ConversionError(Phrase("site.error.agency", {"name": name, "agency": agency}))
        if not _NAME.fullmatch(name):
            raise ConversionError(Phrase("site.error.name", {"name": name, "agency": agency}))
        return f"{agency}/{name}"


def code_name(codelist: str, code: str, language: str = "en") -> str:
    """The name of a code for people; the code itself where the profile does not know it."""
    return say(name_of(codelist, code), language)


def has_texts(language: str) -> bool:
    """Tell whether our own texts exist in a language."""
    return closest(language) != "en" or language.split("-")[0].casefold() == "en"


def provenance(entry: Entry, language: str) -> str:
    """Where the data come from, in a few sentences: initiative, decision, participation, basis, approval."""
    texts, dataset, decision = profile.texts(language), entry.dataset, entry.dataset.decision
    stages = ", ".join(
        f"{texts[f'site.stage.{stage}']}: {code_name('CL_PARTICIPATION_LEVEL', entry.level(stage), language)}"
        for _, stage in STAGES
        if entry.level(stage) != "_U"
    )
    consent = [code_name("CL_CONSENT_BASIS", code, language) for code in dataset.codes("citizenData.consentBasis")]
    initiative = [
        code_name("CL_INITIATIVE_TYPE", c, language) for c in dataset.codes("citizenData.initiativeType")
    ]
    outcome = texts[f"site.outcome.{decision.outcome}"]
    sentences = {
        "initiative": "; ".join(initiative),
        "decision": "; ".join([outcome, *filter(None, [decision.rule, ", ".join(decision.paragraphs)])]),
        "participation": stages,
        "consent": "; ".join(consent),
        "approval": f"{entry.approval.signer}, {entry.approval.time[:10]}",
    }
    return " ".join(texts[f"site.provenance.{key}"].format(what=what) for key, what in sentences.items() if what)


def is_withheld(value: object) -> bool:
    """Tell whether a value stands for something that is not published, for safety."""
    return isinstance(value, str) and value.strip() == profile.WITHHELD


def is_web_address(value: object) -> bool:
    """Tell whether a value is an address with which a page may be opened: http or https, nothing else."""
    return isinstance(value, str) and _WEB.fullmatch(value) is not None


def to_entry(
    package: Package, dataset: Dataset, approval: Approval, digests: Mapping[str, str], today: dt.date
) -> Entry:
    """Make the entry of an approved package.

    Args:
        package: the package, approved.
        dataset: what it says.
        approval: who answers for it.
        digests: path of each approved file to its sha256 in hex.
        today: the day on which an embargo is over or not.

    Raises:
        ConversionError: rows stand inside the descriptor of a package whose data are not open, so that the
            descriptor could not be shown without them.
    """
    language, contributors = package.language, list(_contributors(package))
    embargo = _embargo(package)
    lifted = not embargo or ((until := to_date(embargo)) is not None and until <= today)
    available = dataset.access == "OPEN" and lifted
    if not available and any("data" in resource.raw for resource in package.resources):
        raise ConversionError(Phrase("site.error.inline", {"source": package.source}))
    return Entry(
        dataset,
        tuple(_licences(package.descriptor.get("licenses"))),
        _publisher(contributors),
        tuple(_contacts(contributors)),
        tuple(_agents(package.answers.get("initiators"), language)),
        tuple(_agents(package.answers.get("partners"), language)),
        tuple(_files(package, digests)),
        approval,
        embargo,
        available,
    )


def _embargo(package: Package) -> str:
    value = package.answers.get("embargoUntil")
    return "" if is_missing(value) else str(value)


def _licences(value: Any) -> Iterator[Licence]:
    for entry in _objects(value):
        name, title, path = (_string(entry.get(key)) for key in ("name", "title", "path"))
        known = find(name)
        url = path if is_web_address(path) else _LICENCES.get((known.id if known else name).casefold(), "")
        if name or title or url:
            yield Licence(title or name or url, url)


def _contributors(package: Package) -> Iterator[tuple[Agent, tuple[str, ...]]]:
    """Contributors with their roles, by version 2 (`roles`) or 1 (`role`) of Data Package."""
    for entry in _objects(package.descriptor.get("contributors")):
        roles = entry.get("roles", [entry.get("role")])
        named = [role.casefold() for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
        yield _agent(entry, "title", package.language), tuple(named)


def _publisher(contributors: list[tuple[Agent, tuple[str, ...]]]) -> Agent:
    named = [agent for agent, roles in contributors if "publisher" in roles]
    return (named or [agent for agent, _ in contributors] or [Agent(NO_TEXT)])[0]


def _contacts(contributors: list[tuple[Agent, tuple[str, ...]]]) -> list[Agent]:
    reachable = [(agent, roles) for agent, roles in contributors if agent.email or agent.url]
    return [agent for agent, roles in reachable if "contact" in roles] or [agent for agent, _ in reachable[:1]]


def _agents(value: Any, language: str) -> Iterator[Agent]:
    for entry in _objects(value):
        agent = _agent(entry, "name", language)
        if agent.name or agent.kind:
            yield agent


def _agent(entry: Mapping[str, Any], name: str, language: str) -> Agent:
    url = _string(entry.get("path"))
    return Agent(
        Text.at(entry, name, language),
        _string(entry.get("email")),
        url if is_web_address(url) else "",
        _string(entry.get("kind")),
        Text.at(entry, "role", language) if name == "name" else NO_TEXT,
        _string(entry.get("organization")),
    )


def _files(package: Package, digests: Mapping[str, str]) -> Iterator[DataFile]:
    seen: set[str] = set()
    for resource in package.resources:
        for path in resource.paths:
            if path not in seen:
                seen.add(path)
                yield _file(package, resource, path, digests[path])


def _file(package: Package, resource: Resource, path: str, sha256: str) -> DataFile:
    language = package.language
    extension = path.rsplit(".", 1)[1].casefold() if "." in path.rsplit("/", 1)[-1] else ""
    kind = _string(resource.raw.get("format")).casefold() or extension
    return DataFile(
        path,
        resource.name,
        Text.at(resource.raw, "title", language) or Text.of(resource.name, language),
        Text.at(resource.raw, "description", language),
        _string(resource.raw.get("mediatype")) or _MEDIA_TYPES.get(kind, ""),
        kind,
        package.path(path).stat().st_size,
        sha256,
    )


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _string(value: Any) -> str:
    return "" if is_missing(value) or not isinstance(value, str) else value.strip()
