"""One value of every kind of SDMX artefact, in three languages, with text that breaks careless writers."""

import datetime as dt

from cdmeta.sdmx.artefacts import (
    Agency,
    AgencyScheme,
    Annotation,
    Attribute,
    Code,
    Codelist,
    CodelistExtension,
    ComponentMap,
    Concept,
    ConceptScheme,
    CubeRegion,
    DataConstraint,
    Dataflow,
    DataStructure,
    DatePatternMap,
    Dimension,
    FixedValueMap,
    Group,
    Header,
    Measure,
    MetadataAttribute,
    MetadataAttributeUsage,
    Metadataflow,
    MetadataProviderScheme,
    MetadataProvisionAgreement,
    MetadataSet,
    MetadataStructure,
    ReportedAttribute,
    Representation,
    RepresentationMap,
    Structure,
    StructureMap,
    ValueList,
    ValueMapping,
)
from cdmeta.text import Text
from cdmeta.urn import Ref

AGENCY = "CDMETA.WARD"
QUOTES = 'Citizens\' "own" <data> & more; {braces} %s \\ backslash ]]> <!-- -->'
LINES = "one\ntwo\r\nthree\tfour  spaces"
RTL = "بيانات المواطنين \u202bمضمّن\u202c"
ASTRAL = "𝔘 🏥 \u0085 \u2028 e\u0301"
LONG = "ñandú " * 1700 + "."  # over 10 kB


def text(en: str, fr: str = "", ar: str = "") -> Text:
    return Text((("en", en), ("fr", fr or f"{en} (fr)"), ("ar", ar or f"{en} {RTL}")))


HOSTILE = {"quotes": QUOTES, "lines": LINES, "rtl": RTL, "astral": ASTRAL, "long": LONG}

AGENCIES = AgencyScheme("CDMETA", "AGENCIES", "1.0", text("Agencies"), agencies=(Agency("WARD", text("Ward 5")),))
PROVIDERS = MetadataProviderScheme(
    "CDMETA", "METADATA_PROVIDERS", "1.0", text("Providers"), providers=(Agency("WARD", text("Ward 5")),)
)
CL_ANSWER = Codelist(
    AGENCY,
    "CL_ANSWER",
    "1.0",
    text("Answers", "Réponses"),
    description=text(QUOTES, LINES),
    codes=(
        Code("_T", text("Total")),
        Code("YES", text("Yes", "Oui", "نعم"), text(LONG, ASTRAL), parent="_T"),
        Code("NO-1", text(QUOTES, ASTRAL), parent="_T"),
        Code("1@$", Text((("pt-BR", "Não"), ("zh-Hant-TW", "不")))),
        *(Code(f"H{number}", text(value)) for number, value in enumerate(HOSTILE.values())),
    ),
)
CL_AREA = Codelist(AGENCY, "CL_AREA", "1.0", text("Areas"), codes=(Code("KE", text("Kenya")),))
_CL_FREQ = Ref("Codelist", "SDMX", "CL_FREQ", "2.1")

CONCEPTS = ConceptScheme(
    AGENCY,
    "CS_WARD",
    "1.0",
    text("Concepts"),
    concepts=(
        Concept(
            "FREQ",
            text("Frequency"),
            representation=Representation(_CL_FREQ),
            same_as="urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SDMX:CROSS_DOMAIN_CONCEPTS(2.0).FREQ",
            matches=(
                ("close", "http://purl.org/dc/terms/accrualPeriodicity"),
                ("close", "https://example.org/#<&'"),
                ("broad", "https://example.org/#period"),
            ),
        ),
        Concept("ANSWER", text("Answer", QUOTES), text(LINES), Representation(CL_ANSWER.ref)),
        Concept("REF_AREA", text("Area"), representation=Representation(CL_AREA.ref)),
        Concept("TIME_PERIOD", text("Period"), representation=Representation(text_type="ObservationalTimePeriod")),
        Concept("OBS_VALUE", text("Value"), representation=Representation(text_type="Double")),
        Concept("AGE", text("Age"), representation=Representation(text_type="Integer")),
        Concept("NOTE", text("Note"), representation=Representation(text_type="String")),
        Concept("TITLE", text("Title"), representation=Representation(text_type="String")),
        Concept("CONTACT", text("Contact"), representation=Representation(text_type="String")),
        Concept("CONTACT_NAME", text("Name"), representation=Representation(text_type="String")),
        Concept("UPDATED", text("Updated"), representation=Representation(text_type="GregorianDay")),
    ),
)


