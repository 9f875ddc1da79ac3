"""A language of a test's own: files in a folder, and no code."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from cdmeta import phrase, profile


def write(folder: Path, file: str, rows: Mapping[tuple[str, ...], Mapping[str, str]]) -> None:
    """Write one file of a translation; cells that are not given are empty."""
    keys, columns = profile.TRANSLATED[file]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{file}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((*keys, *columns))
        writer.writerows((*key, *(row.get(name, "") for name in columns)) for key, row in rows.items())


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Let the profile speak the languages that lie in a folder; English is as it is."""
    if not (folder / profile.ENGLISH).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / profile.ENGLISH).symlink_to(str(phrase.locales().joinpath(profile.ENGLISH)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phrase, "locales", lambda: folder)
        forget()
        yield
    forget()


def forget() -> None:
    """Drop all that was read."""
    for cached in (
        profile.languages,
        profile.closest,
        profile.words,
        profile._load,
        phrase._plural,
        phrase._texts,
    ):
        cached.cache_clear()
