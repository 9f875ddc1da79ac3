"""Artefacts at hand, found by references: versions with wildcards, lists that extend others, concepts' own values.

By SDMX 3.0 Section 6, "Versioning": `1.0+.0` is the latest stable version that is compatible with 1.0.0,
`1+.0.0` the latest from 1.0.0 on, `1.0.0+` the latest that only corrects 1.0.0; `*`, and `latest` of SDMX 2.1, is
the latest there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cdmeta.sdmx import artefacts as sdmx
from cdmeta.sdmx.artefacts import Codelist, Concept, DataStructure, Representation, Structure, ValueList
from cdmeta.urn import Ref

_OWNERS = {
    "Agency": "AgencyScheme",
    "Code": "Codelist",
    "Concept": "ConceptScheme",
    "DataProvider": "DataProviderScheme",
    "MetadataProvider": "MetadataProviderScheme",
}
"""By the kind of an item, that of the artefact that it is in."""
_LATEST = ("*", "+", "~", "latest")
_VERSION = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(-.+)?")
_FROM = re.compile(r"([0-9]+)(\+?)(?:\.([0-9]+)(\+?))?(?:\.([0-9]+)(\+?))?(-?)")

Component = sdmx.Dimension | sdmx.Measure | sdmx.Attribute | sdmx.MetadataAttribute


class Store:
    """Artefacts by what refers to them; of two with the same URN the later one counts."""

    def __init__(self, artefacts: Iterable[Structure]) -> None:
        self._by_id: dict[tuple[str, str, str], dict[str, Structure]] = {}
        for artefact in artefacts:
            key = (artefact.kind, artefact.agency, artefact.id)
            self._by_id.setdefault(key, {})[artefact.version] = artefact

    def __iter__(self) -> Iterator[Structure]:
        return (artefact for versions in self._by_id.values() for artefact in versions.values())

    def get(self, ref: Ref) -> Structure | None:
        """The artefact that is referred to, or that the item referred to is in; None where it is not at hand."""
        kind = _OWNERS.get(ref.kind, ref.kind)
        kinds = ("Codelist", "ValueList") if kind == "Codelist" else (kind,)
        for wanted in kinds:
            versions = self._by_id.get((wanted, ref.agency, ref.id), {})
            if (version := best_version(ref.version, tuple(versions))) is not None:
                return versions[version]
        return None

    def concept(self, ref: Ref) -> Concept | None:
        """The concept that is referred to."""
        scheme = self.get(ref)
        if not isinstance(scheme, sdmx.ConceptScheme):
            return None
        return next((concept for concept in scheme.concepts if concept.id == ref.item), None)

    def data_structure(self, ref: Ref) -> DataStructure | None:
        """The data structure that is referred to, or that of the dataflow that is."""
        found = self.get(ref)
        if isinstance(found, sdmx.Dataflow):
            found = self.get(found.structure)
        return found if isinstance(found, DataStructure) else None

    def representation(self, component: Component) -> Representation:
        """The values that a component takes: by itself, or else by its concept, or else any text."""
        local = component.representation
        if not local.from_concept:
            return local
        concept = self.concept(component.concept)
        core = concept.representation if concept is not None else None
        return replace(core or Representation(), max_occurs=local.max_occurs)

    def codelist(self, representation: Representation) -> Codelist | ValueList | None:
        """The list of a representation, with the codes that it takes over from others; None where not at hand.

        A measure dimension of SDMX 2.1 has concepts for codes. What a list takes over comes first, in the order of
        its extensions; of two codes of the same id its own counts.
        Extensions stay listed only where the list that they name is not at hand, so that it can be told.
        """
        found = self.get(representation.codelist) if representation.codelist is not None else None
        if isinstance(found, Codelist):
            return self._extended(found, ())
        if isinstance(found, sdmx.ConceptScheme):
            return _as_codes(found)
        return found if isinstance(found, ValueList) else None

    def _extended(self, codelist: Codelist, above: tuple[Ref, ...]) -> Codelist:
        if not codelist.extensions:
            return codelist
        codes: dict[str, sdmx.Code] = {}
        left = []
        for extension in codelist.extensions:
            other = self.get(extension.codelist)
            if not isinstance(other, Codelist) or other.ref in (*above, codelist.ref):
                left.append(extension)
                continue
            for code in _taken(extension, self._extended(other, (*above, codelist.ref)).codes):
                codes.setdefault(code.id, code)
        codes |= {code.id: code for code in codelist.codes}
        return replace(codelist, codes=tuple(codes.values()), extensions=tuple(left))

    def missing(self) -> tuple[Ref, ...]:
        """What the artefacts refer to and is not at hand, each once, in their order; items within schemes too."""
        found = (ref for artefact in self for ref in references(artefact))
        return tuple(ref for ref in dict.fromkeys(found) if not self._has(ref))

    def _has(self, ref: Ref) -> bool:
        if ref.kind == "Concept":
            return self.concept(ref) is not None
        return self.get(ref) is not None


def find(artefacts: Iterable[Structure], ref: Ref) -> Structure | None:
    """The artefact that is referred to; for more than one reference make a Store."""
    return Store(artefacts).get(ref)


def best_version(wanted: str, there: Sequence[str]) -> str | None:
    """Which of some versions a reference means; None where it is none of them.

    Drafts (`1.0.0-draft`) are meant only where the reference says so (`1.0+.0-`), or where there is nothing else.
    """
    if wanted in there:
        return wanted
    if wanted in _LATEST:
        fitting = list(there)
    elif (pattern := _FROM.fullmatch(wanted)) is None:
        return None
    else:
        fitting = [version for version in there if _fits(pattern, version)]
        if not pattern[7]:
            fitting = [version for version in fitting if "-" not in version]
    stable = [version for version in fitting if "-" not in version]
    return max(stable or fitting, key=_order, default=None)


def _numbers(parts: Sequence[str | None]) -> tuple[int, ...]:
    return tuple(int(part or 0) for part in parts)


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    match = _VERSION.fullmatch(version)
    return (_numbers(match.groups()[:3]), not match[4], match[4] or "") if match else ((-1,), False, version)


def _fits(pattern: re.Match[str], version: str) -> bool:
    """Whether a version is at least that of a pattern, and the same in the parts before its plus sign."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return False
    least, given = _numbers(pattern.group(1, 3, 5)), _numbers(match.groups()[:3])
    fixed = next((place for place, sign in enumerate(pattern.group(2, 4, 6)) if sign), len(least))
    return given >= least and given[:fixed] == least[:fixed]


