"""The command line: ``onemap VERB``.

Verbs load when they are used, so that ``onemap --help`` does not wait for pandas. Exit codes: 0 done, 1 a bug,
2 wrong use, 3 input refused and nothing changed.
"""

from __future__ import annotations

import importlib
import sys
import traceback

import click
import orjson

from onemap.errors import OneMapError, UsageError

VERBS = {
    "run": "Serve the map: cluster, migrations, first data, HTTP.",
    "worker": "Run long questions beside the server.",
    "migrate": "Bring the database to the present schema and layers.",
    "demo": "Invent a city (虚拟数据) and load it.",
    "import": "Load a file into a layer, or an OpenStreetMap extract into several.",
    "export": "Write a layer to a file.",
    "layers": "List and check the layer folders.",
    "qgis-project": "Write a QGIS project with our layers and styles.",
    "users": "Who may sign in, and with what rights.",
    "openapi": "Print the OpenAPI document that the server answers.",
    "partition": "Partition a community into grids by household count.",
    "nearest": "The responders who reach a point soonest.",
    "cover": "Who can walk to which service within the limit.",
    "isochrone": "The ground that can be reached within given minutes.",
    "cameras": "What cameras see, and which of them see a point.",
    "site": "Where the next facilities should go.",
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"onemap.cli.{_module_name(cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="onemap")
def cli() -> None:
    """一张图: the one map."""


def main() -> None:
    """Run a verb and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run a verb; its exit code."""
    as_json = "--json" in args
    try:
        cli.main(args=args, prog_name="onemap", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except (OneMapError, click.ClickException, click.Abort) as known:
        if isinstance(known, click.UsageError) and known.ctx is not None and not as_json:
            click.echo(known.ctx.get_usage(), err=True)
        return _failed(*_explained(known), as_json)
    except Exception as bug:  # noqa: BLE001 the last line of defence: anything else is a bug, shown whole
        traceback.print_exc()
        return _failed(f"A bug in onemap: {type(bug).__name__}: {bug}", 1, as_json)
    return 0


def _explained(known: Exception) -> tuple[str, int]:
    match known:
        case UsageError():
            return str(known), 2
        case OneMapError():
            return str(known), 3
        case click.ClickException():
            return known.format_message(), 2
        case _:
            return "Stopped.", 130


def _failed(sentence: str, code: int, as_json: bool) -> int:
    click.echo(sentence, err=True)
    if as_json:
        sys.stdout.write(orjson.dumps({"error": sentence, "exit_code": code}).decode() + "\n")
    return code


def _module_name(verb: str) -> str:
    return "import_" if verb == "import" else verb.replace("-", "_")


if __name__ == "__main__":
    main()
