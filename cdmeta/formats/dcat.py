"""A catalogue as DCAT-AP 3.0: what registries harvest, as Turtle and JSON-LD.

Every node has an address of its own below the dataset's, so that there are no blank nodes and the same entries
give the same bytes. The classes of the addresses used are stated, as the range shapes of DCAT-AP ask for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from cdmeta import profile
from cdmeta.entry import Agent, DataFile, Entry, Licence, has_texts, is_withheld, provenance
from cdmeta.formats.rdf import PREFIXES, Node, grouped
from cdmeta.formats.skos import code_iri
from cdmeta.period import bounds, to_date
from cdmeta.text import Text

if TYPE_CHECKING:
    from pyoxigraph import Triple

_EU = "http://publications.europa.eu/resource/authority/"

_FILE_TYPES = {
    name: name.upper() for name in ("csv", "tsv", "json", "geojson", "xlsx", "ods", "xml", "pdf", "txt", "zip")
}
# ISO 639-1 → ISO 639-3, which the EU's authority table of languages uses; others go by their ISO 639-1 address.
_LANGUAGES = {
    "am": "AMH", "ar": "ARA", "bg": "BUL", "bn": "BEN", "bs": "BOS", "cs": "CES", "da": "DAN", "de": "DEU",
    "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST", "fa": "FAS", "fi": "FIN", "fr": "FRA", "ga": "GLE",
    "ha": "HAU", "he": "HEB", "hi": "HIN", "hr": "HRV", "hu": "HUN", "id": "IND", "ig": "IBO", "it": "ITA",
    "ja": "JPN", "km": "KHM", "ko": "KOR", "lt": "LIT", "lv": "LAV", "ms": "MSA", "mt": "MLT", "my": "MYA",
    "ne": "NEP", "nl": "NLD", "no": "NOR", "pl": "POL", "ps": "PUS", "pt": "POR", "ro": "RON", "ru": "RUS",
    "rw": "KIN", "si": "SIN", "sk": "SLK", "sl": "SLV", "so": "SOM", "sq": "SQI", "sr": "SRP", "sv": "SWE",
    "sw": "SWA", "ta": "TAM", "th": "THA", "tl": "TGL", "tr": "TUR", "uk": "UKR", "ur": "URD", "vi": "VIE",
    "xh": "XHO", "yo": "YOR", "zh": "ZHO", "zu": "ZUL",
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """The catalogue itself.

    Attributes:
        base: its address, without a slash at the end.
        title, description: for people.
        publisher: the name of who puts it out.
        language: of its first page.
    """

    base: str
    title: Text
    description: Text
    publisher: str
    language: str = "en"


def catalogue(entries: Sequence[Entry], site: Site) -> tuple[Triple, ...]:
    """The catalogue with all its datasets, as triples, each once, in a fixed order."""
    below = (triple for entry in entries for triple in _dataset(entry, site.base))
    return grouped([*_catalogue(entries, site), *below])


def dataset(entry: Entry, base: str) -> tuple[Triple, ...]:
    """One dataset with its distributions, as triples."""
    return grouped(_dataset(entry, base))


def dataset_uri(entry: Entry, base: str) -> str:
    """The address of a dataset, for good.

    Raises:
        ConversionError: agency or name cannot be part of an address.
    """
    return f"{base}/{entry.path}/"


def file_url(entry: Entry, file: DataFile, base: str) -> str:
    """Where a data file lies, if it may be given to anybody."""
    return f"{dataset_uri(entry, base)}package/{quote(file.path)}"


def _catalogue(entries: Sequence[Entry], site: Site) -> Iterator[Triple]:
    node = Node(f"{site.base}/#catalogue")
    yield from node.a("dcat:Catalog")
    yield from node.texts("dct:title", site.title)
    yield from node.texts("dct:description", site.description)
    yield from node.link("dct:publisher", publisher := Node(f"{site.base}/#publisher"))
    yield from publisher.a("foaf:Agent")
    yield from publisher.texts("foaf:name", Text.of(site.publisher, "und"))
    yield from node.link("foaf:homepage", home := Node(f"{site.base}/index.html"))
    yield from home.a("foaf:Document")
    yield from _languages(node, dict.fromkeys(tag for entry in entries for tag in entry.languages))
    changes = [day for entry in entries for value in _days(entry) if (day := to_date(value[:10]))]
    if changes:
        yield from node.date("dct:modified", max(changes))
    for entry in entries:
        yield from node.link("dcat:dataset", Node(dataset_uri(entry, site.base)))


def _days(entry: Entry) -> tuple[str, str]:
    return entry.dataset.modified, entry.approval.time


def _dataset(entry: Entry, base: str) -> Iterator[Triple]:
    said, node = entry.dataset, Node(dataset_uri(entry, base))
    yield from node.a("dcat:Dataset")
    yield from node.texts("dct:title", said.title)
    yield from node.texts("dct:description", said.description)
    yield from node.plain("dct:identifier", node.uri)
    yield from node.plain("dcat:version", said.version)
    for keyword in said.keywords:
        yield from node.texts("dcat:keyword", Text.of(keyword, said.language))
    yield from node.link("dcat:landingPage", page := Node(f"{node.uri}index.html"))
    yield from page.a("foaf:Document")
    yield from _languages(node, entry.languages)
    for predicate, value in zip(("dct:modified", "dct:issued"), _days(entry), strict=True):
        if day := to_date(value[:10]):
            yield from node.date(predicate, day)
    yield from _conditions(node, entry)
    yield from _people(node, entry)
    yield from _coverage(node, entry)
    yield from _provenance(node, entry)
    for file in entry.files:
        yield from _distribution(node, entry, file, base)


def _conditions(node: Node, entry: Entry) -> Iterator[Triple]:
    yield from node.link("dct:conformsTo", standard := Node(profile.URL))
    yield from standard.a("dct:Standard")
    yield from node.link("dct:accessRights", rights := Node(f"{_EU}access-right/{_access_right(entry)}"))
    yield from rights.a("dct:RightsStatement")
    for number, licence in enumerate(entry.licences):
        yield from _licence(node, licence, f"{node.uri}#licence-{number + 1}")


def _access_right(entry: Entry) -> str:
    """The code of the EU's authority table of access rights, as the profile links it."""
    code = profile.load().codelists["CL_ACCESS"].codes.get(entry.dataset.access)
    links = [
        link.removeprefix("EU_ACCESS:") for link in (code.links if code else ()) if link.startswith("EU_ACCESS:")
    ]
    right = links[0] if links else "NON_PUBLIC"
    under_embargo = right == "PUBLIC" and not entry.available
    return "RESTRICTED" if under_embargo else right


