"""The demo: a database with demo data, the story played on it, and a server to look at it."""

import contextlib
import json
import subprocess

from . import addons, cluster, databases, odoo, settings, shell, story, templates

#: Add-ons that are not in every database and that the stories need: the second one is about what
#: comes into stock.
BRIDGES = ("lost_lead_nurture_stock",)


def demo(port, serve):
    """Make the demo database anew, play the story and leave Odoo serving."""
    if serve:
        refuse_taken_port(port)
    odoo.clean_start()
    odoo.refuse_if_in_use(settings.DEMO_DATABASE)
    story_port = port if serve else shell.free_port()
    create(settings.DEMO_DATABASE, story_port)
    for result in play(settings.DEMO_DATABASE, story_port, settings.LOGS / "demo.log"):
        print(json.dumps(result), flush=True)
    return serve_database(port) if serve else 0


def serve(port, arguments):
    """Serve the demo database as it is."""
    refuse_taken_port(port)
    odoo.clean_start()
    if not databases.exists(settings.DEMO_DATABASE):
        create(settings.DEMO_DATABASE, port)
    return serve_database(port, arguments)


def create(database, port):
    """Create a database with core's and the add-ons' demo data, for a server on this port."""
    origin = templates.base(demo=True, also=BRIDGES)
    new = databases.temporary("demo")
    with shell.timed("Creating the demo database"):
        try:
            databases.copy(origin, new)
            if addons.names():
                odoo.install(new, [*addons.names(), *BRIDGES], demo=True)
            _set_address(new, f"http://localhost:{port}")
            databases.rename(new, database)
        finally:
            databases.drop(new)


def play(database, port, log):
    """Play the stories against a real server and return what each of them tells."""
    # The story calls the scheduled actions itself, when they are due in it.
    with (
        shell.timed("Playing the story"),
        odoo.serving(database, port, "--max-cron-threads=0", log=log) as server,
    ):
        return story.play(server)


def serve_database(port, arguments=()):
    """Serve the demo database until interrupted."""
    process = subprocess.Popen(
        odoo.command("-d", settings.DEMO_DATABASE, "--http-port", port, *arguments),
        env=odoo.environment(),
        preexec_fn=shell.die_with_parent,
    )
    try:
        odoo.wait_until_up(process, port)
        shell.say(
            f"\nOdoo serves on http://localhost:{port}"
            f" (login {settings.LOGIN}, password {settings.PASSWORD}). Ctrl-C ends it.\n"
        )
        return process.wait()
    except KeyboardInterrupt:  # Ctrl-C has reached Odoo, too
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        return 0
    finally:
        odoo.end(process)


def refuse_taken_port(port):
    """Say early that the server will not be able to listen."""
    if not shell.is_port_free(port):
        raise shell.Failure(
            f"Port {port} is taken by another program (or another run: ./dev stop ends it).\n"
            "  Choose another one with --port."
        )


def _set_address(database, address):
    """Tell Odoo its address: links in mails sent before anybody logs in need it."""
    with contextlib.closing(cluster.connect(database)) as connection, connection:
        connection.cursor().execute(
            "UPDATE ir_config_parameter SET value = %s WHERE key = 'web.base.url'", (address,)
        )
