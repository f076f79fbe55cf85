"""The progress line on a terminal."""

from __future__ import annotations

from imgpipe_templates.cli.tables import working


def test_terminal_shows_the_current_step(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich treat the output as a terminal

    with working("loading the rules") as announce:
        announce("checking [a].yaml")

    shown = capsys.readouterr()
    assert "checking [a].yaml" in shown.err
    assert shown.out == ""


def test_file_or_pipe_gets_no_progress(capsys):
    with working("loading the rules") as announce:
        announce("checking [a].yaml")

    assert capsys.readouterr() == ("", "")
