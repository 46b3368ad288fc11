"""The commands that serve and keep the app, as far as they go without serving: what is refused, and what scripts get."""

from __future__ import annotations

import json
import socket
import sys

import pytest

from duecourse import cli
from duecourse.errors import AddressInUseError, OptionMisusedError
from duecourse.web.serving import address_of, listen, settle_place


def test_start_prints_the_figures_and_ends_when_a_script_asks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--ledger", "demo-ledger", "demo", "--invoices", "1000"]) == 0
    assert cli.main(["start", "--no-serve"]) == 0
    assert "Receivables as of" in capsys.readouterr().out
    assert cli.main(["start", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["as_of"]


def test_a_port_that_is_taken_is_refused_and_another_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=f"--port {port + 1}"):
            listen("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_refused():
    with pytest.raises(OptionMisusedError):
        listen("203.0.113.1", 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")])
def test_the_address_is_one_to_type_into_a_browser(host, shown):
    with listen(host, 0) as listener:
        assert address_of(listener).startswith(shown)


def test_a_ledger_in_an_object_store_needs_a_home(monkeypatch):
    monkeypatch.delenv("DUECOURSE_HOME", raising=False)
    with pytest.raises(OptionMisusedError, match="DUECOURSE_HOME"):
        settle_place("s3://bucket/ledger")


def test_what_is_done_before_serving_may_lose_its_reader(monkeypatch):
    """`./run | head`: the figures told before the app is served go to a reader that may have gone; that is no reason not to serve."""

    def told():
        raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", sys.stdout)  # put back what is told into nothing
    assert cli.outcome_of(told) == cli.FINE
