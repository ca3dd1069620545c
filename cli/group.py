"""The root of the commands: the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import shlex
import traceback
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from cli.exit_codes import exit_code, explain
from cli.terminal import note

if TYPE_CHECKING:
    from typer import Context


COMMAND = "cbir.command"
"""Where a context keeps the command as it was typed."""


class RootGroup(TyperGroup):
    """Runs a command; whatever it raises is said in one line on stderr."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:  # type: ignore[override]  # as below
        """Keep the words, for those who write down how a number was made."""
        ctx.meta[COMMAND] = shlex.join(["cbir", *args])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Context) -> object:  # type: ignore[override]  # typer carries a click of its own
        """Run the command that was asked for.

        Raises:
            Exit: with the code of the error.
        """
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if _belongs_to_typer(error):
                raise
            if ctx.params.get("debug") or os.environ.get("CBIR_DEBUG"):
                traceback.print_exception(error)
            note(explain(error))
            raise typer.Exit(exit_code(error)) from None


def _belongs_to_typer(error: BaseException) -> bool:
    """Exit, Abort, usage errors and a closed pipe, which typer itself answers."""
    return type(error).__module__.startswith(("typer", "click")) or isinstance(error, BrokenPipeError)