def _concept(concept: str) -> Ref:
    return CONCEPTS.concept_ref(concept)


DSD = DataStructure(
    AGENCY,
    "DSD_WARD_ANSWERS",
    "1.0",
    text("Answers by area", QUOTES),
    description=text(LINES),
    dimensions=(
        Dimension("FREQ", _concept("FREQ"), Representation(_CL_FREQ), 1),
        Dimension("ANSWER", _concept("ANSWER"), Representation(CL_ANSWER.ref), 2),
        Dimension("REF_AREA", _concept("REF_AREA"), Representation(CL_AREA.ref), 3),
        Dimension(
            "TIME_PERIOD",
            _concept("TIME_PERIOD"),
            Representation(text_type="ObservationalTimePeriod"),
            4,
            is_time=True,
        ),
    ),
    measures=(
        Measure("OBS_VALUE", _concept("OBS_VALUE"), Representation(text_type="Double")),
        Measure(
            "AGE",
            _concept("AGE"),
            Representation(text_type="Integer", min_value="0", max_value="120"),
            mandatory=True,
        ),
    ),
    attributes=(
        Attribute("TITLE", _concept("TITLE"), Representation(max_length=200), "dataflow"),
        Attribute(
            "NOTE",
            _concept("NOTE"),
            Representation(min_length=2, max_length=50, pattern="[a-z]+ ?[a-z]*"),
            ("FREQ", "ANSWER", "REF_AREA"),
        ),
        Attribute(
            "OBS_STATUS",
            _concept("NOTE"),
            Representation(Ref("Codelist", "SDMX", "CL_OBS_STATUS", "2.3")),
            mandatory=True,
        ),
    ),
)
DATAFLOW = Dataflow(AGENCY, "DF_WARD_ANSWERS", "1.0", text("Answers"), description=text(ASTRAL), structure=DSD.ref)
MSD = MetadataStructure(
    AGENCY,
    "MSD_WARD",
    "1.0",
    text("Citizen data"),
    attributes=(
        MetadataAttribute("TITLE", _concept("TITLE"), Representation(), 1, 1),
        MetadataAttribute("ANSWER", _concept("ANSWER"), Representation(CL_ANSWER.ref), 0, None),
        MetadataAttribute("UPDATED", _concept("UPDATED"), Representation(text_type="GregorianDay"), 1, 3),
        MetadataAttribute(
            "CONTACT",
            _concept("CONTACT"),
            Representation(),
            2,
            None,
            presentational=True,
            children=(
                MetadataAttribute("CONTACT_NAME", _concept("CONTACT_NAME"), Representation(max_length=80), 0, 1),
            ),
        ),
    ),
)
FLOW = Metadataflow(
    AGENCY,
    "MDF_WARD",
    "1.0",
    text("Reports"),
    structure=MSD.ref,
    targets=("urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=*:*(*)",),
)
AGREEMENT = MetadataProvisionAgreement(
    AGENCY, "MPA_WARD", "1.0", text("Agreement"), metadataflow=FLOW.ref, provider=PROVIDERS.provider_ref("WARD")
)
STRUCTURES: tuple[Structure, ...] = (
    AGREEMENT,
    FLOW,
    MSD,
    DATAFLOW,
    DSD,
    CONCEPTS,
    CL_ANSWER,
    CL_AREA,
    PROVIDERS,
    AGENCIES,
)
"""All of them, deliberately in the wrong order."""
LISTS_OF_OTHERS = (
    Codelist("SDMX", "CL_FREQ", "2.1", text("Frequency"), codes=(Code("A", text("Annual")),)),
    Codelist("SDMX", "CL_OBS_STATUS", "2.3", text("Status"), codes=(Code("A", text("Normal")),)),
)
"""A code each of the lists that ours refer to."""
# What sdmx1 and pysdmx are known to read goes into a message of its own: `structures.xml` of a conversion.
DATA_STRUCTURES: tuple[Structure, ...] = (AGENCIES, CL_ANSWER, CL_AREA, CONCEPTS, DSD, DATAFLOW)

