"""Write approved packages as a site: copy what may be given away, render pages and feeds, replace the old site."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cdmeta import framework
from cdmeta.catalogue import site as catalogue
from cdmeta.dataset import to_dataset
from cdmeta.entry import Approval, Entry, is_web_address, to_entry
from cdmeta.errors import ApprovalError, OutputError
from cdmeta.finding import Finding
from cdmeta.formats.dcat import Site, dataset_uri
from cdmeta.package import APPROVAL_FILES, DESCRIPTOR, Package
from cdmeta.phrase import Phrase, in_languages
from cdmeta.text import Text, is_language_tag
from cdmeta.workflows.accept import Accepted, accepted
from cdmeta.workflows.output import staged

Source = tuple[Entry, Package]


@dataclass(frozen=True)
class Options:
    """What the caller chose.

    Attributes:
        base_url: the address at which the site will stand.
        title: of the site; our own words where it is empty.
        publisher: name of who puts it out; where it is empty, the publisher of all packages, or else the host.
        language: of the first page.
        allow_removal: publish even where datasets of the earlier run are gone.
    """

    base_url: str
    title: str = ""
    publisher: str = ""
    language: str = "en"
    allow_removal: bool = False


@dataclass(frozen=True)
class Published:
    """What was written: the address of each dataset, the addresses that are gone, and the number of files."""

    addresses: tuple[str, ...]
    removed: tuple[str, ...]
    files: int


def publish_packages(
    paths: Iterable[Path], out: Path, allowed_signers: Path, options: Options, *, today: dt.date
) -> Published:
    """Write a site of approved packages; no other is taken.

    Args:
        paths: folders or zips.
        out: the folder of the site; one that an earlier run wrote is replaced.
        allowed_signers: who may approve.
        options: what the caller chose.
        today: the day on which an embargo is over or not.

    Raises:
        ApprovalError: a package is not approved, or was changed since.
        ConversionError: a package cannot be shown: it has no agency, or its name is no part of an address.
        OutputError: two packages have one address, datasets would be gone, or the folder is not ours.
    """
    return publish(_sources(paths, allowed_signers, today), out, options)


def publish(sources: Iterable[Source], out: Path, options: Options) -> Published:
    """Write a site of entries and the packages behind them, each package being needed only while it is its turn.

    Raises:
        ConversionError, OutputError: as `publish_packages`.
    """
    base = _base(options)
    old = catalogue.before(out)
    _refuse_strangers(out, old)
    with staged(out, catalogue.MANIFEST) as stage:
        entries = tuple(_copied(entry, package, stage) for entry, package in sources)
        site = _site(entries, base, options)
        addresses = tuple(sorted(dataset_uri(entry, base) for entry in entries))
        removed = tuple(sorted(old.addresses - set(addresses)))
        if removed and not options.allow_removal:
            raise OutputError(Phrase("site.error.gone", {"folder": out, "gone": ", ".join(removed)}))
        for path, data in catalogue.render(entries, site).items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(data)
        digests = {path: _sha256(stage / path) for path in _walk(stage)}
        _refuse_changed(entries, digests)
        (stage / catalogue.MANIFEST).write_bytes(catalogue.manifest(entries, site, digests))
    return Published(addresses, removed, len(digests) + 1)


def _sources(paths: Iterable[Path], allowed_signers: Path, today: dt.date) -> Iterator[Source]:
    for path in paths:
        with accepted(path, allowed_signers) as taken:
            yield _entry(taken, today), taken.package


def _entry(taken: Accepted, today: dt.date) -> Entry:
    package, verdict = taken.package, taken.verdict
    statement = verdict.statement if verdict else None
    if verdict is None or statement is None:
        raise ApprovalError(Finding("CD601").phrase())
    decision = framework.decide(framework.read(package.answers))
    # Pages and feeds name what was measured, never the codes in the rows, so no row is read.
    dataset, _ = to_dataset(package, decision, lambda _: ())
    approval = Approval(
        verdict.signer or statement.approver.identity,
        verdict.key or "",
        statement.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        statement.approver.name,
        statement.approver.organisation,
        statement.ruling.reason,
    )
    return to_entry(package, dataset, approval, taken.digests, today)


def _copied(entry: Entry, package: Package, stage: Path) -> Entry:
    """Copy the descriptor and the approval; all files that the descriptor names, where the data are open."""
    target = stage / entry.path / "package"
    for part in {DESCRIPTOR, *APPROVAL_FILES, *(package.parts if entry.available else ())}:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.path(part), target / part)
    return entry


def _base(options: Options) -> str:
    address = options.base_url.strip()
    parts = urlsplit(address) if is_web_address(address) else None
    if parts is None or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise OutputError(Phrase("site.error.address", {"address": options.base_url}))
    if not is_language_tag(options.language):
        raise OutputError(Phrase("site.error.language", {"language": options.language}))
    return address.rstrip("/")


def _site(entries: tuple[Entry, ...], base: str, options: Options) -> Site:
    language = options.language
    publishers = {entry.publisher.name.best(language) for entry in entries if not entry.publisher.withheld}
    only = publishers.pop() if len(publishers) == 1 else ""
    publisher = options.publisher or only or urlsplit(base).hostname or base
    title = Text.of(options.title, language) if options.title else in_languages("texts", "site.title", "text")
    return Site(base, title, in_languages("texts", "site.description", "text"), publisher, language)


def _refuse_strangers(out: Path, old: catalogue.Before) -> None:
    """What somebody else laid into the folder would be lost with the old site."""
    strangers = sorted(set(_walk(out)) - old.files) if old.files else []
    if strangers:
        raise OutputError(Phrase("site.error.stranger", {"folder": out, "path": strangers[0]}))


def _refuse_changed(entries: tuple[Entry, ...], digests: dict[str, str]) -> None:
    for entry in entries:
        for file in entry.files:
            path = f"{entry.path}/package/{file.path}"
            if digests.get(path, file.sha256) != file.sha256:
                raise OutputError(Phrase("site.error.changed", {"path": path}))


def _walk(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
