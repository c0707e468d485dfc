"""The benches as programs."""

import importlib
import sys

import pytest

BENCHES = ["http", "interactors", "sizes", "streaming", "collection.__main__", "collection.beside"]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_that_is_asked_for_help_says_what_it_does_and_does_nothing(name, monkeypatch, capsys) -> None:
    bench = importlib.import_module(f"bench.{name}")
    monkeypatch.setattr(sys, "argv", [f"bench.{name}", "--help"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert said.startswith("usage: ")
    assert "--short" in said
    assert len(said) > 200


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_refuses_what_it_does_not_know(name, monkeypatch, capsys) -> None:
    bench = importlib.import_module(f"bench.{name}")
    monkeypatch.setattr(sys, "argv", [f"bench.{name}", "--fast"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert "--fast" in capsys.readouterr().err
