"""`cbir`, run within the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

from cli.app import app

if TYPE_CHECKING:
    from click.testing import Result


def cbir(*words: object, expect: int = 0) -> Result:
    """Run `cbir`."""
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == expect, result.output
    return result
