"""A dataset as schema.org/Dataset, for search engines: JSON-LD inside its page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cdmeta.entry import Agent, DataFile, Entry, code_name, is_withheld
from cdmeta.formats.dcat import Site, dataset_uri, file_url
from cdmeta.period import bounds, to_date
from cdmeta.text import Text

SHORTEST, LONGEST = 50, 5000
"""How long a description has to be and may be, in characters (Google, "Dataset structured data")."""


def dataset(entry: Entry, site: Site, language: str) -> dict[str, Any]:
    """A dataset as a JSON-LD object, its texts in a language as far as they are given in it."""
    said, uri = entry.dataset, dataset_uri(entry, site.base)
    days = [found for value in said.codes("citizenData.referencePeriod") if (found := bounds(value))]
    values: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": uri,
        "name": said.title.best(language),
        "description": description(entry, language),
        "url": uri,
        "identifier": uri,
        "version": said.version,
        "inLanguage": language,
        "keywords": list(said.keywords),
        "license": next((licence.url for licence in entry.licences if licence.url), ""),
        "creator": list(_agents(entry.initiators, language)),
        "publisher": next(_agents((entry.publisher,), language), None),
        "dateModified": said.modified if to_date(said.modified) else "",
        "datePublished": entry.approval.time[:10] if to_date(entry.approval.time[:10]) else "",
        "temporalCoverage": [f"{start.isoformat()}/{end.isoformat()}" for start, end in days[:1]],
        "spatialCoverage": [{"@type": "Place", "name": name} for name in _said(entry, "geography", language)],
        "measurementTechnique": list(_techniques(entry, language)),
        "variableMeasured": list(_variables(entry, language)),
        "isAccessibleForFree": True if entry.available else None,
        "conditionsOfAccess": code_name("CL_ACCESS", said.access, language),
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": site.title.best(language),
            "url": f"{site.base}/",
        },
        "distribution": [_download(entry, file, site.base, language) for file in entry.files if entry.available],
    }
    return _without_gaps(values)


def script(value: Mapping[str, Any]) -> str:
    """A JSON-LD object as it may stand in a script element: without what HTML could take for its own."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def description(entry: Entry, language: str) -> str:
    """The description; where it is too short to be taken, followed by what else the package says of itself."""
    text = entry.dataset.description.best(language)
    for field in ("purpose", "population", "methodology", "limitations"):
        if len(text) < SHORTEST:
            text = " ".join([text, *_said(entry, field, language)]).strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _said(entry: Entry, field: str, language: str) -> list[str]:
    values = [answer.value for answer in entry.dataset.answer(f"citizenData.{field}")]
    texts = [value.best(language) if isinstance(value, Text) else value or "" for value in values]
    return [text for text in texts if text and not is_withheld(text)]


def _agents(agents: tuple[Agent, ...], language: str) -> Iterator[dict[str, str]]:
    for agent in agents:
        if agent.name and not agent.withheld:
            yield _without_gaps({"@type": "Organization", "name": agent.name.best(language), "url": agent.url})


def _techniques(entry: Entry, language: str) -> Iterator[str]:
    yield from _said(entry, "methodology", language)
    for code in entry.dataset.codes("citizenData.collectionMode"):
        yield code_name("CL_COLL_MODE", code, language)


def _variables(entry: Entry, language: str) -> Iterator[dict[str, str]]:
    for table in entry.dataset.tables:
        for column in table.by_role("measure"):
            unit = column.unit.name.best(language) if column.unit else ""
            variable = {"@type": "PropertyValue", "name": column.title.best(language), "unitText": unit}
            yield _without_gaps(variable | {"description": column.description.best(language)})


def _download(entry: Entry, file: DataFile, base: str, language: str) -> dict[str, str]:
    return _without_gaps(
        {
            "@type": "DataDownload",
            "name": file.title.best(language),
            "contentUrl": file_url(entry, file, base),
            "encodingFormat": file.media_type,
            "contentSize": f"{file.size} B",
            "sha256": file.sha256,
        }
    )


def _without_gaps(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None, [])}
