"""Observations of a data structure → a table of a package: its fields, its code tables, and the query of its rows.

What the descriptor says is what `components.py` and `codes.py` read from one. Types and facets are written only as
far as the rows hold them, so that the table is valid; what does not hold, and what a table cannot say, is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from cdmeta.components import MISSING, PROVENANCE
from cdmeta.phrase import Phrase
from cdmeta.sdmx.answers import put_text
from cdmeta.sdmx.artefacts import (
    Attribute,
    Code,
    DataStructure,
    Dimension,
    Measure,
    Representation,
    ValueList,
)
from cdmeta.sdmx.own import NO_UNIT
from cdmeta.sdmx.own_flows import OwnFlow, is_figure, own_flow, told_of
from cdmeta.sdmx.store import Store
from cdmeta.sdmx.values import INTEGER, ITEM, NUMBER, frequency_of, some, values_in
from cdmeta.tables.engine import Session, identifier, literal
from cdmeta.tables.patterns import PatternTooLargeError, matcher
from cdmeta.text import NO_TEXT
from cdmeta.urn import Ref, is_concept_id, to_concept_id

MAX_CATEGORIES = 500
"""A list of more codes is a table of its own."""
TEXTS: Mapping[str, str] = {"Q": "suppressed", "L": "not-collected", "M": "not-applicable", "H": "holiday"}
"""What stands in a cell for a figure that is missing, by its code in SDMX:CL_OBS_STATUS; for others, nothing."""

_TYPES = {
    **dict.fromkeys(("Integer", "BigInteger", "Long", "Short", "Count"), "integer"),
    **dict.fromkeys(("Decimal", "Double", "Float", "Incremental"), "number"),
    **dict.fromkeys(("InclusiveValueRange", "ExclusiveValueRange", "Numeric"), "number"),
    "Boolean": "boolean",
    "GregorianDay": "date",
    "GregorianYear": "year",
    "GregorianYearMonth": "yearmonth",
}
_FORMS = {
    "integer": INTEGER,
    "number": rf"{NUMBER}|NaN|-?INF",
    "boolean": "true|false|1|0",
    "year": "[0-9]{4}",
    "yearmonth": "[0-9]{4}-(0[1-9]|1[0-2])",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_MAX_PATTERNS = 100_000
_DELIMITERS = (";", ",", "|")
_ITEMS = ("integer", "number", "boolean")

Component = Dimension | Measure | Attribute


@dataclass(frozen=True)
class Source:
    """Rows of a data structure in a session.

    Attributes:
        view: a table or view with `row`, and a column of text for each component found.
        components: which those are.
        multiple: those among them whose cells are JSON arrays.
        rows: how many there are.
    """

    view: str
    components: tuple[str, ...]
    multiple: frozenset[str]
    rows: int


@dataclass(frozen=True)
class Tabular:
    """A table of a package.

    Attributes:
        schema: its Table Schema.
        columns: pairs of the name of a column, and SQL of its cells over the view of its source.
        answers: members of `citizenData` that the data themselves tell.
        notes: what could not be kept, or is not as the structure says.
    """

    schema: Mapping[str, Any]
    columns: tuple[tuple[str, str], ...]
    answers: Mapping[str, Any]
    notes: tuple[Phrase, ...]


@dataclass
class CodeTables:
    """Lists of many codes that become tables of their own, shared by all columns that use them."""

    lists: dict[str, dict[str, Code]] = field(default_factory=dict)
    _names: dict[Ref, str] = field(default_factory=dict)

    def name(self, ref: Ref, codes: Iterable[Code]) -> str:
        """The name of the table of a list, which is made where there is none yet."""
        if ref not in self._names:
            name = start = re.sub(r"[^a-z0-9]+", "-", ref.id.lower()).strip("-") or "codes"
            number = 1
            while name in self.lists:
                number += 1
                name = f"{start}-{number}"
            self._names[ref] = name
            self.lists[name] = {code.id: code for code in codes}
        return self._names[ref]


def tabular(
    session: Session,
    structure: DataStructure,
    source: Source,
    store: Store,
    tables: CodeTables,
    *,
    language: str,
    normal: str = "A",
) -> Tabular:
    """The table that observations become.

    Args:
        session: where they are.
        structure: their data structure.
        source: their rows, each with all dimensions that `source` has, no key twice.
        store: artefacts at hand.
        tables: takes lists of many codes.
        language: of the plain texts of the descriptor.
        normal: the status that a figure has by itself (`A`, or `V` where nobody validated the data).
    """
    return _Builder(session, structure, source, store, tables, language, normal).build()


class _Builder:
    """Makes one table; what it cannot keep becomes a note."""

    def __init__(
        self,
        session: Session,
        structure: DataStructure,
        source: Source,
        store: Store,
        tables: CodeTables,
        language: str,
        normal: str,
    ) -> None:
        self._session, self._structure, self._source = session, structure, source
        self._store, self._tables = store, tables
        self._language, self._normal = language, normal
        self._own = own_flow(structure)
        self._notes: list[Phrase] = []
        self._answers: dict[str, Any] = {}
        self._measures: dict[str, dict[str, Any]] = {part.id: {} for part in structure.measures}
        self._words: dict[str, str] = {}
        self._keys: list[dict[str, Any]] = []
        self._empty: list[str] = []

    def build(self) -> Tabular:
        dropped = set(self._derived(self._own)) if self._own else set()
        parts = [part for part in self._structure.components if part.id not in dropped and self._is_kept(part)]
        if self._empty:
            self._note("empty", count=len(self._empty), names=", ".join(self._empty))
        key = [part.id for part in parts if isinstance(part, Dimension)]
        fields = [self._field(part, key) for part in parts]
        columns = [(part.id, self._cell(part)) for part in parts]
        known = {part.id for part in self._structure.components}
        for id_ in self._source.components:
            if id_ not in known:
                self._note("unknown", name=id_)
                kind = "array" if id_ in self._source.multiple else "string"
                fields.append({"name": id_, "type": kind, "sdmx": {"role": "attribute"}})
                columns.append((id_, _value(id_)))
        schema: dict[str, Any] = {"primaryKey": key} if key else {}
        if self._keys:
            schema["foreignKeys"] = self._keys
        schema |= {"missingValues": [""], "fields": fields}
        return Tabular(schema, tuple(columns), self._answers, tuple(self._notes))

    def _note(self, key: str, **params: Any) -> None:
        self._notes.append(Phrase(f"import.note.{key}", {"table": self._structure.id, **params}))

    def _has(self, id_: str) -> bool:
        return id_ in self._source.components

    def _is_kept(self, part: Component) -> bool:
        """Measures are; the others where they have a value, or are part of a structure of ours."""
        if self._has(part.id) or isinstance(part, Measure):
            return True
        if isinstance(part, Dimension):
            if self._source.rows:
                self._note("dimension", name=part.id)
                return False
            return True
        if self._own is not None:
            return part.id not in self._own.added
        if self._source.rows:
            self._empty.append(part.id)
            return False
        return True

    # What follows from the rest

    def _derived(self, own: OwnFlow) -> Iterator[str]:
        """Components of a structure of ours that are no columns, with what they say put where it belongs."""
        if (time := self._structure.time) is not None and self._has("FREQ") and self._has(time.id):
            if not self._count(f"{_value('FREQ')} IS DISTINCT FROM {frequency_of(_value(time.id))}"):
                yield "FREQ"
        elif not self._source.rows:
            yield "FREQ"
        for part in self._structure.attributes:
            if part.id not in own.added:
                continue
            kind, measures = told_of(self._structure, part.id)
            if kind in ("OBS_STATUS", "CONF_STATUS"):
                done = self._is_status(part.id, kind, measures)
            else:
                done = self._is_constant(part, kind, measures)
            if done:
                yield part.id

    def _is_constant(self, part: Attribute, kind: str, measures: Sequence[str]) -> bool:
        """Take what is the same for all observations; False where it is not."""
        values = self._distinct(part.id)
        if len(values) > 1:
            return False
        if not values and self._source.rows == 0 and kind == "UNIT_MEASURE":
            codes = self._codes(part)
            values = [codes[0].id] if len(codes) == 1 else []
        for value in values:
            if kind in PROVENANCE:
                self._provenance(kind, value)
            for measure in measures if kind not in PROVENANCE else ():
                self._of_measure(measure, kind, value, part)
        if not values and kind not in PROVENANCE and kind != "UNIT_MULT":
            self._note("constant", name=part.id)
        return True

    def _provenance(self, kind: str, value: str) -> None:
        if kind != "CD_STATUS_ATT" and value != "_U":
            name = PROVENANCE[kind].rpartition(".")[2]
            self._answers[name] = [value] if kind == "CONSENT_BASIS_ATT" else value

    def _of_measure(self, measure: str, kind: str, value: str, part: Attribute) -> None:
        said = self._measures[measure]
        if kind == "UNIT_MEASURE" and value != NO_UNIT:
            name = next((code.name for code in self._codes(part) if code.id == value), NO_TEXT)
            plain = {text for _, text in name} <= {value}
            said["unit"] = value if plain else {"code": value, "name": name.as_dict()}
        elif kind in ("UNIT_MULT", "DECIMALS") and re.fullmatch("-?[0-9]{1,2}", value):
            said["unitMult" if kind == "UNIT_MULT" else "decimals"] = int(value)

    def _is_status(self, id_: str, kind: str, measures: Sequence[str]) -> bool:
        """Tell whether a status follows from the figure, and from what stands in its cell where it is missing."""
        (measure,) = measures if len(measures) == 1 else (None,)
        if measure is None:
            return False
        figure = _value(measure) if self._has(measure) else "NULL"
        if kind == "CONF_STATUS":
            status = next((s for s in (f"OBS_STATUS_{measure}", "OBS_STATUS") if self._has(s)), None)
            self._words.setdefault(measure, "")
            self._measures[measure].setdefault("statuses", {}).update({TEXTS["Q"]: "Q"})
            if not self._has(id_):
                return True
            hidden = f"{_value(status)} IS NOT DISTINCT FROM 'Q'" if status else "FALSE"
            return not self._count(f"{_value(id_)} IS DISTINCT FROM CASE WHEN {hidden} THEN 'C' ELSE 'F' END")
        if not self._has(id_):
            return True
        missing = ", ".join(map(literal, MISSING))
        status = _value(id_)
        good = (
            f"CASE WHEN {figure} IS NULL THEN {status} IN ({missing}) ELSE {status} = {literal(self._normal)} END"
        )
        if self._count(f"NOT coalesce({good}, FALSE)"):
            return False
        found = [code for code in self._distinct(id_, limit=len(MISSING) + 2) if code in TEXTS]
        if found:
            self._measures[measure].setdefault("statuses", {}).update({TEXTS[code]: code for code in found})
            cases = " ".join(f"WHEN {literal(code)} THEN {literal(TEXTS[code])}" for code in found)
            self._words[measure] = f"CASE WHEN {figure} IS NULL THEN CASE {status} {cases} END ELSE {figure} END"
        return True

    # Columns

    def _cell(self, part: Component) -> str:
        if self._words.get(part.id):
            return self._words[part.id]
        if self._is_list(part) and (delimiter := self._delimiter(part)):
            return f"nullif(array_to_string({values_in(self._values(part))}, {literal(delimiter)}), '')"
        return _value(part.id) if self._has(part.id) else "NULL::VARCHAR"

    def _field(self, part: Component, key: Sequence[str]) -> dict[str, Any]:
        representation = self._store.representation(part)
        codes = self._codes(part)
        is_list = self._is_list(part)
        delimiter = self._delimiter(part) if is_list else None
        made: dict[str, Any] = {"name": part.id, "type": "array" if is_list else "string"}
        if delimiter:
            made |= self._list(part, representation, delimiter)
        elif is_list:
            self._note("several", name=part.id)
        concept = self._store.concept(part.concept)
        if concept is not None:
            put_text(made, "title", concept.name, self._language)
            put_text(made, "description", concept.description, self._language)
        sdmx = self._component(part, key)
        if representation.codelist is not None and not is_list:
            self._listed(part, representation.codelist, codes, made, sdmx)
        elif delimiter and representation.codelist is not None:
            self._refer(sdmx, "codelist", representation.codelist)
        elif not is_list:
            self._typed(part, representation, made)
        if statuses := sdmx.get("statuses"):
            made["missingValues"] = ["", *statuses]
        if isinstance(part, Attribute | Measure) and part.mandatory:
            self._require(part, made)
        return made | {"sdmx": sdmx}

    def _is_list(self, part: Component) -> bool:
        """Whether cells hold several values, or may."""
        many = self._store.representation(part).max_occurs != 1
        return part.id in self._source.multiple or (many and isinstance(part, Attribute))

    def _values(self, part: Component) -> str:
        """SQL of the values of a list, as a JSON array; one that stands alone is one of them."""
        if part.id in self._source.multiple:
            return identifier(part.id)
        value = _value(part.id) if self._has(part.id) else "NULL::VARCHAR"
        return f"CASE WHEN {value} IS NOT NULL THEN to_json([{value}])::VARCHAR END"

    def _delimiter(self, part: Component) -> str | None:
        """What stands in none of the values of an attribute, to be put between them; None where it is no list."""
        told = self._values(part)
        other = f"list_filter(from_json({told}, '[\"JSON\"]'), lambda j: json_type(j) <> 'VARCHAR')"
        if not isinstance(part, Attribute) or self._count(f"len({other}) > 0 OR {values_in(told)} = ['']"):
            return None
        held = ((sign, some(told, f"contains({ITEM}, {literal(sign)})")) for sign in _DELIMITERS)
        return next((sign for sign, condition in held if not self._count(condition)), None)

    def _list(self, part: Component, given: Representation, delimiter: str) -> dict[str, Any]:
        """The type of a column of several values; that of its items, where all of them have it."""
        kind = _TYPES.get(given.text_type, "string") if given.codelist is None else "string"
        form = literal(_FORMS.get(kind, ""))
        made = {"type": "list", "delimiter": delimiter}
        if kind in _ITEMS and not self._count(some(self._values(part), f"NOT regexp_full_match({ITEM}, {form})")):
            made["itemType"] = kind
        return made

    def _component(self, part: Component, key: Sequence[str]) -> dict[str, Any]:
        """The part of a column in SDMX."""
        role = "measure" if isinstance(part, Measure) else "attribute"
        if isinstance(part, Dimension):
            role = "time" if part.is_time else "dimension"
        sdmx: dict[str, Any] = {"role": role}
        if to_concept_id(part.id) != part.id and not is_figure(self._structure, part.id):
            if is_concept_id(part.id):
                sdmx["id"] = part.id
            else:
                self._note("id", name=part.id)
        if self._own is None or part.concept.id != f"CS_{self._own.package}":
            self._refer(sdmx, "concept", part.concept)
        elif part.id in self._own.added and part.id not in PROVENANCE:
            # As a column it would have a concept of its own, and not the one of all statuses.
            concept = self._store.concept(part.concept)
            same = Ref.parse(concept.same_as) if concept is not None else None
            self._refer(sdmx, "concept", same or part.concept)
        if isinstance(part, Measure):
            sdmx |= self._measures[part.id]
        if isinstance(part, Attribute):
            self._attach(part, sdmx, key)
        return sdmx

    def _attach(self, part: Attribute, sdmx: dict[str, Any], key: Sequence[str]) -> None:
        if part.attachment == "observation":
            return
        if part.attachment == "dataflow" or not part.attachment:
            sdmx["attachment"] = "dataset"
            return
        time = self._structure.time
        wanted = [id_ for id_ in part.attachment if id_ in key]
        if time is not None and time.id in wanted:
            self._note("attachment", name=part.id)
        elif set(part.attachment) == {other.id for other in self._structure.key}:
            sdmx["attachment"] = "series"
        else:
            sdmx["attachment"] = wanted or "dataset"

    def _refer(self, sdmx: dict[str, Any], member: str, ref: Ref) -> None:
        """Name an artefact by the version at hand; what a descriptor cannot name is told.

        What nobody maintains is not named: a message of data listed it for itself.
        """
        if not ref.agency:
            return
        found = self._store.get(ref)
        version = found.version if found is not None else ref.version
        kind = "Codelist" if member == "codelist" else ref.kind
        named = Ref(kind, ref.agency, ref.id, version, ref.item)
        if (
            (isinstance(found, ValueList) and kind == "Codelist")
            or not re.fullmatch("[0-9.]+", version)
            or Ref.parse(named.urn) is None
        ):
            self._note("reference", name=ref.id)
        else:
            item = f".{ref.item}" if ref.item else ""
            sdmx[member] = f"{ref.agency}:{ref.id}({version}){item}"

    # Codes

    def _codes(self, part: Component) -> tuple[Code, ...]:
        found = self._store.codelist(self._store.representation(part))
        return found.codes if found is not None else ()

    def _listed(
        self, part: Component, ref: Ref, codes: tuple[Code, ...], made: dict[str, Any], sdmx: dict[str, Any]
    ) -> None:
        """Codes as categories, or as a table; a list that is not ours is named as well."""
        is_ours = self._own is not None and ref.agency == self._structure.agency
        is_ours = is_ours and ref.id.startswith(f"CL_{self._own.package}_" if self._own else "")
        if not is_ours:
            self._refer(sdmx, "codelist", ref)
        if not codes:
            self._note("codelist", name=part.id, list=ref.id)
            return
        known = {code.id: code for code in codes}
        strange = self._outside(part.id, list(known))
        if strange:
            self._note("codes", name=part.id, count=len(strange), list=ref.id)
            known |= {value: Code(value, NO_TEXT) for value in strange}
        if len(known) <= MAX_CATEGORIES:
            made["categories"] = [_category(code, self._language, known) for code in known.values()]
            return
        name = self._tables.name(ref, known.values())
        self._tables.lists[name].update(known)
        self._keys.append({"fields": [part.id], "reference": {"resource": name, "fields": ["code"]}})

    def _outside(self, id_: str, known: list[str]) -> list[str]:
        if not self._has(id_):
            return []
        query = f"SELECT DISTINCT {_value(id_)} AS v FROM {self._source.view} WHERE v IS NOT NULL"  # noqa: S608
        query = f"SELECT v FROM ({query}) WHERE v NOT IN (SELECT unnest($1::VARCHAR[])) ORDER BY v"  # noqa: S608
        return [value for (value,) in self._session.connection.execute(query, [known]).fetchall()]

    # Types

    def _typed(self, part: Component, representation: Representation, made: dict[str, Any]) -> None:
        if isinstance(part, Dimension) and part.is_time:
            made["type"] = self._kind(part.id, ("year", "yearmonth", "date")) or "string"
            return
        wanted = _TYPES.get(representation.text_type, "string")
        if wanted == "string" and isinstance(part, Measure):
            made["type"] = self._kind(part.id, ("number",)) or "string"
        elif wanted != "string":
            broader = ("number",) if wanted == "integer" else ()
            made["type"] = self._kind(part.id, (wanted, *broader), default=wanted) or "string"
            if made["type"] != wanted:
                self._note("type", name=part.id, type=representation.text_type)
        if facets := dict(self._facets(part, representation, made["type"])):
            made["constraints"] = facets

    def _kind(self, id_: str, kinds: Sequence[str], default: str | None = None) -> str | None:
        """The first type that all values have."""
        if not self._has(id_) or not self._source.rows:
            return default or (kinds[0] if len(kinds) == 1 else None)
        for kind in kinds:
            bad = f"NOT regexp_full_match({_value(id_)}, {literal(_FORMS[kind])})"
            if kind == "date":
                bad += f" OR try_cast({_value(id_)} AS DATE) IS NULL"
            if not self._count(f"{_value(id_)} IS NOT NULL AND ({bad})"):
                return kind
        return None

    def _facets(self, part: Component, given: Representation, kind: str) -> Iterator[tuple[str, Any]]:
        """The facets that the rows keep; of those that they break it is told."""
        for name, value, broken in _bounds(_value(part.id), given, kind):
            if self._has(part.id) and (count := self._count(broken)):
                self._note("facet", name=part.id, facet=name, count=count)
            else:
                yield name, value
        if given.pattern and kind == "string":
            if self._fits(part.id, given.pattern):
                yield "pattern", given.pattern
            else:
                self._note("pattern", name=part.id)

    def _fits(self, id_: str, pattern: str) -> bool:
        """Tell whether a pattern is one of Table Schema's too, and all values keep it."""
        try:
            holds = matcher(pattern)
        except (re.error, OverflowError, RecursionError, PatternTooLargeError):
            return False
        if not self._has(id_):
            return True
        values = self._distinct(id_, limit=_MAX_PATTERNS + 1)
        return len(values) <= _MAX_PATTERNS and all(holds(value) for value in values)

    def _require(self, part: Component, made: dict[str, Any]) -> None:
        if self._has(part.id) and not self._count(f"{self._cell(part)} IS NULL"):
            made.setdefault("constraints", {})["required"] = True
        elif self._source.rows:
            self._note("required", name=part.id)
        else:
            made.setdefault("constraints", {})["required"] = True

    # Questions to the rows

    def _count(self, condition: str) -> int:
        query = f"SELECT count(*) FROM {self._source.view} WHERE {condition}"  # noqa: S608  # names quoted
        ((count,),) = self._session.connection.execute(query).fetchall()
        return int(count)

    def _distinct(self, id_: str, limit: int = 2) -> list[str]:
        if not self._has(id_):
            return []
        query = f"SELECT DISTINCT {_value(id_)} AS v FROM {self._source.view} WHERE v IS NOT NULL LIMIT {limit}"  # noqa: S608
        return [value for (value,) in self._session.connection.execute(query).fetchall()]


