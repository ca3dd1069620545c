"""`cbir doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cbir.printable import printable
from cli import options as opt
from cli.exit_codes import ExitCode, UsageProblem
from cli.settings import Settings, load_settings


def doctor(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Also ask torch about CUDA where no driver is seen.")
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Look at this machine, installation and set-up; every trouble comes with its fix.

    Exits with 1 when something does not work.
    """
    from cli.doctor import Finding, installation_findings, machine_findings, setup_findings

    findings = []
    try:
        settings = load_settings()
    except UsageProblem as error:
        findings.append(
            Finding("settings", "fail", str(error), "Correct it; the rest is judged by the defaults.")
        )
        settings = Settings()
    findings += installation_findings(settings)
    findings += machine_findings(settings, full=full)
    findings += setup_findings(settings)
    if as_json:
        page = {"cbir": "doctor", "version": 1, "findings": [asdict(each) for each in findings]}
        typer.echo(json.dumps(page, indent=2))
    else:
        for each in findings:
            typer.echo(_line(each.status, each.name, each.what))
            if each.fix:
                typer.echo(f"{'':21}→ {printable(each.fix)}")
    if any(each.status == "fail" for each in findings):
        raise typer.Exit(ExitCode.ERROR)


def _line(status: str, name: str, what: str) -> str:
    colour = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}[status]
    return f"{typer.style(f'{status:<4}', fg=colour)} {name:<15} {printable(what)}"