REPORT = MetadataSet(
    AGENCY,
    "MDS_WARD",
    "2.0.1",
    text("Report", QUOTES),
    description=text(LINES),
    metadataflow=FLOW.ref,
    targets=(DATAFLOW.urn, "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=CDMETA.WARD:OTHER(1.0)"),
    attributes=(
        ReportedAttribute("TITLE", text(QUOTES, LINES, RTL)),
        ReportedAttribute("ANSWER", "YES"),
        ReportedAttribute("ANSWER", "NO-1"),
        ReportedAttribute("UPDATED", "2026-02-03"),
        ReportedAttribute("LONG", text(LONG, ASTRAL)),
        ReportedAttribute("PLAIN", QUOTES),
        ReportedAttribute("OPEN", "true"),
        ReportedAttribute("COUNT", "412"),
        ReportedAttribute(
            "CONTACT",
            children=(
                ReportedAttribute("CONTACT_NAME", Text((("en", "Amina"),))),
                ReportedAttribute("CONTACT_NAME", Text((("en", "O'Brien"),))),
            ),
        ),
        ReportedAttribute("CONTACT", children=(ReportedAttribute("CONTACT_NAME", text("Zoë")),)),
    ),
    reporting_begin=dt.date(2025, 2, 1),
    reporting_end=dt.date(2025, 3, 15),
)
BARE = MetadataSet(
    AGENCY,
    "MDS_BARE",
    "1.0.0",
    Text((("en", "Bare"),)),
    metadataflow=FLOW.ref,
    targets=(DATAFLOW.urn,),
    attributes=(ReportedAttribute("TITLE", "Plain"),),
)
HEADER = Header("IDREF1", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), AGENCY)

