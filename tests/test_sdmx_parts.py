"""What a registry is given first never refers to what it is given later."""

import dataclasses
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from sdmx_everything import ACTUAL, CL_AREA, MORE, STRUCTURES

from cdmeta.sdmx.parts import PARTS, parts
from cdmeta.urn import Ref

ALL = (*MORE, *STRUCTURES, ACTUAL)


def refs(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield dataclasses.replace(value, item=None)
    elif isinstance(value, tuple):
        for part in value:
            yield from refs(part)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from refs(getattr(value, entry.name))


def test_everything_is_in_one_part_and_what_it_refers_to_in_none_behind() -> None:
    made = parts(ALL)
    assert [name for name, _ in made] == ["codelists", "concepts", "structures", "agreements"]
    assert sorted(entry.urn for _, chosen in made for entry in chosen) == sorted(entry.urn for entry in ALL)
    part_of = {entry.ref: number for number, (_, chosen) in enumerate(made) for entry in chosen}
    schemes = {"Concept": "ConceptScheme", "MetadataProvider": "MetadataProviderScheme"}
    looked_at = 0
    for number, (_, chosen) in enumerate(made):
        for entry in chosen:
            for ref in refs(entry):
                whole = dataclasses.replace(ref, kind=schemes.get(ref.kind, ref.kind))
                looked_at += whole in part_of
                assert part_of.get(whole, 0) <= number, (entry.urn, ref.urn)
    assert looked_at > 40


def test_a_structure_and_its_code_list_are_in_two_messages() -> None:
    place = {kind: number for number, (_, kinds) in enumerate(PARTS) for kind in kinds}
    assert place["Codelist"] < place["ConceptScheme"] < place["DataStructure"] < place["DataConstraint"]
    assert place["MetadataStructure"] < place["MetadataProvisionAgreement"]


def test_empty_parts_are_left_out_and_nothing_is_there_twice() -> None:
    assert parts((CL_AREA, CL_AREA)) == (("codelists", (CL_AREA,)),)
    assert parts(()) == ()
