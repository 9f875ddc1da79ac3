"""The profile exported as SDMX-ML 3.0: valid by the official schemas, and whole when others read it.

The tests run on the profile in three languages, two of them made up here from the English words, so that they hold
for every text whatever the translations at hand.
"""

import datetime as dt
import re
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import languages
import pysdmx
import pysdmx.io
import pytest
import sdmx
from lxml import etree
from pysdmx.errors import NotFound
from sdmx.exceptions import XMLParseError
from sdmx_reading import structures_from_ml
from test_interop import all_languages, annotations, same_codes, same_metadata_attributes, same_sdmx1_attributes

from cdmeta import profile
from cdmeta.formats import oracle
from cdmeta.sdmx import profile_artefacts
from cdmeta.sdmx.artefacts import Codelist, ConceptScheme, Metadataflow, MetadataStructure, Structure
from cdmeta.text import Text
from cdmeta.workflows.export import MARK, Request, export

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
PARTS = ("codelists", "concepts", "metadata-structure", "metadataflow")
DSD_IDS = {
    "FREQ", "REF_AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS", "CONF_STATUS",
    "DECIMALS", "SEX", "AGE", "TITLE", "CURRENCY", "COMMENT_OBS", "EMBARGO_TIME",
}  # fmt: skip


class Exported(NamedTuple):
    messages: dict[str, bytes]
    ours: dict[str, list[Structure]]


def made_up(folder: Path) -> None:
    """Two translations of everything: the English words, marked."""
    for language in ("es", "fr"):
        for file, (_, columns) in profile.TRANSLATED.items():
            english = profile.words(file)
            rows = {
                key: {name: f"{language}: {words[name]}" for name in columns if name in words}
                for key, words in english.items()
            }
            languages.write(folder / language, file, rows)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("export")
    made_up(folder / "locales")
    with languages.using(folder / "locales"):
        files = export("sdmx-ml-3.0", folder / "out", Request("en", NOW))
        ours: dict[str, list[Structure]] = {
            "codelists": list(profile_artefacts.codelists()),
            "concepts": [profile_artefacts.concept_scheme()],
            "metadata-structure": [profile_artefacts.metadata_structure()],
            "metadataflow": [profile_artefacts.metadataflow()],
        }
    assert files == tuple(sorted([MARK, *(f"{name}.xml" for name in PARTS)]))
    return Exported({name: (folder / "out" / f"{name}.xml").read_bytes() for name in PARTS}, ours)


# --- by the official schemas, and by lxml alone


@pytest.mark.parametrize("name", PARTS)
def test_each_message_of_the_profile_is_valid_and_read_back_value_by_value(exported: Exported, name: str) -> None:
    assert oracle.problems(exported.messages[name], "sdmx-ml-3.0") == ()
    assert structures_from_ml(exported.messages[name]) == exported.ours[name]


def test_every_text_is_there_in_three_languages(exported: Exported) -> None:
    """Counted in the bytes: as many names in one language as in another."""
    for name in PARTS:
        tree = etree.fromstring(exported.messages[name])
        lang = "{http://www.w3.org/XML/1998/namespace}lang"
        texts = [node for node in tree.iter() if etree.QName(node).localname in ("Name", "Description")]
        counts = {tag: sum(node.get(lang) == tag for node in texts) for tag in ("en", "es", "fr")}
        assert len(set(counts.values())) == 1
        assert sum(counts.values()) == len(texts) > 0
        english = [node.text for node in texts if node.get(lang) == "en"]
        assert [node.text for node in texts if node.get(lang) == "es"] == [f"es: {text}" for text in english]


