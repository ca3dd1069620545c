"""`cbir serve`: the service itself, and the keys of those who may ask it."""

import typer

from cli.commands.serve import key, serve

_SETTINGS = {"help_option_names": ["-h", "--help"]}

group = typer.Typer(invoke_without_command=True, context_settings=_SETTINGS)
group.callback()(serve.serve)
_keys = typer.Typer(no_args_is_help=True, context_settings=_SETTINGS)
_keys.command("new")(key.new)
group.add_typer(_keys, name="key", help="Keys of those who may ask.")
