"""The verify step of each scenario: see tests/support/on_lab_hosts.py."""

from tests.support.on_lab_hosts import (  # noqa: F401  # pytest finds them here
    _sockets,
    host,
    lab_hosts,
    pytest_configure,
    pytest_generate_tests,
)