def test_cardinalities_of_all_tiers_stand_in_the_message(exported: Exported) -> None:
    """Read with XPath alone: core is mandatory, all else is not; what repeats is unbounded."""
    tree = etree.fromstring(exported.messages["metadata-structure"])
    found = {
        node.get("id"): (node.get("minOccurs"), node.get("maxOccurs"))
        for node in tree.iterfind(".//{*}MetadataAttribute")
    }
    fields = [entry for entry in profile.load().fields.values() if entry.concept]
    assert {entry.tier for entry in fields} == {"core", "conditional", "recommended", "full", "tool"}
    assert found == {
        entry.concept: ("1" if entry.tier == "core" else "0", "unbounded" if entry.repeats else "1")
        for entry in fields
    }


def test_the_header_of_a_draft_says_so(exported: Exported) -> None:
    for name in PARTS:
        tree = etree.fromstring(exported.messages[name])
        assert tree.findtext("{*}Header/{*}Test") == "true"
        assert tree.findtext("{*}Header/{*}Prepared") == "2026-03-02T10:00:00+00:00"
    for name in PARTS[1:]:
        (artefact,) = exported.ours[name]
        assert artefact.description.as_dict()["en"].startswith("Draft:")


def test_no_attribute_is_a_component_of_a_data_structure(exported: Exported) -> None:
    """MSD ∩ DSD = ∅ at the top, because dissemination systems put both side by side."""
    tree = etree.fromstring(exported.messages["metadata-structure"])
    top = {node.get("id") for node in tree.iterfind(".//{*}MetadataAttributeList/{*}MetadataAttribute")}
    assert len(top) > 100
    assert not top & DSD_IDS


# --- by pysdmx and sdmx1


def first(text: Text) -> str | None:
    return text.entries[0][1] if text else None


def by_sdmx1(message: bytes) -> Any:
    return sdmx.read_sdmx(BytesIO(message))


def by_pysdmx(message: bytes) -> Any:
    return pysdmx.io.read_sdmx(BytesIO(message), validate=True).structures


def test_pysdmx_reads_the_code_lists_of_the_profile_in_one_language(exported: Exported) -> None:
    read = {each.id: each for each in by_pysdmx(exported.messages["codelists"])}
    assert len(read) == len(exported.ours["codelists"])
    for ours in exported.ours["codelists"]:
        assert isinstance(ours, Codelist)
        assert (read[ours.id].name, read[ours.id].description) == (first(ours.name), first(ours.description))
        assert [(code.id, code.name, code.description) for code in read[ours.id]] == [
            (code.id, first(code.name), first(code.description)) for code in ours.codes
        ]
    assert "es: " not in repr(read)


def test_pysdmx_reads_the_concepts_of_the_profile_in_one_language(exported: Exported) -> None:
    (read,) = by_pysdmx(exported.messages["concepts"])
    (ours,) = exported.ours["concepts"]
    assert isinstance(ours, ConceptScheme)
    assert [(each.id, each.name, each.description) for each in read.concepts] == [
        (each.id, first(each.name), first(each.description)) for each in ours.concepts
    ]
    for concept, own in zip(read.concepts, ours.concepts, strict=True):
        assert [(note.type, note.title) for note in concept.annotations] == annotations(own)
    assert "es: " not in repr(read)


def test_pysdmx_reads_the_metadata_structure_of_the_profile_but_not_what_is_mandatory(exported: Exported) -> None:
    (read,) = by_pysdmx(exported.messages["metadata-structure"])
    (ours,) = exported.ours["metadata-structure"]
    assert isinstance(ours, MetadataStructure)
    assert (read.id, read.name) == (ours.id, first(ours.name))
    same_metadata_attributes(read.components, ours.attributes)


def test_pysdmx_reads_the_metadataflow_of_the_profile(exported: Exported) -> None:
    (read,) = by_pysdmx(exported.messages["metadataflow"])
    (ours,) = exported.ours["metadataflow"]
    assert isinstance(ours, Metadataflow)
    assert (read.id, read.name, tuple(read.targets)) == (ours.id, first(ours.name), ours.targets)


