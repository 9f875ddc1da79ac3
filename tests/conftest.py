"""What holds for all tests: no network, steady hypothesis runs."""

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sdmx_reading import Put

# A shared machine may pause any example; time is measured in benchmarks, not here.
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("long", settings.get_profile("ci"), max_examples=5_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


OWN = "127.0.0.1"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands speak English, whatever the machine's language."""
    monkeypatch.setenv("CDMETA_LANG", "en")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach another machine fails the test; a server of its own it may reach by its number."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != OWN:
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    def looked_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        return look_up(host, *args, **kwargs) if host == OWN else pytest.fail(f"a test looked up a host: {host}")

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a message into a file."""

    def written(content: str | bytes) -> Path:
        path = tmp_path / "message"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests of programs that are not there, unless they are required, as `.ci/run` does."""
    if os.environ.get("CDMETA_REQUIRE_SYSTEM"):
        return
    for item in items:
        mark = item.get_closest_marker("system")
        lacking = [name for name in mark.args if shutil.which(name) is None] if mark else []
        if lacking:
            item.add_marker(pytest.mark.skip(reason=f"{', '.join(lacking)} is not installed"))
