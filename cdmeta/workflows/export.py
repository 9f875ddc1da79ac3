"""The profile for people and programs that have no cdmeta: JSON Schema, SDMX, SKOS, pages, a sheet to fill in.

Each export is a folder with `cdmeta-profile.json`, which names the version, its state and its digest, so that
nobody takes a draft for something that stays.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cdmeta import profile
from cdmeta.package import QUESTIONS
from cdmeta.sdmx.artefacts import Header, Structure
from cdmeta.workflows.output import staged

MARK = "cdmeta-profile.json"
"""What every export holds; a folder with it may be replaced."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        language: of pages and forms; what has all languages in it is not changed by it.
        now: when it is written, with its time zone; only messages say so.
    """

    language: str
    now: dt.datetime


Files = Mapping[str, bytes]


def export(form: str, out: Path, request: Request) -> tuple[str, ...]:
    """Write the profile in one form, and give back the paths written, in order.

    Args:
        form: one of `FORMS`.
        out: the folder; an earlier export in it is replaced.
        request: language and time.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    files = {MARK: _mark(form), **FORMS[form](request)}
    with staged(out, MARK) as stage:
        for path, data in files.items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(data)
    return tuple(sorted(files))


def _mark(form: str) -> bytes:
    about = {
        "profile": profile.URL,
        "version": profile.VERSION,
        "status": profile.STATUS,
        "digest": profile.load().digest,
        "form": form,
    }
    return f"{json.dumps(about, indent=2)}\n".encode()


def _json_schema(_: Request) -> Files:
    return {"datapackage.json": profile.schema_bytes()}


def _sdmx_ml(request: Request) -> Files:
    """A message a kind, because some programs refuse what they do not know beside what they know."""
    from cdmeta.formats import sdmx_ml
    from cdmeta.sdmx import profile_artefacts

    parts: Mapping[str, tuple[Structure, ...]] = {
        "codelists": profile_artefacts.codelists(),
        "concepts": (profile_artefacts.concept_scheme(),),
        "metadata-structure": (profile_artefacts.metadata_structure(),),
        "metadataflow": (profile_artefacts.metadataflow(),),
    }
    draft = profile.STATUS == "draft"
    return {
        f"{name}.xml": sdmx_ml.structures(
            chosen, Header(f"CDMETA_{name.upper().replace('-', '_')}", request.now, profile.AGENCY, draft)
        )
        for name, chosen in parts.items()
    }


def _skos(_: Request) -> Files:
    from cdmeta.formats import rdf, skos

    triples = skos.vocabulary()
    return {
        "citizen-data.ttl": rdf.serialise(triples, "turtle", skos.USED),
        "citizen-data.jsonld": rdf.serialise(triples, "json-ld"),
    }


def _markdown(request: Request) -> Files:
    from cdmeta.reference import render

    return render(request.language)


def _xlsx(request: Request) -> Files:
    """The questions as a spreadsheet to fill in, and as CSV."""
    from cdmeta import form

    return dict(zip(QUESTIONS, form.both(request.language, {}), strict=True))


FORMS: Mapping[str, Callable[[Request], Files]] = {
    "json-schema": _json_schema,
    "sdmx-ml-3.0": _sdmx_ml,
    "skos": _skos,
    "markdown": _markdown,
    "xlsx": _xlsx,
}
"""The forms of an export, and what writes them."""
