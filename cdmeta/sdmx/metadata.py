"""Dataset → its reference metadata: a metadata set by the profile's metadataflow, and who may report it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from cdmeta import profile
from cdmeta.dataset import Answer, Dataset
from cdmeta.period import bounds
from cdmeta.sdmx.artefacts import (
    Agency,
    MetadataProviderScheme,
    MetadataProvisionAgreement,
    MetadataSet,
    ReportedAttribute,
    Structure,
)
from cdmeta.sdmx.structures import Structures, parent_and_id, standard_text
from cdmeta.text import Text
from cdmeta.urn import Ref

METADATAFLOW = Ref("Metadataflow", profile.AGENCY, "MDF_CITIZEN_DATA", profile.VERSION)


@dataclass(frozen=True)
class MetadataReport:
    """The reference metadata of a dataset.

    Attributes:
        set: the report.
        providers: the scheme in which its agency stands as a metadata provider.
        agreement: that this provider reports by the profile's metadataflow.
    """

    set: MetadataSet
    providers: MetadataProviderScheme
    agreement: MetadataProvisionAgreement

    @property
    def artefacts(self) -> tuple[Structure, ...]:
        """The structural ones, each before those that refer to it."""
        return (self.providers, self.agreement)


def report(dataset: Dataset, structures: Structures) -> MetadataReport:
    """The reference metadata of a dataset by the profile's own metadata structure."""
    attributes = (*(_reported(answer) for answer in dataset.answers), *_decided(dataset))
    return by_metadataflow(dataset, structures, METADATAFLOW, attributes)


def by_metadataflow(
    dataset: Dataset,
    structures: Structures,
    metadataflow: Ref,
    attributes: tuple[ReportedAttribute, ...],
    *,
    suffix: str = "",
) -> MetadataReport:
    """A report about a dataset's dataflows, or about its agency where it has none.

    Args:
        dataset: what is reported on.
        structures: its structural artefacts.
        metadataflow: what the report is made by.
        attributes: what it says.
        suffix: tells its ids from those of other reports on the same dataset.
    """
    name = dataset.title or Text(((dataset.language, dataset.name),))
    own = f"{dataset.id}_{suffix}" if suffix else dataset.id
    begin, end = _reporting(dataset)
    made = MetadataSet(
        dataset.agency,
        f"MDS_{own}",
        dataset.version,
        name,
        description=dataset.description,
        metadataflow=metadataflow,
        targets=tuple(flow.dataflow.urn for flow in structures.flows) or (_agency_urn(dataset.agency),),
        attributes=attributes,
        reporting_begin=begin,
        reporting_end=end,
    )
    providers = _providers(dataset, structures)
    agreement = MetadataProvisionAgreement(
        dataset.agency,
        f"MPA_{own}",
        dataset.artefact_version,
        name,
        metadataflow=metadataflow,
        provider=providers.provider_ref(providers.providers[0].id),
    )
    return MetadataReport(made, providers, agreement)


def _reported(answer: Answer) -> ReportedAttribute:
    return ReportedAttribute(answer.field.concept, answer.value, tuple(map(_reported, answer.children)))


def _decided(dataset: Dataset) -> Iterator[ReportedAttribute]:
    """The Framework's decision, which the producer does not declare."""
    yield ReportedAttribute("CD_STATUS", dataset.decision.outcome)
    if dataset.decision.rule:
        yield ReportedAttribute("CD_RULE", dataset.decision.rule)


def _reporting(dataset: Dataset) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of the time that the data describe."""
    given = [days for value in dataset.codes("citizenData.referencePeriod") if (days := bounds(value))]
    return given[0] if given else (None, None)


def _providers(dataset: Dataset, structures: Structures) -> MetadataProviderScheme:
    """A metadata set's agency is its provider: it stands in the scheme of its parent agency (domain §5.2a)."""
    parent, own = parent_and_id(dataset.agency)
    named = structures.agencies.agencies[0].name if structures.agencies else Text(((dataset.language, own),))
    title = standard_text("sdmx.providers")
    return MetadataProviderScheme(parent, "METADATA_PROVIDERS", "1.0", title, providers=(Agency(own, named),))


def _agency_urn(agency: str) -> str:
    parent, own = parent_and_id(agency)
    return Ref("Agency", parent, "AGENCIES", "1.0", own).urn
