"""The command line: `curbside COMMAND`. Each command lives in its own module and is imported when it is used.

Exit codes: 0 done; 1 the answer is "no" (a mismatch, a refusal); 2 wrong usage or input, with one sentence that
says what to change; 70 a fault of Curbside's own, which is no answer; 130 after Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from cds_service import __version__
from cds_service.errors import CurbsideError
from cds_service.kept_classes import CLASSES

_COMMANDS = {
    "demo": "Start the service with sample patients, call it as an EHR would, and show the cards.",
    "serve": "Serve CDS Hooks over HTTP.",
    "services": "List the CDS Services.",
    "models": "List the models; show, check, run, train and evaluate one.",
    "check": "Validate settings, plugins, weights and the store.",
    "hook": "Answer one hook request without HTTP.",
    "summarise": "Print the cited summary of a patient's bundle.",
    "verify": "Say which sentences a patient's bundle supports, and why not the others.",
    "knowledge": "Ask the knowledge graph, list its sources, import newer ones.",
    "exam": "Sit a language model through a question set.",
    "cohort": "Score a whole population, or replay hooks over it.",
    "replay": "Give a past answer again, bit for bit, or say what changed.",
    "monitor": "Counts by month without any patient, and alarms.",
    "audit": "Verify and export the audit record.",
    "records": "Delete what is stored, copy it, and verify a copy.",
}


class _Commands(click.Group):
    """Commands by name; importing one must not import the others (nor rich, nor requests)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a first acquaintance."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"cds_service.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="curbside")
def curbside() -> None:
    """Decision support for EHR systems over CDS Hooks."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    CLASSES.install()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command; errors are told in one sentence on standard error."""
    try:
        code = curbside.main(arguments, prog_name="curbside", standalone_mode=False)
    except CurbsideError as error:
        return _told(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "curbside"
        return _told(f"{error.format_message()} See {where} --help.", 2)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - its words may quote a record, and cron mails what a command prints
        from cds_service.web import logs

        place = f"{type(error).__name__} at {logs.where(error)}"
        return _told(f"a fault of Curbside's own: {place}. Please report this line.", 70)
    return code if isinstance(code, int) else 0


def _told(sentence: str, code: int) -> int:
    click.echo(f"curbside: {sentence}", err=True)
    return code
