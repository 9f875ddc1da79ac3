"""`cdmeta profile`: what is exported, where it may be written, and the digest of a version."""

import json
import shutil
from pathlib import Path

import commands
import pytest
from click.testing import CliRunner

from cdmeta import check, load, profile
from cdmeta.cli.profile import command
from cdmeta.errors import OutputError
from cdmeta.workflows.export import FORMS, MARK
from cdmeta.workflows.freeze import digest

EPOCH = {"SOURCE_DATE_EPOCH": "1772445600"}


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(command, args, env=EPOCH)
    assert result.exit_code == code, result.output
    return result.output


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_same_profile_gives_the_same_bytes_and_says_that_it_is_a_draft(form: str, tmp_path: Path) -> None:
    told = run("export", "--to", form, "--out", str(tmp_path / "a"))
    run("export", "--to", form, "--out", str(tmp_path / "b"))
    assert files(tmp_path / "a") == files(tmp_path / "b")
    about = json.loads((tmp_path / "a" / MARK).read_text(encoding="utf-8"))
    assert about == {
        "profile": profile.URL,
        "version": "1.0",
        "status": "draft",
        "digest": profile.load().digest,
        "form": form,
    }
    assert f"The profile as {form} is in {tmp_path / 'a'} ({len(files(tmp_path / 'a'))} files)." in told
    assert "Draft:" in told


def test_the_json_schema_is_the_committed_one(tmp_path: Path) -> None:
    run("export", "--to", "json-schema", "--out", str(tmp_path / "out"))
    assert files(tmp_path / "out")["datapackage.json"] == profile.schema_bytes()


def test_an_earlier_export_is_replaced_whole_and_a_strangers_folder_never(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("export", "--to", "skos", "--out", str(out))
    run("export", "--to", "json-schema", "--out", str(out))
    assert set(files(out)) == {MARK, "datapackage.json"}
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    result = CliRunner().invoke(command, ["export", "--to", "skos", "--out", str(mine)], env=EPOCH)
    assert isinstance(result.exception, OutputError)
    assert files(mine) == {"README.md": b"mine"}


def test_an_unknown_form_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = commands.run(capsys, "profile", "export", "--to", "docx", "--out", tmp_path / "out")
    assert code == 2
    assert "docx" in told


# --- the digest


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return Path(shutil.copytree(str(profile.folder()), tmp_path / "citizen-data" / "1.0"))


def test_a_draft_has_no_frozen_digest(version: Path) -> None:
    state = digest(folder=version)
    assert (state.verdict, state.found) == ("draft", profile.load().digest)
    assert not state.file.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda home: (home / "rules.csv").write_bytes((home / "rules.csv").read_bytes() + b" "),
        lambda home: (home / "codelists" / "CL_NEW.csv").write_text("id\n"),
        lambda home: (home / "fields.csv").unlink(),
        lambda home: (home / "fields.csv").rename(home / "field.csv"),
        lambda home: (home / "codelists" / "CL_ACCESS.csv").write_text(""),
    ],
)
def test_any_change_of_a_frozen_version_is_seen(version: Path, change: object) -> None:
    assert digest(write=True, folder=version).verdict == "frozen"
    assert digest(folder=version).verdict == "frozen"
    assert (version.parent / "1.0.sha256").read_text() == f"{profile.load().digest}  1.0\n"
    assert callable(change)
    change(version)
    assert digest(folder=version).verdict == "changed"
    with pytest.raises(OutputError, match="A frozen version never changes"):
        digest(write=True, folder=version)
    assert (version.parent / "1.0.sha256").read_text() == f"{profile.load().digest}  1.0\n"


def test_freezing_twice_is_harmless(version: Path) -> None:
    assert digest(write=True, folder=version) == digest(write=True, folder=version)


def test_the_installed_version_is_what_it_was_frozen_as() -> None:
    """If this fails, a file of a frozen version was changed: take it back, or make a new version."""
    state = digest()
    assert state.verdict == ("draft" if profile.STATUS == "draft" else "frozen")
    assert state.file.is_file() == (profile.STATUS != "draft")


def test_the_command_shows_the_digest() -> None:
    told = run("digest")
    assert told.startswith(f"{profile.load().digest}  citizen-data/1.0\n")
    assert "A draft" in told


@pytest.mark.parametrize("other", ["2.0", "0.9"])
def test_a_package_of_a_version_not_known_is_told_so(other: str, tmp_path: Path) -> None:
    """And it is not told to pass itself off as one of ours."""
    example = Path(__file__).parent.parent / "examples" / "public-service-satisfaction" / "package"
    package = Path(shutil.copytree(example, tmp_path / "package"))
    file = package / "datapackage.json"
    text = file.read_text(encoding="utf-8").replace("citizen-data/1.0/", f"citizen-data/{other}/")
    file.write_text(text, encoding="utf-8")
    found = [finding for finding in check(load(package)).findings if finding.severity() == "error"]
    assert [finding.code for finding in found] == ["CD135"]
    assert "version of the profile that this cdmeta knows" in found[0].message()
    assert (
        found[0]
        .remedy()
        .startswith("If the package was made by another version of the profile, leave the address")
    )
