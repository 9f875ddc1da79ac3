"""What the data themselves give away of people and places (CD505 to CD543; domain table of disclosure checks).

Findings hold counts, rows and names of columns, never a value. That nothing is found is no proof that nobody can
be recognised: that depends on what else is known outside the package (Principle 9).

Names and addresses inside texts (D04) are found where a word such as Mrs or Street gives them away, no others. Of
the p%-rule (D11) there is what follows without the shares of the contributors, which are in no table of the
profile; of differences (D24) those between a total and its parts: earlier releases are not in the package, and
which areas overlap it does not say.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from cdmeta import pictures
from cdmeta.checks.columns import Look, Release, column_words, identity_modules, looks, release, text_patterns
from cdmeta.checks.consent import OPEN_TO_ALL
from cdmeta.errors import ConversionError
from cdmeta.finding import Finding, Where
from cdmeta.identifiers import has_iban, has_phone, is_national_id, is_phone
from cdmeta.package import DESCRIPTOR, Package, Resource
from cdmeta.phrase import Phrase, Series, first_of
from cdmeta.tables.disclosure import Table
from cdmeta.tables.engine import ROW, Session
from cdmeta.tables.held import Condition, at_most, holds_text, lacks, matches
from cdmeta.tables.loading import tables
from cdmeta.tables.relations import column as cell
from cdmeta.tables.shapes import DAY, DIGITS, Column, is_number, number

_MAX_NAMED = 8
_STRONG = ("email", "phone", "iban", "national")
"""Kinds that a pattern, a numbering plan or check digits prove; the others may mean something else."""
_IBAN_LIKE = "[A-Z]{2}[0-9]{2} ?[A-Z0-9]{2}"
_ID_LIKE = "^[A-Za-z]{0,4}[-0-9A-Za-z ./]*[0-9][-0-9A-Za-z ./]*$"
_MARKED_PHONE = r"^\s*([(]?0|[0-9]+[ ().-][0-9 ().-]*$)"
_PAIR = r"^\s*[(\[]?[-+]?[0-9]{1,3}[.][0-9]+\s*[,; ]\s*[-+]?[0-9]{1,3}[.][0-9]+[)\]]?\s*$"
_SHAPE = r"(?i)^\s*(srid=[0-9]+;)?\s*(multi)?(point|polygon|linestring)\s*z?\s*[(]|\"coordinates\""
_SECONDS = r"[0-9]\s?°\s?[0-9]{1,2}\s?(['′’]\s?[0-9]|[.][0-9])"
_PLUS_CODE = r"^\s*[2-9CFGHJMPQRVWX0]{8}[+][2-9CFGHJMPQRVWX]{0,7}\s*$"


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
_Hit = tuple[int, int | None]
"""Cells, and the row of the first."""
_WHEN = ("date", "datetime", "time", "year", "yearmonth")
_MORE = ""
"""In the place of a kind: there are more values than were looked at."""


def check(package: Package) -> Iterator[Finding]:
    """Ask all rules of disclosure."""
    declared = release(package)
    found = [*_files(package, declared), *_of_tables(package, declared), *_openness(declared)]
    yield from found
    yield from _claims(declared, {finding.code for finding in found})
    if declared.micro and not any(finding.severity() == "error" for finding in found):
        yield Finding("CD538", Where(DESCRIPTOR, "/citizenData/releaseForm"))


def of_figures(
    resource: Resource,
    source: str,
    rows: int,
    columns: Iterable[tuple[str, Mapping[str, Any], int]],
    declared: Release,
    session: Session,
) -> Iterator[Finding]:
    """Ask the rules on figures of a table that is computed.

    Args:
        resource: as which it is published.
        source: its name in the engine.
        rows: how many rows it has.
        columns: name, field descriptor and place of those columns that are looked at.
        declared: the release, of figures.
        session: has the table.
    """
    found = tuple(Column(name, name, given, cell(place), None) for name, given, place in columns)
    table = Table(resource, found, rows, _sql=source, _connect=lambda: session.connection)
    sheet = Sheet(table, looks(table), declared, is_key_list=False)
    for rule in FIGURES:
        yield from rule(sheet)


def _of_tables(package: Package, declared: Release) -> Iterator[Finding]:
    try:
        with tables(package) as loaded:
            for resource in loaded.unread:
                yield _unread(resource)
            sheets = [_sheet(package, table, declared) for table in loaded.tables]
            for sheet in sheets:
                for rule in RULES:
                    yield from rule(sheet)
            yield from _linked(sheets)
    except ConversionError:
        # Memory or disk is used up: what was asked until then stays told.
        names = Series(tuple(resource.name for resource in package.resources[:_MAX_NAMED]))
        yield Finding("CD511", Where(DESCRIPTOR, "/resources"), {"resource": names})


def _unread(resource: Resource) -> Finding:
    return Finding("CD511", Where(DESCRIPTOR, resource.pointer, resource.name), {"resource": resource.name})


def _sheet(package: Package, table: Table, declared: Release) -> Sheet:
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


def _named(found: Iterable[Look]) -> Series:
    return first_of([look.column.name for look in found], _MAX_NAMED)


# Columns: roles, names and values


def _roles(sheet: Sheet) -> Iterator[Finding]:
    """D01."""
    missing = [look for look in sheet.looks if not look.role]
    if missing and sheet.release.people and not sheet.is_key_list:
        code = "CD506" if sheet.micro else "CD505"
        where = Where(DESCRIPTOR, sheet.table.resource.pointer, sheet.table.resource.name)
        params = {"resource": sheet.table.resource.name, "count": len(missing), "names": _named(missing)}
        yield Finding(code, where, params)


def _identifiers(sheet: Sheet) -> Iterator[Finding]:
    """D02 and D03: a column by its name, and by its values."""
    cleared: list[Look] = []
    for look in sheet.looks:
        hits = dict(_hits(sheet, look))
        if hits.pop(_MORE, None):
            yield sheet.finding("CD537", look, count=int(sheet.release.threshold("values")))
        if look.cleared and (hits or _named_so(sheet, look)):
            cleared.append(look)
            continue
        for kind, (count, row) in hits.items():
            is_strong = kind in _STRONG or (sheet.release.people and kind != "office")
            code = "CD509" if is_strong else "CD510"
            yield sheet.finding(code, look, row, count=count, kind=Phrase(f"identifier.{kind}"))
        if look.role == "DIRECT_ID" and look.shape.filled:
            yield sheet.finding("CD508", look)
        elif (kind := _named_so(sheet, look)) and not hits:
            yield sheet.finding("CD507", look, kind=Phrase(f"identifier.{kind}"))
    if cleared:
        yield sheet.finding("CD536", names=_named(cleared), count=len(cleared))


def _named_so(sheet: Sheet, look: Look) -> str:
    """The kind of identifier that the name of a column says, where it may be one."""
    found = look.identifier
    is_list = sheet.is_key_list and not sheet.table.is_aside
    if found is None or sheet.release.about_things or is_list or not look.shape.filled:
        return ""
    kind, certain = found
    if kind in ("phone", "national", "iban") and (look.shape.longest < 6 or look.type in ("boolean", "number")):
        return ""
    return kind if certain or sheet.micro else ""


def _hits(sheet: Sheet, look: Look) -> Iterator[tuple[str, tuple[int, int | None]]]:
    """Kinds of identifiers that stand in a column → cells, and the row of the first."""
    found = sheet.table.hits(look.column, look.shape)
    for kind, names in (
        ("email", ("email",)),
        ("office", ("office",)),
        ("ip", ("ip", "ip6")),
        ("handle", ("handle", "address")),
    ):
        pairs = [found[name] for name in names if name in found]
        if pairs:
            yield kind, (sum(count for count, _ in pairs), min(row for _, row in pairs))
    for kind, test in (("iban", _ibans), ("phone", _phones), ("national", _identity_numbers)):
        count, row = test(sheet, look)
        if count:
            yield (kind if count > 0 else _MORE), (count, row)


def _judged(
    sheet: Sheet, look: Look, condition: Condition, holds: Callable[[str], bool]
) -> tuple[int, int | None, int, int]:
    return sheet.table.matching(look.column, condition, int(sheet.release.threshold("values")), holds)


def _any(sheet: Sheet, look: Look, condition: Condition, holds: Callable[[str], bool]) -> _Hit:
    """One cell is enough; where none was found and not all were looked at, the count is -1."""
    count, row, judged, _ = _judged(sheet, look, condition, holds)
    return (-1 if not count and judged >= sheet.release.threshold("values") else count), row


def _ibans(sheet: Sheet, look: Look) -> _Hit:
    if not look.is_text or look.shape.longest < 15 or look.shape.numbers == look.shape.filled:
        return 0, None
    return _any(sheet, look, matches(look.column.sql, _IBAN_LIKE, least=15), has_iban)


def _phones(sheet: Sheet, look: Look) -> _Hit:
    """International numbers anywhere; national ones where the name says so, or where they are marked as such."""
    cell = look.column.sql
    if look.shape.longest < 7 or look.type in ("date", "datetime", "time", "year", "yearmonth", "boolean"):
        return 0, None
    if look.shape.marks.get("plus"):
        found = _any(sheet, look, holds_text(cell, "+") & matches(cell, DIGITS), has_phone)
        if found[0]:
            return found
    return _national_phones(sheet, look) if sheet.release.consent.regions else (0, None)


def _national_phones(sheet: Sheet, look: Look) -> _Hit:
    cell, regions = look.column.sql, sheet.release.consent.regions
    named = look.identifier is not None and look.identifier[0] == "phone"
    if not (named or (look.is_text and look.shape.numbers < look.shape.filled)):
        return 0, None
    like = matches(cell, DIGITS, least=7) & lacks(cell, DAY, least=8)
    if named:
        return _any(sheet, look, like, partial(_phone_of, regions))
    if look.shape.marks.get("spaces"):
        words = like & matches(cell, "[A-Za-z]{2}")
        found = _any(sheet, look, words, lambda text: has_phone(text, regions))
        if found[0]:
            return found
    count, row, judged, held = _judged(
        sheet, look, like & matches(cell, _MARKED_PHONE), partial(_phone_of, regions)
    )
    return (count, row) if _is_most(sheet, look, judged, held, 3) else (0, None)


def _phone_of(regions: tuple[str, ...], text: str) -> bool:
    return is_phone(text, regions)


def _identity_numbers(sheet: Sheet, look: Look) -> _Hit:
    """Any of a column that is named so, else only where most cells are one: one number in ten is by chance."""
    modules = identity_modules(sheet.release.consent.regions, sheet.release.people)
    if not modules or look.shape.longest < 8 or look.type in ("date", "datetime", "time", "boolean", "number"):
        return 0, None
    condition = matches(look.column.sql, _ID_LIKE, least=8) & at_most(look.column.sql, 22)
    count, row, judged, held = _judged(sheet, look, condition, lambda text: is_national_id(text, modules))
    named = look.identifier == ("national", True)
    return (count, row) if (named and held) or _is_most(sheet, look, judged, held, 5) else (0, None)


def _is_most(sheet: Sheet, look: Look, judged: int, held: int, least: int) -> bool:
    """Enough values of a column hold for it to be no chance."""
    share = sheet.release.threshold("majority") / 100
    known = min(look.shape.distinct, int(sheet.release.threshold("values")))
    return held >= least and held >= share * judged and judged >= share * known


def _named_in_texts(sheet: Sheet) -> Iterator[Finding]:
    """D04."""
    for look in sheet.looks if sheet.release.people and not sheet.is_key_list else ():
        told = look.cleared or look.role == "DIRECT_ID" or look.is_category or _named_so(sheet, look)
        if told or not look.is_text or look.shape.longest < 6:
            continue
        cell = look.column.sql
        for kind, pattern in text_patterns().items():
            count, row = sheet.table.count(holds_text(cell, " ") & matches(cell, pattern, least=6))
            if count:
                yield sheet.finding("CD539", look, row, count=count, kind=Phrase(f"identifier.{kind}"))


# Records


def _free_text(sheet: Sheet) -> Iterator[Finding]:
    """D05."""
    if not sheet.micro or sheet.release.did("REVIEWED_TEXT"):
        return
    limit, share = sheet.release.threshold("free-text-length"), sheet.release.threshold("free-text-distinct") / 100
    for look in sheet.looks:
        shape = look.shape
        wordy = shape.length > limit and shape.distinct > max(share * shape.filled, 1)
        spaced = shape.marks.get("spaces", 0) > shape.filled / 2
        free = look.is_text and not look.is_category and not look.cleared and wordy and spaced
        if shape.filled and (look.role == "FREE_TEXT" or free):
            yield sheet.finding("CD512", look)


def _near_unique(sheet: Sheet) -> Iterator[Finding]:
    """D06, and D16 for weights; a key that the schema declares is known to be one."""
    if not sheet.micro or sheet.table.rows < sheet.release.threshold("near-unique-rows"):
        return
    share, keys = sheet.release.threshold("near-unique") / 100, _declared_keys(sheet.table.resource)
    for look in sheet.looks:
        shape = look.shape
        # The quick count is right to a few per cent.
        if shape.filled < share * sheet.table.rows or shape.distinct < 0.85 * share * shape.filled:
            continue
        if sheet.table.distinct(look.column) < share * shape.filled:
            continue
        if look.role == "WEIGHT":
            yield sheet.finding("CD528", look)
        elif (
            look.role in ("", "NONE")
            and look.type != "number"
            and not look.cleared
            and look.column.name not in keys
        ):
            yield sheet.finding("CD513", look)


def _declared_keys(resource: Resource) -> frozenset[str]:
    """Columns that are alone a key by the schema."""
    schema = resource.schema or {}
    listed = schema.get("uniqueKeys")
    keys = [schema.get("primaryKey"), *(listed if isinstance(listed, list) else ())]
    flat = [[key] if isinstance(key, str) else key for key in keys]
    return frozenset(key[0] for key in flat if isinstance(key, list) and len(key) == 1 and isinstance(key[0], str))


def _alike(sheet: Sheet) -> Iterator[Finding]:
    """D07."""
    if not sheet.micro or not sheet.table.rows:
        return
    if not sheet.quasi:
        yield sheet.finding("CD516")
    else:
        groups = sheet.table.groups([look.column for look in sheet.quasi], sheet.release.k)
        if groups.small:
            params = {"k": groups.least, "wanted": sheet.release.k, "records": groups.records}
            share = Phrase("disclosure.share", {"percent": _percent(groups.unique, sheet.table.rows)})
            yield sheet.finding("CD514", None, groups.row, names=_named(sheet.quasi), unique=share, **params)
    for look in sheet.looks:
        if look.role == "NONE" and not look.cleared and (look.names("quasi") or look.names("age")):
            yield sheet.finding("CD515", look)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0"


def _secrets(sheet: Sheet) -> Iterator[Finding]:
    """D08: where a group of equal records shares one answer, the answer of each is known."""
    if not sheet.micro or not sheet.table.rows:
        return
    wanted = int(sheet.release.threshold("l-diversity"))
    keys = [look.column for look in sheet.quasi]
    for look in sheet.looks:
        if look.role == "SENSITIVE":
            groups = sheet.table.alike(keys, look.column, wanted)
            if groups.small:
                params = {"groups": groups.small, "records": groups.records, "wanted": wanted}
                yield sheet.finding("CD517", look, groups.row, **params)


def _likely(sheet: Sheet) -> Iterator[Finding]:
    """D08, t-closeness: asked once there are enough people in each group, with enough answers."""
    secrets = (
        [look for look in sheet.looks if look.role == "SENSITIVE"] if sheet.micro and sheet.table.rows else []
    )
    keys = [look.column for look in sheet.quasi]
    if not secrets or not keys or sheet.table.groups(keys, sheet.release.k).small:
        return
    for look in secrets:
        is_ordered = look.type in ("integer", "number") and not look.is_category
        wanted = sheet.release.threshold("t-closeness-ordered" if is_ordered else "t-closeness")
        if sheet.table.alike(keys, look.column, int(sheet.release.threshold("l-diversity"))).small:
            continue
        groups, most = sheet.table.closeness(keys, look.column, wanted / 100, is_ordered=is_ordered)
        if groups.small:
            params = {"groups": groups.small, "records": groups.records, "wanted": int(wanted)}
            yield sheet.finding("CD540", look, groups.row, percent=f"{100 * most:.0f}", **params)


def _order(sheet: Sheet) -> Iterator[Finding]:
    """D16: rows that equal values of a column keep together may follow each other as on a list.

    A column whose values all differ says by itself what its order says.
    """
    if not sheet.micro or sheet.table.rows < sheet.release.threshold("near-unique-rows"):
        return
    least = sheet.release.threshold("order-values")
    tells = [look for look in sheet.looks if look.role in ("QUASI_ID", "LOCATION", "SENSITIVE", "WEIGHT")]
    tells += [look for look in sheet.looks if look not in tells and look.type in _WHEN]
    found = [
        look
        for look in tells
        if not look.cleared
        and look.shape.distinct >= least
        and sheet.table.is_sorted(look.column)
        and least <= sheet.table.distinct(look.column) < look.shape.filled
    ]
    if found:
        yield sheet.finding("CD542", names=_named(found))


def _days(sheet: Sheet) -> Iterator[Finding]:
    """D13."""
    for look in sheet.looks if sheet.micro else ():
        if look.cleared or not look.shape.filled or look.type not in ("date", "datetime", "time", "string", "any"):
            continue
        count = look.shape.filled
        if look.type in ("string", "any"):
            if look.shape.longest < 8 or look.shape.longest > 40:
                continue
            count, _ = sheet.table.count(matches(look.column.sql, DAY, least=8))
        if count > look.shape.filled / 2:
            yield sheet.finding("CD525", look, count=count)


def _extremes(sheet: Sheet) -> Iterator[Finding]:
    """D14."""
    if not sheet.micro or sheet.release.did("TOP_CODED"):
        return
    for look in sheet.looks:
        if look.cleared or look.shape.numbers < look.shape.filled / 2 or not look.shape.filled:
            continue
        value = number(look.column)
        if look.names("age"):
            top_age = sheet.release.threshold("top-age")
            old = is_number(look.column, f"{{v}} >= {top_age}", partial(operator.le, top_age))
            count, row = sheet.table.count(old)
        elif look.role in ("QUASI_ID", "SENSITIVE") and look.type in ("integer", "number"):
            part = 1 - sheet.release.threshold("top-share") / 100
            top = f"(SELECT quantile_disc({value}, {part}) FROM {{t}})"  # noqa: S608  # our own names
            count, row = sheet.table.count(f"{value} > {top}")
            count = count if count < sheet.release.threshold("rare-category") else 0
        else:
            continue
        if count:
            yield sheet.finding("CD526", look, row, count=count)


def _rare(sheet: Sheet) -> Iterator[Finding]:
    """D15."""
    limit = int(sheet.release.threshold("rare-category"))
    for look in sheet.looks if sheet.micro else ():
        if look.role == "QUASI_ID" and look.shape.filled:
            groups = sheet.table.rare(look.column, limit)
            if groups.small:
                params = {"count": groups.small, "records": groups.records, "limit": limit}
                yield sheet.finding("CD527", look, groups.row, **params)


# Figures


def _small_cells(sheet: Sheet) -> Iterator[Finding]:
    """D09, and D18 for establishments; a cell of nobody tells of nobody (but see D10)."""
    limit = int(sheet.release.threshold("cell"))
    for look in sheet.looks:
        people = sheet.aggregate and _is_count(sheet, look, "people")
        bodies = not people and not sheet.micro and _is_count(sheet, look, "establishments")
        if not (people or bodies) or look.cleared:
            continue
        small = is_number(look.column, f"{{v}} > 0 AND {{v}} < {limit}", lambda value: 0 < value < limit)
        count, row = sheet.table.count(small)
        if count:
            yield sheet.finding("CD518" if people else "CD519", look, row, count=count, limit=limit)


def _is_count(sheet: Sheet, look: Look, kind: str) -> bool:
    """A column of whole numbers whose name, SDMX id or unit says that it counts people, or establishments."""
    if look.shape.numbers < look.shape.filled or not look.shape.filled or look.is_category:
        return False
    if look.type not in ("integer", "number", "string", "any"):
        return False
    ids = kind == "people" and (str(look.sdmx("id")).casefold(),) in column_words()["base-id"]
    units = kind == "people" and look.unit_is("unit")
    if not (ids or units or (look.names(kind) and not _is_share(look) and "per" not in look.words)):
        return False
    column = look.column.sql
    if column not in sheet.whole:
        parts = is_number(look.column, "{v} <> floor({v})", lambda value: not value.is_integer())
        sheet.whole[column] = sheet.table.count(parts)[0] == 0
    return sheet.whole[column]


def _is_share(look: Look) -> bool:
    return look.names("share") or look.unit_is("share-unit")


def _recoverable(sheet: Sheet) -> Iterator[Finding]:
    """D10: the one cell that is empty, where the total and all others are told."""
    if not sheet.aggregate:
        return
    keys = _dimensions(sheet)
    totals = {look.column.name: _total(look) for look in keys}
    for measure in sheet.looks:
        if measure.cleared or not _is_count(sheet, measure, "people") or measure.shape.filled == sheet.table.rows:
            continue
        for key in keys:
            others = ", ".join(other.column.sql for other in keys if other is not key) or "()"
            empty, total = f"{measure.column.sql} IS NULL", totals[key.column.name]
            inner = (
                f"SELECT count(*) FILTER ({total} AND NOT {empty}) AS known, "  # noqa: S608  # our own names
                f"count(*) FILTER (NOT {total} AND {empty}) AS hidden, "
                f"count(*) FILTER (NOT {total} AND NOT {empty}) AS shown, "
                f"min(row) FILTER (NOT {total} AND {empty}) AS first FROM {{t}} GROUP BY {others}"
            )
            ((count, row),) = sheet.table.ask(
                f"SELECT count(*), min(first) FROM ({inner}) WHERE known = 1 AND hidden = 1 AND shown > 0"  # noqa: S608
            ) or [(0, None)]
            if count:
                yield sheet.finding("CD520", measure, row, count=count, key=key.column.name)


def _differences(sheet: Sheet) -> Iterator[Finding]:
    """D24: what is left of a total without its parts; figures that were rounded differ by chance."""
    if not sheet.aggregate or any(map(sheet.release.did, ("ROUNDED", "NOISE"))):
        return
    limit, keys = int(sheet.release.threshold("cell")), _dimensions(sheet)
    measures = [look for look in sheet.looks if not look.cleared and _is_count(sheet, look, "people")]
    if not measures or not keys or not sheet.table.rows:
        return
    asked = ", ".join(f"bool_or({_total(key)})" for key in keys)
    ((*has_total,),) = sheet.table.ask(f"SELECT {asked} FROM {{t}}")  # noqa: S608  # our own names
    for measure in measures:
        for key in (key for key, has in zip(keys, has_total, strict=True) if has):
            ((count, row, least),) = sheet.table.ask(_rest(measure, key, keys, limit))
            # Where parts are more than their total anywhere, they overlap, and their sums say nothing.
            if count and least >= 0:
                yield sheet.finding("CD543", measure, row, count=count, key=key.column.name, limit=limit)


def _rest(measure: Look, key: Look, keys: Iterable[Look], limit: int) -> str:
    """A query for how many totals of a key are a little more than their parts, the first, and the least rest."""
    others = ", ".join(other.column.sql for other in keys if other is not key) or "()"
    value, total = number(measure.column), _total(key)
    inner = (
        f"SELECT sum({value}) FILTER ({total}) - sum({value}) FILTER (NOT {total}) AS rest, "  # noqa: S608
        f"count({value}) FILTER ({total}) AS known, min({ROW}) FILTER ({total}) AS first, "
        f"count(*) FILTER (NOT {total} AND {value} IS NULL) AS hidden FROM {{t}} GROUP BY {others}"
    )
    # A single cell that is empty is told of as such.
    small = f"known = 1 AND hidden <> 1 AND rest > 0 AND rest < {limit}"
    return (
        f"SELECT count(*) FILTER ({small}), min(first) FILTER ({small}), "  # noqa: S608  # our own names
        f"coalesce(min(rest) FILTER (known = 1), 0) FROM ({inner})"
    )


def _dominated(sheet: Sheet) -> Iterator[Finding]:
    """D11: of a sum of one or two, each can tell what the other gave, whatever the p of the p%-rule."""
    if sheet.micro or not any(look.names("sum") for look in sheet.looks):
        return
    limit = int(sheet.release.threshold("contributors"))
    if (base := _contributors(sheet)) is None:
        return
    for look in sheet.looks:
        if look.cleared or look is base or not look.names("sum") or _is_share(look) or not look.shape.filled:
            continue
        if look.shape.numbers < look.shape.filled or _is_any_count(sheet, look):
            continue
        few = f"{number(base.column)} > 0 AND {number(base.column)} < {limit}"
        count, row = sheet.table.count(f"{few} AND {look.column.sql} IS NOT NULL AND {number(look.column)} <> 0")
        if count:
            yield sheet.finding("CD541", look, row, count=count, base=base.column.name, limit=limit)


def _contributors(sheet: Sheet) -> Look | None:
    """The column that counts who contributes to a row, where there is one alone, or one that SDMX calls so."""
    found = [look for look in sheet.looks if not look.cleared and _is_any_count(sheet, look)]
    bases = [look for look in found if (str(look.sdmx("id")).casefold(),) in column_words()["base-id"]]
    return (bases or found)[0] if len(bases or found) == 1 else None


def _is_any_count(sheet: Sheet, look: Look) -> bool:
    people = sheet.aggregate and _is_count(sheet, look, "people")
    return people or _is_count(sheet, look, "establishments")


def _dimensions(sheet: Sheet) -> list[Look]:
    """Columns that say what a figure is about: by their SDMX role, else by the primary key, else by their type."""
    roles = [look for look in sheet.looks if look.sdmx("role") in ("dimension", "time")]
    key = (sheet.table.resource.schema or {}).get("primaryKey")
    names = [key] if isinstance(key, str) else key if isinstance(key, list) else []
    keyed = [look for look in sheet.looks if look.column.name in names]
    plain = [look for look in sheet.looks if look.type in ("string", "any", "year", "yearmonth", "date")]
    plain = [look for look in plain if not look.sdmx("role") and look.shape.numbers < look.shape.filled]
    return roles or keyed or plain


def _total(look: Look) -> str:
    words = ", ".join(f"'{' '.join(word)}'" for word in sorted(column_words()["total"]))
    return f"(lower(coalesce({look.column.sql}, '')) IN ({words}))"


def _group_disclosure(sheet: Sheet) -> Iterator[Finding]:
    """D10: everybody or nobody of a group."""
    for look in sheet.looks if sheet.aggregate else ():
        if look.cleared or not _is_share(look) or look.shape.numbers < look.shape.filled or not look.shape.filled:
            continue
        value = number(look.column)
        whole = f"(SELECT CASE WHEN max({value}) > 1 THEN 100 ELSE 1 END FROM {{t}})"  # noqa: S608
        count, row = sheet.table.count(f"{value} = 0 OR {value} = {whole}")
        if count:
            yield sheet.finding("CD522" if sheet.release.sensitive else "CD521", look, row, count=count)


# Places


def _places(sheet: Sheet) -> Iterator[Finding]:
    """D12."""
    pair = any(look.names("latitude") for look in sheet.looks) and any(
        look.names("longitude") for look in sheet.looks
    )
    for look in sheet.looks:
        if look.cleared or not look.shape.filled:
            continue
        # Figures about people may stand at public places; only a declared place of people is theirs.
        people = sheet.micro or (sheet.aggregate and look.role == "LOCATION")
        condition = _too_exact(look, sheet.release, "" if people else "-site", pair)
        count, row = sheet.table.count(condition) if condition else (0, None)
        if count:
            yield sheet.finding("CD523" if people else "CD524", look, row, count=count)


def _too_exact(look: Look, declared: Release, suffix: str, pair: bool) -> str | Condition:
    """A condition for the cells of a column that tell a place too exactly; empty where it tells none."""
    cell = look.column.sql
    # Far from towns few people live around a point.
    rural = not suffix and "RURAL_REMOTE" in declared.consent.codes("populationGroups")

    def allowed(name: str) -> int:
        return int(declared.threshold(name + suffix, strict=rural))

    mark = look.column.given.get("decimalChar", ".")
    sign = "," if mark == "," else "."
    fine = matches(cell, f"[{sign}][0-9]{{{allowed('decimals')}}}[0-9]*[1-9]")
    degrees = (look.names("latitude") or look.names("longitude")) and pair
    if (degrees or look.role == "LOCATION") and look.shape.numbers == look.shape.filled:
        return fine & is_number(look.column, "abs({v}) <= 180", lambda value: abs(value) <= 180)
    if look.type in ("geopoint", "geojson", "object", "array"):
        return fine if look.type.startswith("geo") or look.role == "LOCATION" else ""
    if look.names("easting") or look.names("northing"):
        value = number(look.column)
        return f"{value} % {allowed('metres')} <> 0"
    if not look.is_text or look.shape.numbers == look.shape.filled:
        return ""
    if look.names("geohash"):
        return matches(cell, f"^[0-9b-hjkmnp-z]{{{allowed('geohash') + 1},12}}$")
    positions = (matches(cell, _PAIR, least=7) | matches(cell, _SHAPE, least=8)) & fine
    if look.shape.longest < 7:
        return ""
    found = positions | matches(cell, _SECONDS, least=7)
    if not look.shape.marks.get("plus"):
        return found
    digits = f"length(replace(regexp_replace({cell}, '0+[+]', '+'), '+', ''))"
    return found | (matches(cell, _PLUS_CODE, least=9) & Condition(f"{digits} > {allowed('plus-code')}", cell))


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
            params = {"file": first_of(names, _MAX_NAMED), "kind": Phrase(f"disclosure.file.{wanted}")}
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


RULES: tuple[Rule, ...] = (
    _roles,
    _identifiers,
    _named_in_texts,
    _free_text,
    _near_unique,
    _alike,
    _secrets,
    _likely,
    _order,
    _days,
    _extremes,
    _rare,
    _small_cells,
    _recoverable,
    _differences,
    _dominated,
    _group_disclosure,
    _places,
)
"""The rules on one table, in order."""
FIGURES: tuple[Rule, ...] = (_small_cells, _recoverable, _differences, _dominated, _group_disclosure)
"""Those on figures."""
