"""What the decision of the Copenhagen Framework rests on: the answers about an initiative, as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TYPES = ("CIVIC_ACTION", "CIVIC_DRIVEN", "JOINT", "NSO_DRIVEN", "OTHER_DRIVEN", "NO_COLLAB")
"""CL_INITIATIVE_TYPE, ¶25(1) to (6)."""
LEVELS = ("NOT_INVOLVED", "L1", "L2", "L3", "L4", "L5")
"""CL_PARTICIPATION_LEVEL without `_Z` and `_U`; a level's place is its rank (Table 1)."""
NO_STAGE = "_Z"
CSOS = frozenset({"CSO_COMMUNITY", "CSO_LARGE"})
CIVIC = CSOS | {"CITIZENS", "COMMUNITY", "INDIGENOUS_BODY"}
STATE = frozenset({"NSO", "STATE_AGENCY"})
NO_LAY_COLLECTORS = frozenset({"SELF", "SENSOR", "OFFICIAL_STAFF", "PAID_ENUMERATOR", "RESEARCHER"})
"""Collectors who are no citizens taking part in collection."""

CIVIC_LED = frozenset({"CIVIC_ACTION", "CIVIC_DRIVEN"})
CITIZENS_AMONG = CIVIC_LED | {"JOINT"}
OTHER_LED = frozenset({"NSO_DRIVEN", "OTHER_DRIVEN"})
OTHERS = OTHER_LED | {"NO_COLLAB"}
ALONE = frozenset({"CIVIC_ACTION", "NO_COLLAB"})
"""Types that say by themselves that nobody else takes part."""
Codes = tuple[str | None, ...]


@dataclass(frozen=True)
class Answers:
    """The answers that the decision rests on; None is no answer, and so is a None inside a list.

    Attributes:
        type: code of CL_INITIATIVE_TYPE.
        initiators: kinds of the initiators, codes of CL_ACTOR_KIND.
        partners: kinds of the partners; an empty tuple says that there are none.
        design_objectives, design_partnerships, design_methods, design_access_use, collection, processing,
            dissemination, uptake, review: codes of CL_PARTICIPATION_LEVEL; `_Z`, the stage did not take place, for
            `design_partnerships` and the four stages behind `collection` only.
        tradition: code of CL_DATA_TRADITION.
        objectives: codes of CL_OBJECTIVE.
        collectors: codes of CL_COLLECTOR_TYPE.
        direct: the people concerned take part themselves.
        representation: the organisation adequately represents the groups concerned.
        regular: part of a regular census or survey of an NSO or other state agency.
        response: its main purpose in engaging citizens is the response rate or inclusiveness.
    """

    type: str | None = None
    initiators: Codes | None = None
    partners: Codes | None = None
    design_objectives: str | None = None
    design_partnerships: str | None = None
    design_methods: str | None = None
    design_access_use: str | None = None
    collection: str | None = None
    processing: str | None = None
    dissemination: str | None = None
    uptake: str | None = None
    review: str | None = None
    tradition: str | None = None
    objectives: Codes | None = None
    collectors: Codes | None = None
    direct: bool | None = None
    representation: bool | None = None
    regular: bool | None = None
    response: bool | None = None

    def known_levels(self) -> dict[str, int]:
        """The ranks of the levels that are known, by the name of their attribute, in the order of the stages."""
        codes = {name: getattr(self, name) for name in STAGES}
        return {name: LEVELS.index(code) for name, code in codes.items() if code in LEVELS}


DESIGN = ("design_objectives", "design_partnerships", "design_methods", "design_access_use")
LATER = ("processing", "dissemination", "uptake", "review")
STAGES = (*DESIGN, "collection", *LATER)
MAY_BE_LEFT_OUT = frozenset({"design_partnerships", *LATER})
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "type": "citizenData.initiativeType",
        "initiators": "citizenData.initiators[].kind",
        "partners": "citizenData.partners[].kind",
        "design_objectives": "citizenData.participation.designObjectives",
        "design_partnerships": "citizenData.participation.designPartnerships",
        "design_methods": "citizenData.participation.designMethods",
        "design_access_use": "citizenData.participation.designAccessUse",
        "collection": "citizenData.participation.collection",
        "processing": "citizenData.participation.processing",
        "dissemination": "citizenData.participation.dissemination",
        "uptake": "citizenData.participation.uptake",
        "review": "citizenData.participation.review",
        "tradition": "citizenData.dataTradition",
        "objectives": "citizenData.objectives",
        "collectors": "citizenData.collectorType",
        "direct": "citizenData.directInvolvement",
        "representation": "citizenData.representation.adequate",
        "regular": "citizenData.regularOfficial",
        "response": "citizenData.mainPurposeResponse",
    }
)
"""Where each answer stands in the descriptor."""
