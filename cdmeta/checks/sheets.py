"""Tables with what their columns are for, as the rules of disclosure are asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cdmeta.checks.columns import Look, Release, looks
from cdmeta.finding import Finding, Where
from cdmeta.package import DESCRIPTOR, Package
from cdmeta.phrase import Series, first_of
from cdmeta.tables.disclosure import Table

MAX_NAMED = 8


@dataclass(frozen=True)
class Sheet:
    """A table with what its columns are for.

    Attributes:
        table: the rows.
        looks: its columns.
        release: what the package says of the release.
        is_key_list: True for a table that only says what the codes of others mean, and for a sheet of a workbook
            that no resource is about.
        whole: name of a column in the engine → whether all its numbers are whole, as far as that was asked.
    """

    table: Table
    looks: tuple[Look, ...] = field(hash=False)
    release: Release = field(hash=False)
    is_key_list: bool
    whole: dict[str, bool] = field(default_factory=dict, hash=False, compare=False)

    @property
    def micro(self) -> bool:
        """Its rows are records of people."""
        return self.release.micro and not self.is_key_list

    @property
    def aggregate(self) -> bool:
        """Its rows are figures about people."""
        return self.release.aggregate and not self.is_key_list

    @cached_property
    def quasi(self) -> tuple[Look, ...]:
        """Columns that together may tell who somebody is."""
        return tuple(look for look in self.looks if look.role in ("QUASI_ID", "LOCATION"))

    def where(self, look: Look | None = None, row: int | None = None) -> Where:
        """A place in the table."""
        resource = self.table.resource
        file = resource.paths[0] if len(resource.paths) == 1 else None
        if len(resource.paths) > 1 or (resource.dialect or {}).get("commentChar"):
            # Rows are counted through all files, and comments are not: that number leads nowhere.
            row = None
        pointer = look.column.pointer if look and not row else None
        name = look.column.name if look else None
        return Where(DESCRIPTOR if pointer else file, pointer, resource.name, self.table.sheet, row, name)

    def finding(self, code: str, look: Look | None = None, row: int | None = None, **params: Any) -> Finding:
        """A finding on the table or on a column of it."""
        named = {"field": look.column.name} if look else {}
        return Finding(code, self.where(look, row), {"resource": self.table.resource.name} | named | params)


Rule = Callable[[Sheet], Iterable[Finding]]


def sheet_of(package: Package, table: Table, declared: Release) -> Sheet:
    """A table of a package as a sheet."""
    found = looks(table)
    bare = not any(look.role not in ("", "NONE") for look in found)
    is_key_list = bare and (table.is_aside or table.resource.name in _explained(package))
    return Sheet(table, found, declared, is_key_list)


def _explained(package: Package) -> frozenset[str]:
    """Names of the resources that say what the codes of others mean."""
    names: set[str] = set()
    for resource in package.resources:
        keys = (resource.schema or {}).get("foreignKeys")
        for key in keys if isinstance(keys, list) else ():
            reference = key.get("reference") if isinstance(key, Mapping) else None
            target = reference.get("resource") if isinstance(reference, Mapping) else None
            names |= {target} if isinstance(target, str) and target != resource.name else set()
        sdmx = [entry.get("sdmx") for entry in resource.fields]
        lists = [entry.get("codelist") for entry in sdmx if isinstance(entry, Mapping)]
        names |= {name for name in lists if isinstance(name, str)}
    return frozenset(names)


def named(found: Iterable[Look]) -> Series:
    """The names of columns, of many the first."""
    return first_of([look.column.name for look in found], MAX_NAMED)
