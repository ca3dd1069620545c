from __future__ import annotations

from pathlib import Path

from typer.main import get_command

from cli.app import app
from cli.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[2]


def command_names(group, prefix: str = "cbir") -> list[str]:
    names = []
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        names += command_names(command, full) if hasattr(command, "commands") else [full]
    return names


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in command_names(get_command(app)) if name not in readme]
    assert missing == []


def test_every_command_says_what_it_does(run):
    names = command_names(get_command(app))
    assert len(names) >= 10
    for name in names:
        assert len(run(*name.split()[1:], "--help").stdout.splitlines()) > 5


def test_the_version_says_what_it_is_not_for(run):
    assert run("--version").stdout == "cbir 0.1.0 — research use only, not for diagnosis\n"


def test_the_exit_codes_are_those_of_the_design():
    assert {int(code) for code in ExitCode} == {0, 1, 2, 3, 4, 5, 7, 130}


def test_options_have_help(run):
    def walk(group):
        for command in group.commands.values():
            if hasattr(command, "commands"):
                yield from walk(command)
            else:
                yield command

    bare = [
        f"{command.name} {parameter.name}"
        for command in walk(get_command(app))
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    assert bare == []


def test_help_says_the_defaults(run):
    text = " ".join(run("index", "build", "--help").stdout.replace("│", " ").split())
    for default in ("default: quick", "default: one a core", "default: 30", "else ./cbir.index"):
        assert default in text
