"""Where the Framework is silent or contradicts itself: for each point one package, and what cdmeta says of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from rule_cases import BASE, merged

from cdmeta.phrase import folder, rows
from cdmeta.workflows.validate import validate

STAGES = ("designObjectives", "designPartnerships", "designMethods", "designAccessUse", "collection")
LATER = ("processing", "dissemination", "uptake", "review")
COMMUNITY = {"name": "A (made up)", "kind": "COMMUNITY"}
OFFICE = {"name": "B (made up)", "kind": "NSO"}
MINISTRY = {"name": "C (made up)", "kind": "STATE_AGENCY"}
UNIVERSITY = {"name": "D (made up)", "kind": "ACADEMIA"}
LARGE = {"name": "E (made up)", "kind": "CSO_LARGE"}


def levels(level: str, later: str = "L2", **more: str) -> dict[str, Any]:
    return {"participation": dict.fromkeys(STAGES, level) | dict.fromkeys(LATER, later) | more}


def by_others(*initiators: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = "NSO_DRIVEN" if OFFICE in initiators else "OTHER_DRIVEN"
    return {"initiativeType": kind, "initiators": list(initiators), "partners": [COMMUNITY]} | more


POINTS: dict[str, list[tuple[dict[str, Any], str, str, str]]] = {
    "E1": [
        (by_others(OFFICE, **levels("L2", collection="L4")), "ASSESS", "Y3", "CD202"),
        (by_others(UNIVERSITY, dataTradition="CITIZEN_SCIENCE", objectives=["SCIENCE"],
         collectorType=["VOLUNTEER"],
                   **levels("L2", collection="L4")), "CITIZEN_DATA", "Y2", ""),
    ],
    "E2": [
        (by_others(OFFICE, **levels("L4", collection="L2")), "CITIZEN_DATA", "Y1", ""),
        (by_others(OFFICE, **levels("L4", collection="L2", designMethods="L2")), "ASSESS", "Y4", "CD202"),
    ],
    "E3": [(by_others(OFFICE, **levels("L4", later="L5")), "CITIZEN_DATA", "Y1", "CD223")],
    "E4": [(levels("L4", later="L4"), "CITIZEN_DATA", "C1", "CD221")],
    "E5": [(levels("L3"), "ASSESS", "C2", "CD202")],
    "E6": [
        ({"initiators": [LARGE], "directInvolvement": True, "representation": {"adequate": False}},
         "ASSESS", "O1", "CD202"),
    ],
    "E7": [({"partners": [UNIVERSITY]}, "CITIZEN_DATA", "C1", "CD226")],
    "E8": [
        ({"initiativeType": "JOINT", "initiators": [COMMUNITY, UNIVERSITY], "partners": None} | levels("L4"),
         "CITIZEN_DATA", "C1", "CD227"),
    ],
    "E9": [
        (by_others(MINISTRY, **levels("L4")), "CITIZEN_DATA", "Y1", ""),
        (by_others(MINISTRY, **levels("L4")) | {"initiativeType": "NSO_DRIVEN"}, "CITIZEN_DATA", "Y1", "CD225"),
    ],
    "E10": [
        (by_others(UNIVERSITY, **levels("NOT_INVOLVED", designPartnerships="_Z", processing="L4")),
         "ASSESS", "S2", "CD202"),
    ],
    "E11": [
        ({"initiativeType": "NO_COLLAB", "initiators": [UNIVERSITY], "partners": None,
          "collectionMode": ["SOCIAL_MEDIA"]} | levels("NOT_INVOLVED", later="NOT_INVOLVED"),
         "NOT_CITIZEN_DATA", "N1", "CD203"),
    ],
    "E12": [(levels("L5", later="L5"), "CITIZEN_DATA", "C1", "")],
    "E13": [({}, "CITIZEN_DATA", "C1", "")],
    "E14": [({"personalDataCollected": "SENSITIVE", "releaseForm": "IDENTIFIABLE",
         "consentBasis": ["CONSENT_EXPLICIT"]},
             "CITIZEN_DATA", "C1", "CD305")],
    "E15": [
        ({"releaseForm": "IDENTIFIABLE"}, "CITIZEN_DATA", "C1", "CD305"),
        ({"objectives": ["AWARENESS"]}, "CITIZEN_DATA", "C1", ""),
    ],
    "E16": [
        (by_others(OFFICE, regularOfficial=True, mainPurposeResponse=True, **levels("L2")), "OUT_OF_SCOPE",
         "G1", "CD204"),
        (by_others(OFFICE, regularOfficial=True, **levels("L2")), "OUT_OF_SCOPE", "G4", "CD204"),
        (by_others(UNIVERSITY, **levels("NOT_INVOLVED", designPartnerships="_Z", processing="L3")),
         "OUT_OF_SCOPE", "S1", "CD204"),
    ],
}  # fmt: skip
"""Point → cases: answers that differ from the base package, the outcome, its rule, and a code of a finding,
         if any."""
CASES = [(point, *case) for point, cases in POINTS.items() for case in cases]


@pytest.mark.parametrize(("point", "answers", "outcome", "rule", "code"), CASES)
def test_what_is_said_of_an_open_point(
    point: str, answers: dict[str, Any], outcome: str, rule: str, code: str, tmp_path: Path
) -> None:
    base = json.loads((BASE / "datapackage.json").read_bytes())
    given = merged(base, {"citizenData": answers})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scores.csv").write_bytes((BASE / "data" / "scores.csv").read_bytes())
    (tmp_path / "datapackage.json").write_text(json.dumps(given), encoding="utf-8")
    report = validate(tmp_path)
    decision = report.decision or {}
    assert (decision["outcome"], decision["rule"]) == (outcome, rule), point
    of_the_case = {finding.code for finding in report.findings if finding.code[:3] in ("CD2", "CD3")}
    assert code in of_the_case if code else of_the_case <= {"CD221", "CD332"}


def test_every_open_point_has_its_case() -> None:
    assert list(POINTS) == [row["id"] for row in rows(folder().joinpath("open-points.csv"))]