def test_pysdmx_fails_on_the_profile_in_one_message(exported: Exported) -> None:
    """Which is why each kind is a message of its own: it looks for CL_FREQ of SDMX among our code lists."""
    from cdmeta.formats import sdmx_ml
    from cdmeta.sdmx.artefacts import Header

    together = [*exported.ours["codelists"], *exported.ours["concepts"]]
    message = sdmx_ml.structures(together, Header("X", NOW, "CDMETA"))
    told = "Not found: Could not find an artefact matching the following URN: Codelist=SDMX:CL_FREQ(2.1). "
    with pytest.raises(NotFound, match=f"^{re.escape(told)}"):
        by_pysdmx(message)


def test_sdmx1_reads_the_code_lists_of_the_profile_with_all_languages_and_parents(exported: Exported) -> None:
    message = by_sdmx1(exported.messages["codelists"])
    for ours in exported.ours["codelists"]:
        assert isinstance(ours, Codelist)
        read = message.codelist[ours.id]
        same_codes(read, ours)
        for code in ours.codes:
            assert getattr(read[code.id].parent, "id", None) == (code.parent or ours.id)


def test_sdmx1_reads_the_concepts_of_the_profile_with_all_languages(exported: Exported) -> None:
    (ours,) = exported.ours["concepts"]
    assert isinstance(ours, ConceptScheme)
    read = by_sdmx1(exported.messages["concepts"]).concept_scheme[ours.id]
    assert [each.id for each in read] == [each.id for each in ours.concepts]
    for own in ours.concepts:
        all_languages(read[own.id].name, own.name)
        all_languages(read[own.id].description, own.description)
        assert [(note.type, note.title) for note in read[own.id].annotations] == annotations(own)


def test_sdmx1_reads_the_metadata_structure_of_the_profile_with_all_cardinalities(exported: Exported) -> None:
    (ours,) = exported.ours["metadata-structure"]
    assert isinstance(ours, MetadataStructure)
    read = by_sdmx1(exported.messages["metadata-structure"]).metadatastructure[ours.id]
    all_languages(read.name, ours.name)
    all_languages(read.description, ours.description)
    same_sdmx1_attributes([each for each in read.attributes.components if each.parent is None], ours.attributes)


def test_sdmx1_fails_on_the_metadataflow_of_the_profile(exported: Exported) -> None:
    with pytest.raises(XMLParseError) as caught:
        sdmx.read_sdmx(BytesIO(exported.messages["metadataflow"]))
    assert str(caught.value) == "KeyError: 'Structure'"


def test_an_address_is_a_string_because_sdmx1_fails_on_uri(exported: Exported) -> None:
    assert b'"URI"' not in b"".join(exported.messages.values())
    message = exported.messages["concepts"]
    concept = message[message.index(b'id="CONFORMS_TO"') : message.index(b'id="META_LANGUAGE"')]
    assert concept.count(b'textType="String"') == 1
    changed = message.replace(concept, concept.replace(b'"String"', b'"URI"'))
    assert oracle.problems(changed, "sdmx-ml-3.0") == ()
    with pytest.raises(XMLParseError) as caught:
        sdmx.read_sdmx(BytesIO(changed))
    assert str(caught.value) == "KeyError: 'Uri'"


def test_the_translations_at_hand_are_all_in_the_messages(tmp_path: Path) -> None:
    """With the true Spanish and French: every name and description is there, and hardly one is the English."""
    export("sdmx-ml-3.0", tmp_path / "out", Request("en", NOW))
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    for name in PARTS:
        tree = etree.parse(tmp_path / "out" / f"{name}.xml")
        texts = [node for node in tree.iter() if etree.QName(node).localname in ("Name", "Description")]
        by_tag = {tag: [node.text for node in texts if node.get(lang) == tag] for tag in ("en", "es", "fr")}
        assert sum(map(len, by_tag.values())) == len(texts)
        for tag in ("es", "fr"):
            assert len(by_tag[tag]) == len(by_tag["en"]) > 0
            same = sum(one == other for one, other in zip(by_tag[tag], by_tag["en"], strict=True))
            assert same <= len(texts) / 20