def _value(id_: str) -> str:
    """SQL of the value of a component; an empty text is none in a table."""
    return f"nullif({identifier(id_)}, '')"


def _bounds(sql: str, given: Representation, kind: str) -> Iterator[tuple[str, int | float, str]]:
    """The bounds of a column: the constraint, its value, and SQL of what breaks it."""
    if kind in ("integer", "number"):
        for name, text, sign in (("minimum", given.min_value, "<"), ("maximum", given.max_value, ">")):
            if (bound := _number(text)) is not None:
                yield name, bound, f"try_cast({sql} AS DOUBLE) {sign} CAST({literal(str(bound))} AS DOUBLE)"
    elif kind == "string":
        for name, length, sign in (("minLength", given.min_length, "<"), ("maxLength", given.max_length, ">")):
            if length is not None and length > 0:
                yield name, length, f"length({sql}) {sign} {length}"


def _category(code: Code, language: str, known: Mapping[str, Code]) -> dict[str, Any]:
    made: dict[str, Any] = {"value": code.id}
    put_text(made, "label", code.name, language)
    put_text(made, "description", code.description, language)
    return made | ({"parent": code.parent} if code.parent in known else {})


def _number(value: str | None) -> int | float | None:
    """A bound as JSON has it; None where it is none, or would not be the same number."""
    try:
        number = Decimal(value) if value is not None else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite():
        return None
    if number == number.to_integral_value():
        return int(number)
    return float(number) if Decimal(str(float(number))) == number else None