def _licence(node: Node, licence: Licence, own: str) -> Iterator[Triple]:
    document = Node.of(licence.url) or Node(own)
    yield from node.link("dct:license", document)
    yield from document.a("dct:LicenseDocument")
    yield from document.plain("dct:title", licence.name)


def _people(node: Node, entry: Entry) -> Iterator[Triple]:
    yield from node.link("dct:publisher", publisher := Node(f"{node.uri}#publisher"))
    yield from _agent(publisher, entry.publisher)
    for number, agent in enumerate(entry.initiators):
        if agent.name and not agent.withheld:
            yield from node.link("dct:creator", creator := Node(f"{node.uri}#initiator-{number + 1}"))
            yield from _agent(creator, agent)
    for number, agent in enumerate(entry.contacts):
        yield from node.link("dcat:contactPoint", contact := Node(f"{node.uri}#contact-{number + 1}"))
        yield from contact.a("vcard:Kind", "vcard:Organization")
        yield from contact.texts("vcard:fn", _name(agent))
        yield from contact.plain("vcard:organization-name", agent.organisation)
        if mailbox := Node.of(f"mailto:{quote(agent.email, safe='@+')}" if agent.email else ""):
            yield from contact.link("vcard:hasEmail", mailbox)
        if address := Node.of(agent.url):
            yield from contact.link("vcard:hasURL", address)


def _agent(node: Node, agent: Agent) -> Iterator[Triple]:
    yield from node.a("foaf:Agent")
    yield from node.texts("foaf:name", _name(agent))


def _name(agent: Agent) -> Text:
    if agent.name and not agent.withheld:
        return agent.name
    return profile.in_languages("texts", "site.withheld" if agent.withheld else "site.unknown", "text")


