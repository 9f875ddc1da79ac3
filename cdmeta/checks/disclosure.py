"""What the data themselves give away of people and places (CD505 to CD543; domain table of disclosure checks).

Findings hold counts, rows and names of columns, never a value. That nothing is found is no proof that nobody can
be recognised: that depends on what else is known outside the package (Principle 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cdmeta import pictures
from cdmeta.checks import aggregates, identifying, microdata, places
from cdmeta.checks.columns import Look, Release, release
from cdmeta.checks.consent import OPEN_TO_ALL
from cdmeta.checks.sheets import MAX_NAMED, Rule, Sheet, sheet_of
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Where, errors_of
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase, Series, first_of
from cdmeta.tables.loading import tables


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of disclosure."""
    declared = release(package)
    found = [*_files(package, declared), *_of_tables(package, declared), *_openness(declared)]
    yield from found
    yield from _claims(declared, {finding.code for finding in found})
    if declared.micro and not errors_of(found):
        yield Finding("CD538", Where(DESCRIPTOR, "/citizenData/releaseForm"))


def _of_tables(package: Package, declared: Release) -> Iterator[Finding]:
    try:
        with tables(package) as loaded:
            for resource in loaded.unread:
                yield _unread(resource)
            sheets = [sheet_of(package, table, declared) for table in loaded.tables]
            for sheet in sheets:
                for rule in RULES:
                    yield from rule(sheet)
            yield from _linked(sheets)
    except ConversionError:
        # Memory or disk is used up: what was asked until then stays told.
        names = Series(tuple(resource.name for resource in package.resources[:MAX_NAMED]))
        yield Finding("CD511", Where(DESCRIPTOR, "/resources"), {"resource": names})


def _unread(resource: Resource) -> Finding:
    return Finding("CD511", Where(DESCRIPTOR, resource.pointer, resource.name), {"resource": resource.name})


# Several tables, files, claims


def _linked(sheets: Iterable[Sheet]) -> Iterator[Finding]:
    """D19."""
    found = [sheet for sheet in sheets if sheet.micro and sheet.table.rows]
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            yield from _link(one, other)


def _link(one: Sheet, other: Sheet) -> Iterator[Finding]:
    for left in one.looks:
        right = next((look for look in other.looks if look.column.label == left.column.label), None)
        if right is None or not _is_link(one, left, other, right):
            continue
        name = other.table.resource.name
        yield one.finding("CD532", left, other=name)
        mine, theirs = ([look.column for look in sheet.quasi] for sheet in (one, other))
        more = [column for column in theirs if column.label not in {known.label for known in mine}]
        if mine and more:
            source = one.table.joined(other.table, (left.column, right.column), (mine, more))
            keys = ", ".join(f"q{number}" for number in range(len(mine) + len(more)))
            groups = one.table.grouped(keys, source, one.release.k)
            if groups.small:
                params = {"k": groups.least, "wanted": one.release.k, "records": groups.records, "other": name}
                yield one.finding("CD533", left, groups.row, **params)


def _is_link(one: Sheet, left: Look, other: Sheet, right: Look) -> bool:
    """A column of two tables that tells nearly every record apart in one of them, and has the same values."""
    share = one.release.threshold("near-unique") / 100
    sides = ((one, left), (other, right))
    if not any(look.shape.filled and look.shape.distinct >= 0.85 * share * look.shape.filled for _, look in sides):
        return False
    if not any(sheet.table.distinct(look.column) >= share * max(look.shape.filled, 1) for sheet, look in sides):
        return False
    smaller = min(sheet.table.distinct(look.column) for sheet, look in sides)
    return one.table.shared(other.table, (left.column, right.column)) * 2 >= max(smaller, 1)


def _files(package: Package, declared: Release) -> Iterator[Finding]:
    """D17: files that the descriptor names are looked into, those that lie beside are known by their names."""
    for name in package.parts:
        if name == DESCRIPTOR:
            continue
        try:
            kind, tells = pictures.look(package.path(name))
        except OSError:
            # That a file cannot be read is told where it is opened.
            continue
        if tells:
            yield Finding("CD529", Where(file=name), {"file": name})
        elif kind:
            grave = declared.people and kind != pictures.DRAWING
            params = {"file": name, "kind": Phrase(f"disclosure.file.{kind}")}
            yield Finding("CD530" if grave else "CD531", Where(file=name), params)
    beside = [(pictures.kind_by_name(name), name) for name in package.unnamed if declared.people]
    for wanted in (pictures.PHOTO, pictures.SOUND, pictures.FILM):
        if names := [name for kind, name in beside if kind == wanted]:
            params = {"file": first_of(names, MAX_NAMED), "kind": Phrase(f"disclosure.file.{wanted}")}
            yield Finding("CD531", Where(file=names[0]), params)


def _openness(declared: Release) -> Iterator[Finding]:
    """D22."""
    if declared.sensitive and declared.micro and declared.says("accessRights", *OPEN_TO_ALL):
        access = declared.consent.named("accessRights", "CL_ACCESS")
        yield Finding("CD535", Where(DESCRIPTOR, "/citizenData/accessRights"), {"access": access})


def _claims(declared: Release, codes: set[str]) -> Iterator[Finding]:
    """D20."""
    against = codes & {"CD508", "CD509", "CD523", "CD529", "CD530"}
    if against and declared.says("releaseForm", "ANON_MICRO"):
        form = declared.consent.named("releaseForm", "CL_RELEASE_FORM")
        params = {"form": form, "codes": Series(tuple(sorted(against)))}
        yield Finding("CD534", Where(DESCRIPTOR, "/citizenData/releaseForm"), params)


RULES: tuple[Rule, ...] = (*identifying.RULES, *microdata.RULES, *aggregates.RULES, *places.RULES)
"""The rules on one table, in order."""
