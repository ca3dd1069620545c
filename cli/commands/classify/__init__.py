"""`cbir classify`: one file a subcommand."""

import typer

from cli.commands.classify import attach, calibrate, detach, evaluate, explain, predict, train, tune

group = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
group.command("train")(train.train)
group.command("attach")(attach.attach)
group.command("detach")(detach.detach)
group.command("tune")(tune.tune)
group.command("calibrate")(calibrate.calibrate)
group.command("evaluate")(evaluate.evaluate)
group.command("explain")(explain.explain)
group.command("predict")(predict.predict)