def _coverage(node: Node, entry: Entry) -> Iterator[Triple]:
    for number, value in enumerate(entry.dataset.codes("citizenData.referencePeriod")):
        if days := bounds(value):
            yield from node.link("dct:temporal", period := Node(f"{node.uri}#period-{number + 1}"))
            yield from period.a("dct:PeriodOfTime")
            yield from period.date("dcat:startDate", days[0])
            yield from period.date("dcat:endDate", days[1])
    for number, place in enumerate(_places(entry)):
        yield from node.link("dct:spatial", location := Node(f"{node.uri}#place-{number + 1}"))
        yield from location.a("dct:Location")
        yield from location.texts("skos:prefLabel", place)
    for codelist, field in (("CL_DATA_TRADITION", "dataTradition"), ("CL_OBJECTIVE", "objectives")):
        for code in entry.dataset.codes(f"citizenData.{field}"):
            yield from _theme(node, codelist, code)


def _places(entry: Entry) -> Iterator[Text]:
    for answer in entry.dataset.answer("citizenData.geography"):
        text = answer.value if isinstance(answer.value, Text) else Text.of(answer.value, entry.dataset.language)
        if text and not any(is_withheld(part) for _, part in text):
            yield text


def _theme(node: Node, codelist: str, code: str) -> Iterator[Triple]:
    if re.fullmatch(r"[A-Za-z0-9_@$-]+", code):
        yield from node.link("dcat:theme", theme := Node(code_iri(codelist, code)))
        yield from theme.a("skos:Concept")
        yield from theme.texts(
            "skos:prefLabel", profile.in_languages("codes", (codelist, code), "name") or Text.of(code, "en")
        )


def _provenance(node: Node, entry: Entry) -> Iterator[Triple]:
    languages = dict.fromkeys(["en", *filter(has_texts, entry.languages)])
    yield from node.link("dct:provenance", statement := Node(f"{node.uri}#provenance"))
    yield from statement.a("dct:ProvenanceStatement")
    yield from statement.texts("rdfs:label", Text(tuple((tag, provenance(entry, tag)) for tag in languages)))


def _distribution(node: Node, entry: Entry, file: DataFile, base: str) -> Iterator[Triple]:
    own = Node(f"{node.uri}#file-{quote(file.path)}")
    yield from node.link("dcat:distribution", own)
    yield from own.a("dcat:Distribution")
    yield from own.texts("dct:title", file.title)
    yield from own.texts("dct:description", file.description)
    yield from own.link("dcat:accessURL", Node(f"{node.uri}index.html"))
    if entry.available:
        yield from own.link("dcat:downloadURL", Node(file_url(entry, file, base)))
    for licence in entry.licences[:1]:
        yield from _licence(own, licence, f"{node.uri}#licence-1")
    yield from own.typed("dcat:byteSize", str(file.size), "xsd:nonNegativeInteger")
    yield from own.link("spdx:checksum", checksum := Node(f"{own.uri}-sha256"))
    yield from checksum.a("spdx:Checksum")
    yield from checksum.link("spdx:algorithm", method := Node(PREFIXES["spdx"] + "checksumAlgorithm_sha256"))
    yield from method.a("spdx:ChecksumAlgorithm")
    yield from checksum.typed("spdx:checksumValue", file.sha256, "xsd:hexBinary")
    if re.fullmatch(r"[\w.+-]+/[\w.+-]+", file.media_type, re.ASCII):
        kind = Node(f"https://www.iana.org/assignments/media-types/{file.media_type}")
        yield from own.link("dcat:mediaType", kind)
        yield from kind.a("dct:MediaType", "dct:MediaTypeOrExtent")
    if file.format in _FILE_TYPES:
        yield from own.link("dct:format", form := Node(f"{_EU}file-type/{_FILE_TYPES[file.format]}"))
        yield from form.a("dct:MediaTypeOrExtent")


def _languages(node: Node, tags: Iterable[str]) -> Iterator[Triple]:
    for tag in tags:
        primary = tag.split("-")[0].lower()
        if primary in _LANGUAGES:
            language = Node(f"{_EU}language/{_LANGUAGES[primary]}")
        else:
            table = "iso639-1" if len(primary) == 2 else "iso639-2"
            language = Node(f"http://id.loc.gov/vocabulary/{table}/{primary}")
        yield from node.link("dct:language", language)
        yield from language.a("dct:LinguisticSystem")