def _as_codes(scheme: sdmx.ConceptScheme) -> Codelist:
    codes = tuple(sdmx.Code(each.id, each.name, each.description) for each in scheme.concepts)
    return Codelist(scheme.agency, scheme.id, scheme.version, scheme.name, codes=codes)


def _taken(extension: sdmx.CodelistExtension, codes: Iterable[sdmx.Code]) -> Iterator[sdmx.Code]:
    """The codes that an extension takes over; a parent that is not taken over is none."""
    forms = [".*".join(map(re.escape, value.split("%"))) for value in extension.values]
    named = re.compile("|".join(forms) or ".*", re.DOTALL)
    chosen = [code for code in codes if (named.fullmatch(code.id) is not None) != extension.excluded]
    ids = {code.id for code in chosen}
    for code in chosen:
        parent = extension.prefix + code.parent if code.parent in ids and code.parent else None
        yield replace(code, id=extension.prefix + code.id, parent=parent)


def references(artefact: Structure) -> Iterator[Ref]:
    """What an artefact refers to, in its order, each as often as it does."""
    if isinstance(artefact, Codelist):
        yield from (extension.codelist for extension in artefact.extensions)
    elif isinstance(artefact, sdmx.ConceptScheme):
        yield from (ref for concept in artefact.concepts for ref in _listed(concept.representation))
    elif isinstance(artefact, DataStructure):
        yield from _of_components(artefact.components)
        yield from () if artefact.metadata is None else (artefact.metadata,)
    elif isinstance(artefact, sdmx.MetadataStructure):
        yield from _of_components([part for top in artefact.attributes for part in top.walk()])
    elif isinstance(artefact, sdmx.RepresentationMap):
        yield from (part for part in artefact.sources + artefact.targets if isinstance(part, Ref))
    elif isinstance(artefact, sdmx.StructureMap):
        yield from (artefact.source, artefact.target)
        yield from (part.representation_map for part in artefact.components if part.representation_map)
    else:
        yield from _of_flow(artefact)


def _of_flow(artefact: Structure) -> Iterator[Ref]:
    if isinstance(artefact, sdmx.Dataflow | sdmx.Metadataflow):
        yield artefact.structure
    elif isinstance(artefact, sdmx.MetadataProvisionAgreement):
        yield from (artefact.metadataflow, artefact.provider)
    elif isinstance(artefact, sdmx.DataConstraint):
        yield from artefact.attached


def _of_components(components: Iterable[Component]) -> Iterator[Ref]:
    for part in components:
        yield part.concept
        yield from _listed(part.representation)


def _listed(representation: Representation | None) -> Iterator[Ref]:
    if representation is not None and representation.codelist is not None:
        yield representation.codelist
