"""Findings about this machine, this installation and these settings, each with its fix."""

from cli.doctor.finding import Finding
from cli.doctor.installation import installation_findings
from cli.doctor.machine import machine_findings
from cli.doctor.setup import setup_findings

__all__ = ["Finding", "installation_findings", "machine_findings", "setup_findings"]
