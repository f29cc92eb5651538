"""The commands of ./dev."""

import argparse
import os
import sys

from . import cluster, demo, odoo, settings, shell


def main(arguments):
    """Run one command and return the exit status."""
    # Odoo's own options must pass unread
    if arguments[:1] == ["odoo"]:
        return run_odoo(arguments[1:])
    options, rest = parser().parse_known_args(arguments)
    if rest and options.command != "serve":
        parser().error(f"unknown arguments: {' '.join(rest)}")
    if options.command == "demo":
        return demo.demo(options.port, not options.no_serve)
    if options.command == "serve":
        return demo.serve(options.port, rest)
    if options.command == "stop":
        return stop()
    if options.command == "lint":
        from . import lint

        return lint.main(fix=options.fix)
    if options.command == "bench":
        from . import bench

        return bench.main(options.scale, options.only)
    if options.command == "faults":
        from . import faults

        return faults.main(options.seed, options.long, options.only)
    if options.command == "scale":
        from . import scale

        return scale.main(options.scale)
    if options.command == "mutate":
        from . import mutation

        return mutation.main(options)
    if options.command == "upgrade":
        from . import upgrade

        return upgrade.main()
    if options.command == "screenshots":
        from . import screenshots

        return screenshots.main(options.names)
    from . import testing

    return testing.main(options)


def parser():
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="./dev", description="Set up, run and test this project.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("demo", help="make the demo database, play the story, serve")
    command.add_argument("--no-serve", action="store_true", help="end after the story")
    command.add_argument("--port", type=int, default=settings.DEMO_PORT)

    command = commands.add_parser(
        "serve",
        help="serve the demo database as it is; other options go to Odoo",
        allow_abbrev=False,
    )
    command.add_argument("--port", type=int, default=settings.DEMO_PORT)

    commands.add_parser("stop", help="stop this clone's Odoo and PostgreSQL")
    commands.add_parser("odoo", help="run Odoo's own commands with this project's settings")

    command = commands.add_parser("lint", help="check the code")
    command.add_argument("--fix", action="store_true", help="correct what can be corrected")

    command = commands.add_parser("bench", help="measure how fast it is, beside SQL and core")
    command.add_argument(
        "--scale",
        type=float,
        default=1,
        metavar="N",
        help="times the usual sizes (100,000 leads, 50,000 mails, 1,000,000 traces)",
    )
    command.add_argument("--only", metavar="PART", help="measure one part, such as install")
    command = commands.add_parser("faults", help="provoke all that can go wrong, and judge")
    command.add_argument("--seed", type=int, help="the seed of another run, to repeat its plan")
    command.add_argument("--long", action="store_true", help="more of everything, 200 kills and up")
    command.add_argument("--only", help="part of the name of the scenarios to play")
    command = commands.add_parser("scale", help="measure what further workers gain")
    command.add_argument("--scale", type=float, default=1.0, help="times 20,000 leads")

    commands.add_parser("upgrade", help="bring the database of an earlier version to this one")

    command = commands.add_parser("screenshots", help="take pictures of the main screens")
    command.add_argument("names", nargs="*", metavar="NAME", help="of these screens only")

    add_mutate(commands.add_parser("mutate", help="check whether the tests notice mistakes"))

    command = commands.add_parser("test", help="run every check, or some of Odoo's tests")
    command.add_argument("tags", nargs="?", help="Odoo's test tags, such as /module:Class.method")
    command.add_argument(
        "--quick", action="store_true", help="start from a database that has the add-ons"
    )
    command.add_argument("--keep", action="store_true", help="keep the test database")
    return top


def add_mutate(command):
    """Describe the options of ./dev mutate."""
    command.add_argument(
        "--engine", action="store_true", help="a sample of the engine, by Odoo's tests (an hour)"
    )
    command.add_argument("files", nargs="*", metavar="FILE", help="part of the name of files")
    command.add_argument("--seed", type=int, default=19, help="of the sample")
    command.add_argument("--workers", type=int, metavar="N", help="how many mutants at once")
    command.add_argument("--anew", action="store_true", help="forget what earlier runs found")


def run_odoo(arguments):
    """Become Odoo."""
    odoo.clean_start()
    command = odoo.command(*arguments)
    os.execve(command[0], command, odoo.environment())


def stop():
    """Stop what this clone runs."""
    servers = odoo.stop_servers()
    stopped = cluster.stop()
    shell.say(f"Stopped {servers} Odoo processes{' and PostgreSQL' if stopped else ''}.")
    return 0


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except shell.Failure as failure:
        shell.say(f"Error: {failure}")
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
