"""`cdmeta` as a person runs it, within this process."""

import pytest

from cdmeta.cli import main


def exit_code(*args: object) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    """The exit code of a command, its output and its error output."""
    code = exit_code(*args)
    told = capsys.readouterr()
    return code, told.out, told.err
