"""The observations of the first example, made from its CSV without any of our code."""

import csv
from pathlib import Path


def satisfaction_rows(package: Path) -> list[dict[str, str]]:
    """A row for each figure, by the ids of components."""
    with (package / "data" / "satisfaction.csv").open(newline="", encoding="utf-8") as stream:
        return [
            {
                "FREQ": "A",
                "REF_AREA": row["region"],
                "SEX": row["sex"],
                "AGE": row["age"],
                "DISABILITY": row["disability"],
                "TIME_PERIOD": row["year"],
                "OBS_VALUE": row["satisfied"],
                "UNIT_MEASURE": "PERCENT",
                "OBS_STATUS": "A" if row["satisfied"] else "O",
                "BASE_N": row["respondents"],
            }
            for row in csv.DictReader(stream)
        ]
