"""What a terminal shows while something takes a while."""

from __future__ import annotations

from imgpipe_templates.cli.tables import working


def test_a_terminal_shows_what_is_being_done(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # how rich is told that its output is a terminal

    with working("loading the rules") as announce:
        announce("checking [a].yaml")

    shown = capsys.readouterr()
    assert "checking [a].yaml" in shown.err
    assert shown.out == ""


def test_a_file_or_a_pipe_gets_nothing(capsys):
    with working("loading the rules") as announce:
        announce("checking [a].yaml")

    assert capsys.readouterr() == ("", "")
