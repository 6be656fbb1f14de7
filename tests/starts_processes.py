"""A pytest plugin: which tests start processes follows from their fixtures, and nobody keeps a list.

A test or a fixture that starts a process requests the fixture `starts_processes`. pytest then gives the mark
`process` to every test that requests the fixture, directly or through another one. A test without the
mark that starts a process fails, so `-m "not process"` selects exactly the tests that start none.
"""

import sys
from collections.abc import Generator

import pytest

MARK = "process"
FIXTURE = "starts_processes"

STARTS = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "pty.spawn", "subprocess.Popen"}
)
"""The audit events by which Python says that it starts a process."""


class ProcessStarted(Exception):
    """A test without the fixture `starts_processes` starts a process."""


class Guard:
    """Refuses the start of a process while a test without the mark is set up or runs."""

    def __init__(self) -> None:
        self._watches = False
        self._refused: list[str] = []

    def audit(self, event: str, _: tuple[object, ...]) -> None:
        """Python calls this audit hook at every event."""
        if self._watches and event in STARTS:
            self._refused.append(event)
            raise ProcessStarted(f"{event} was called; request the fixture `{FIXTURE}`")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch the fixtures of a test without the mark."""
        return (yield from self._watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch a test without the mark."""
        return (yield from self._watched(item))

    def _watched(self, item: pytest.Item) -> Generator[None, object, object]:
        self._refused = []
        self._watches = item.get_closest_marker(MARK) is None
        try:
            return (yield)
        finally:
            self._watches = False
            if self._refused:  # said even if the code under test has caught the exception
                pytest.fail(
                    f"{item.nodeid} starts a process ({self._refused[0]}): request the fixture `{FIXTURE}` in"
                    f' the fixture that starts it, or @pytest.mark.usefixtures("{FIXTURE}") on the test'
                )


@pytest.fixture(scope="session")
def starts_processes() -> None:
    """Whatever requests this fixture may start processes."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, and watch from here on."""
    config.addinivalue_line(
        "markers", f"{MARK}: starts processes (given to tests with the fixture `{FIXTURE}`)"
    )
    guard = Guard()
    config.pluginmanager.register(guard)
    sys.addaudithook(guard.audit)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test whose fixtures include `starts_processes`."""
    for item in items:
        if isinstance(item, pytest.Function) and FIXTURE in item.fixturenames:
            item.add_marker(MARK)
