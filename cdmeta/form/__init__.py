"""The spreadsheet that a person fills in: one question a row, in their language; as a workbook or as CSV.

What stands in a row is found by the name of its field, in the last column: rows may be moved, copied or deleted.
"""

from cdmeta.form.merge import Merged, merge
from cdmeta.form.questions import Question, questions
from cdmeta.form.read import MAX_BYTES, Sheet, read
from cdmeta.form.write import both, csv_text, workbook

__all__ = [
    "MAX_BYTES",
    "Merged",
    "Question",
    "Sheet",
    "both",
    "csv_text",
    "merge",
    "questions",
    "read",
    "workbook",
]