# What SDMX 3.0 says beyond the above; a message of its own, because peers fail on parts of it.
NOTES = (
    Annotation("METADATA", MSD.urn, id="N1"),
    Annotation("NOTE", text=text(QUOTES, LINES)),
    Annotation(title=LINES),
    Annotation(id="BARE"),
)
VL_SIZE = ValueList(
    AGENCY,
    "VL_SIZE",
    "1.0",
    text("Sizes", QUOTES),
    description=text(ASTRAL),
    annotations=NOTES,
    codes=(Code("< 5", text("Small")), Code(QUOTES, text(LINES), text(RTL)), Code("5 – 10", Text())),
)
CL_WIDER = Codelist(
    AGENCY,
    "CL_WIDER",
    "1.0",
    text("More answers"),
    annotations=NOTES,
    codes=(Code("DK", text("Does not know")), Code("DK1", text("Really"), parent="DK")),
    is_partial=True,
    extensions=(
        CodelistExtension(CL_ANSWER.ref, "A_", ("YES", "1@$")),
        CodelistExtension(CL_AREA.ref, "B_", ("K%",), excluded=True),
        CodelistExtension(CL_AREA.ref),
    ),
)
WIDE = DataStructure(
    AGENCY,
    "DSD_WIDE",
    "1.0",
    text("Everything else", QUOTES),
    annotations=NOTES,
    dimensions=DSD.dimensions,
    measures=(
        Measure("OBS_VALUE", _concept("OBS_VALUE"), Representation(text_type="Decimal", decimals=2)),
        Measure("AGE", _concept("AGE"), Representation(text_type="Integer", max_occurs=3), mandatory=True),
        Measure("NOTE", _concept("NOTE"), Representation(VL_SIZE.ref, max_occurs=None)),
    ),
    attributes=(
        Attribute("TITLE", _concept("TITLE"), Representation(), ("ANSWER", "REF_AREA"), group="AREAS"),
        Attribute("CONTACT", _concept("CONTACT"), Representation(VL_SIZE.ref, max_occurs=None), mandatory=True),
        Attribute(
            "UPDATED", _concept("UPDATED"), Representation(text_type="GregorianDay"), measures=("AGE", "NOTE")
        ),
    ),
    groups=(Group("AREAS", ("ANSWER", "REF_AREA")), Group("SIBLING", ("ANSWER",))),
    metadata=MSD.ref,
    metadata_usages=(
        MetadataAttributeUsage("TITLE", "dataflow"),
        MetadataAttributeUsage("UPDATED", ("FREQ", "ANSWER")),
        MetadataAttributeUsage("ANSWER"),
        MetadataAttributeUsage("CONTACT", ("ANSWER",), "SIBLING"),
    ),
)
LINKED = DataStructure(
    AGENCY,
    "DSD_LINKED",
    "1.0",
    text("Without attributes of its own"),
    dimensions=DSD.dimensions[:1],
    measures=(),
    metadata=MSD.ref,
    metadata_usages=(MetadataAttributeUsage("TITLE", "dataflow"),),
)
WIDE_FLOW = Dataflow(AGENCY, "DF_WIDE", "1.0", text("Wide"), annotations=NOTES, structure=WIDE.ref)
ALLOWED = DataConstraint(
    AGENCY,
    "CC_WIDE",
    "1.0",
    text("What may be", QUOTES),
    annotations=NOTES,
    attached=(WIDE_FLOW.ref,),
    regions=(
        CubeRegion((("ANSWER", frozenset({"YES", "NO-1"})), ("TITLE", frozenset({QUOTES, "b"})))),
        CubeRegion((("REF_AREA", frozenset({"KE"})), ("CONTACT", frozenset())), included=False),
    ),
)
ACTUAL = DataConstraint(
    AGENCY,
    "CC_ACTUAL",
    "1.0",
    text("What there is"),
    allowed=False,
    attached=(DSD.ref, WIDE.ref),
    keys=(
        (True, (("ANSWER", "YES"), ("REF_AREA", "KE"))),
        (True, (("ANSWER", "NO-1"), ("TITLE", QUOTES))),
        (False, (("ANSWER", "1@$"),)),
    ),
)
LOOSE = DataConstraint(
    AGENCY, "CC_LOOSE", "1.0", text("On nothing"), regions=(CubeRegion((("ANYTHING", frozenset({"A"})),)),)
)
OF_PROVIDER = DataConstraint(
    AGENCY,
    "CC_PROVIDER",
    "1.0",
    text("Of a provider"),
    attached=(Ref("DataProvider", "CDMETA", "DATA_PROVIDERS", "1.0", "WARD"),),
)
ANSWER_MAP = RepresentationMap(
    AGENCY,
    "RM_ANSWER",
    "1.0",
    text("Answers", RTL),
    annotations=NOTES,
    sources=("String", VL_SIZE.ref),
    targets=(CL_ANSWER.ref, "Integer"),
    mappings=(
        ValueMapping((QUOTES, "< 5"), ("YES", "1")),
        ValueMapping((LINES, "5 – 10"), ("NO-1", "2")),
        ValueMapping(("nothing", "< 5"), ()),
    ),
)
ANSWERS_MAP = StructureMap(
    AGENCY,
    "SM_ANSWERS",
    "1.0",
    text("To the wide one"),
    annotations=NOTES,
    source=DATAFLOW.ref,
    target=WIDE_FLOW.ref,
    components=(
        ComponentMap(("NOTE", "TITLE"), ("ANSWER", "AGE"), ANSWER_MAP.ref),
        ComponentMap(("REF_AREA",), ("REF_AREA",)),
    ),
    fixed=(FixedValueMap("FREQ", ("A",)), FixedValueMap("CONTACT", (QUOTES, "b"))),
    dates=(
        DatePatternMap("NOTE", "TIME_PERIOD", "dd/MM/yyyy"),
        DatePatternMap("T", "TIME_PERIOD", "MMM yy", "es", "M"),
    ),
)
MORE: tuple[Structure, ...] = (
    ANSWERS_MAP,
    ANSWER_MAP,
    ALLOWED,
    LOOSE,
    OF_PROVIDER,
    WIDE_FLOW,
    WIDE,
    LINKED,
    CL_WIDER,
    VL_SIZE,
)
"""What SDMX 3.0 and 3.1 say beyond `STRUCTURES`; `ACTUAL` is for 3.0 alone."""

XHTML = Text(
    (("en", "<p>A <b>b</b><i>c</i> &amp; &lt;</p><ul><li>é</li><li/></ul>"), ("ar", f"text <em>{RTL}</em>!"))
)
MARKED_UP = MetadataSet(
    AGENCY,
    "MDS_MARKED_UP",
    "1.0.0",
    text("Marked up"),
    annotations=NOTES,
    metadataflow=FLOW.ref,
    targets=(DATAFLOW.urn,),
    attributes=(
        ReportedAttribute("TITLE", XHTML, structured=True),
        ReportedAttribute("CONTACT", children=(ReportedAttribute("CONTACT_NAME", XHTML, structured=True),)),
        ReportedAttribute("ANSWER", "YES", children=(ReportedAttribute("WHY", text(QUOTES)),)),
    ),
)
