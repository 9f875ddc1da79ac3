"""The page of one dataset: what it is, who decided what, how it was made, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from cdmeta.catalogue import participation
from cdmeta.catalogue.view import View, pair, size
from cdmeta.entry import DataFile, Entry, Licence
from cdmeta.formats import schema_org
from cdmeta.formats.dcat import Site, dataset_uri
from cdmeta.html import Child, Html, data_block, element, escape, join
from cdmeta.period import bounds
from cdmeta.phrase import Citation, Phrase, name_of

_INITIATIVE = (
    "initiativeType", "dataTradition", "directInvolvement", "representation", "regularOfficial",
    "mainPurposeResponse",
)  # fmt: skip
_METHOD = (
    "methodology", "collectionMode", "samplingMethod", "collectionPeriod", "achievedCount", "invitedCount",
    "responseRate", "collectorType", "collectorTraining", "validation", "instrument", "tools", "languages",
    "frequency",
)  # fmt: skip
_COVERAGE = (
    "population", "populationGroups", "populationDefinedBy", "geography", "referencePeriod", "statUnit",
    "definitions", "unitMeasure", "classifications", "sdgIndicators",
)  # fmt: skip
_CONSENT = (
    "personalDataCollected", "consentBasis", "consentInformed", "consentWithdrawal", "consentGivenBy",
    "consentScope", "consentForm", "consentNote", "consentRecord", "minors",
    "jurisdiction", "legalBasisNote", "ethicsReview",
    "riskAssessment", "complaintsContact", "releaseForm", "disclosureControl", "confidentialityPolicy",
)  # fmt: skip
_LIMITS = ("limitations", "comparability", "coherence", "deviations")
_USE = ("purpose", "objectives", "dataUse", "officialUse", "feedback")
# Said elsewhere on the page, in a way of their own.
_ELSEWHERE = (
    "profile", "language", "initiators", "partners", "participation", "accessRights", "embargoUntil",
    "metadataUpdated",
)  # fmt: skip
_PLACED = {*_INITIATIVE, *_METHOD, *_COVERAGE, *_CONSENT, *_LIMITS, *_USE, *_ELSEWHERE}


def name(entry: Entry, language: str) -> str:
    """The name of the page in a language: `index.html` for the first, `index.fr.html` for another."""
    return "index.html" if language == entry.languages[0] else f"index.{language}.html"


def address(entry: Entry, language: str, site: Site) -> str:
    """Where the page in a language stands; the first has that of the dataset itself."""
    own = name(entry, language)
    return dataset_uri(entry, site.base) + ("" if own == "index.html" else own)


def head(entry: Entry, site: Site, view: View) -> list[Child]:
    """What the head of the page holds beside what all pages have."""
    others = [
        element("link", rel="alternate", hreflang=tag, href=address(entry, tag, site)) for tag in entry.languages
    ]
    return [
        element("meta", name="description", content=schema_org.description(entry, view.language)[:300]),
        element("link", rel="canonical", href=address(entry, view.language, site)),
        others if len(others) > 1 else None,
        element("link", rel="alternate", type="text/turtle", href="dcat.ttl"),
        element("link", rel="alternate", type="application/ld+json", href="dcat.jsonld"),
        data_block(schema_org.script(schema_org.dataset(entry, site, view.language))),
    ]


def body(entry: Entry, site: Site, view: View) -> Html:
    """The main part of the page."""
    sections = [
        (key, content)
        for key, content in (
            ("about", _about(entry, view)),
            ("participation", _participation(entry, view)),
            ("decision", _decision(entry, view)),
            ("method", _list(view.rows(entry, *_METHOD))),
            ("limits", _limits(entry, view)),
            ("consent", _list(view.rows(entry, *_CONSENT))),
            ("use", _use(entry, view)),
            ("files", _files(entry, view)),
            ("approval", _approval(entry, view)),
            ("more", _list(_more(entry, view))),
            ("cite", _cite(entry, site, view)),
            ("machines", _machines(view)),
        )
        if content
    ]
    contents = [element("li", element("a", view.word(f"section.{key}"), href=f"#{key}")) for key, _ in sections]
    return element(
        "main",
        element("header", _title(entry, view), class_="title"),
        element("nav", element("h2", view.word("contents")), element("ol", contents), class_="contents"),
        element(
            "div",
            (
                element("section", element("h2", view.word(f"section.{key}")), content, id=key)
                for key, content in sections
            ),
            class_="sections",
        ),
        id="main",
        class_="dataset",
    )


def badges(entry: Entry, view: View) -> Html:
    """Standing, access and version in a few words."""
    access = view.word("badge.embargo", date=entry.embargo) if _embargoed(entry) else None
    return element(
        "ul",
        element("li", view.word(f"outcome.{entry.dataset.decision.outcome}"), class_="standing"),
        element("li", access or view.told("span", name_of("CL_ACCESS", entry.dataset.access))),
        element("li", view.word("badge.version", version=entry.dataset.version)),
        class_="badges",
    )


def _embargoed(entry: Entry) -> bool:
    return entry.dataset.access == "OPEN" and not entry.available


def _title(entry: Entry, view: View) -> Html:
    return join(
        [
            element("h1", view.inline(entry.dataset.title)),
            badges(entry, view),
            view.block(entry.dataset.description, "lead"),
        ]
    )


def _list(rows: Html) -> Html:
    return element("dl", rows) if rows else rows


def _about(entry: Entry, view: View) -> Html:
    rows = [
        pair(view.word("initiators"), view.people(entry.initiators)) if entry.initiators else None,
        pair(view.word("partners"), view.people(entry.partners)) if entry.partners else None,
        view.rows(entry, *_INITIATIVE[:2], *_COVERAGE),
        pair(view.word("publisher"), view.person(entry.publisher)),
        pair(view.word("contact"), *(element("p", view.reach(agent)) for agent in entry.contacts))
        if entry.contacts
        else None,
        pair(view.word("modified"), entry.dataset.modified) if entry.dataset.modified else None,
    ]
    return element("dl", rows)


def _participation(entry: Entry, view: View) -> Html:
    return join(
        [
            element("p", view.word("participation.intro")),
            participation.figure(entry, view),
            participation.legend(view),
        ]
    )


def _decision(entry: Entry, view: View) -> Html:
    decision, approval = entry.dataset.decision, entry.approval
    rows = [
        pair(view.word("decision.outcome"), view.word(f"outcome.{decision.outcome}")),
        _assessment(entry, view),
        pair(view.word("decision.rule"), *_rule(decision.rule, view)) if decision.rule else None,
        pair(view.word("decision.paragraphs"), Citation(", ".join(decision.paragraphs)).told(view.language))
        if decision.paragraphs
        else None,
        view.rows(entry, *_INITIATIVE[2:]),
    ]
    intro = view.word(f"decision.{decision.outcome}", signer=approval.name or approval.signer)
    return join([element("p", intro), element("dl", rows)])


def _rule(rule: str, view: View) -> Iterator[Html]:
    """What a rule says, and its name."""
    yield view.marked(Phrase(f"rule.{rule}"))
    yield element("span", view.word("decision.name", rule=rule), class_="note")


def _assessment(entry: Entry, view: View) -> Html | None:
    """Who decided what the Framework leaves open, when and why."""
    approval = entry.approval
    if entry.dataset.decision.outcome != "ASSESS":
        return None
    return join(
        [
            pair(view.word("decision.decided"), view.word("decision.approved")),
            pair(view.word("decision.by"), element("bdi", _approver(entry))),
            pair(view.word("decision.when"), approval.time[:10]),
            pair(view.word("decision.why"), element("bdi", approval.reason or view.word("unknown"))),
        ]
    )


def _limits(entry: Entry, view: View) -> Html:
    content = _list(view.rows(entry, *_LIMITS))
    return element("div", content, class_="caution") if content else content


def _use(entry: Entry, view: View) -> Html:
    licences = [_licence(licence) for licence in entry.licences]
    access = [view.told("span", name_of("CL_ACCESS", entry.dataset.access))]
    if _embargoed(entry):
        access.append(element("span", view.word("badge.embargo", date=entry.embargo), class_="note"))
    rows = [
        view.rows(entry, *_USE),
        pair(view.word("licence"), element("ul", licences, class_="plain")) if licences else None,
        pair(view.word("access"), *access) if entry.dataset.access else None,
    ]
    return element("dl", rows)


def _licence(licence: Licence) -> Html:
    inner = (
        element("a", licence.name, href=licence.url, rel="license")
        if licence.url
        else element("bdi", licence.name)
    )
    return element("li", inner)


def _files(entry: Entry, view: View) -> Html:
    if not entry.files:
        return element("p", view.word("files.none"))
    key = "open" if entry.available else "embargo" if _embargoed(entry) else "closed"
    intro = view.word(f"files.{key}", date=entry.embargo)
    return join(
        [
            element("p", intro),
            element("ul", (_file(entry, file, view) for file in entry.files), class_="files"),
            element("p", view.word("files.hash"), class_="small"),
        ]
    )


def _file(entry: Entry, file: DataFile, view: View) -> Html:
    title = view.inline(file.title)
    if entry.available:
        title = element("a", title, href=f"package/{quote(file.path)}", download="")
    facts = " · ".join([file.path, *filter(None, [file.format.upper()]), size(file.size)])
    return element(
        "li",
        element("p", title, class_="name"),
        view.block(file.description),
        element("p", element("bdi", facts), class_="small"),
        element("p", "sha256 ", element("code", file.sha256), class_="small hash"),
    )


def _approver(entry: Entry) -> str:
    approval = entry.approval
    return ", ".join(dict.fromkeys(filter(None, [approval.name or approval.signer, approval.organisation])))


def _approval(entry: Entry, view: View) -> Html:
    approval = entry.approval
    signed = [element("bdi", approval.signer), element("code", approval.key)]
    rows = [
        pair(view.word("approval.by"), element("bdi", _approver(entry))),
        pair(view.word("approval.time"), approval.time),
        pair(view.word("approval.key"), *(element("p", part) for part in signed)),
        pair(
            view.word("approval.proof"),
            element("a", "approval.json", href="package/approval.json"),
            ", ",
            element("a", "approval.json.sig", href="package/approval.json.sig"),
        ),
    ]
    return join([element("p", view.word("approval.intro")), element("dl", rows)])


def _more(entry: Entry, view: View) -> Html:
    """What was answered and stands nowhere else on the page."""
    paths = (answer.field.path.split(".") for answer in entry.dataset.answers)
    fields = dict.fromkeys(parts[1].removesuffix("[]") for parts in paths if parts[0] == "citizenData")
    return view.rows(entry, *(field for field in fields if field not in _PLACED))


def _cite(entry: Entry, site: Site, view: View) -> Html:
    named = [view.plain(agent.name) for agent in entry.initiators if agent.name and not agent.withheld]
    publisher = view.plain(entry.publisher.name) or view.text("unknown")
    cited = view.word(
        "cite.pattern",
        creators="; ".join(named) or publisher,
        year=entry.approval.time[:4],
        title=view.plain(entry.dataset.title),
        version=entry.dataset.version,
        publisher=publisher,
        url=dataset_uri(entry, site.base),
    )
    return element("p", element("bdi", cited), class_="citation")


def _machines(view: View) -> Html:
    links = [
        element("li", element("a", file, href=file), element("span", view.word(key), class_="note"))
        for file, key in (
            ("dcat.ttl", "machines.turtle"),
            ("dcat.jsonld", "machines.jsonld"),
            ("package/datapackage.json", "machines.descriptor"),
        )
    ]
    return element("ul", links, class_="plain")


def card(entry: Entry, view: View) -> Html:
    """The dataset in the list of the index."""
    language = view.language if view.language in entry.languages else entry.languages[0]
    periods = [bounds(value) for value in entry.dataset.codes("citizenData.referencePeriod")]
    years = [escape("–".join(dict.fromkeys(str(day.year) for day in days))) for days in periods if days]
    facts = [view.inline(entry.publisher.name) if entry.publisher.name else None, *years]
    return element(
        "li",
        element(
            "h2", element("a", view.inline(entry.dataset.title), href=f"{entry.path}/{name(entry, language)}")
        ),
        badges(entry, view),
        view.block(entry.dataset.description),
        element("ul", (element("li", fact) for fact in facts if fact), class_="facts"),
    )


def figures(entries: tuple[Entry, ...], view: View) -> Html:
    """How many datasets there are, in words."""
    return view.word("index.count", count=len(entries))


def iter_languages(entries: tuple[Entry, ...]) -> Iterator[str]:
    """The languages of the pages, each once, sorted."""
    yield from sorted({tag for entry in entries for tag in entry.languages})
