"""./dev screenshots: every main screen as a picture in docs/images, on a desktop, on a phone and
with dark colours."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

from PIL import Image

from .. import databases, demo, node, odoo, settings, shell
from ..story import rpc
from .screens import SCREENS

HERE = Path(__file__).parent
IMAGES = settings.ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 375, "height": 812}
#: What browsers tell of the user's choice; some of Odoo's scripts look at it.
DARK_COOKIE = {"name": "color_scheme", "value": "dark"}


def main(names):
    """Take the pictures of these screens, or of all; return 1 if the browser complained."""
    screens = [screen for screen in SCREENS if not names or screen.name in names]
    if not screens:
        raise shell.Failure(f"The screens are: {', '.join(screen.name for screen in SCREENS)}")
    odoo.clean_start()
    database, port = databases.temporary("screenshots"), shell.free_port()
    try:
        demo.create(database, port)
        demo.play(database, port, settings.LOGS / "screenshots-story.log")
        log = settings.LOGS / "screenshots.log"
        with odoo.serving(database, port, "--max-cron-threads=0", log=log) as server:
            complaints = _take_all(server, screens)
    finally:
        databases.drop(database)
    for complaint in complaints:
        shell.say(f"! {complaint}")
    shell.say(f"Pictures of {len(screens)} screens are in {IMAGES.relative_to(settings.ROOT)}.")
    return 1 if complaints else 0


def _take_all(server, screens):
    """Take light pictures, then let the colours be dark and take those; return the complaints."""
    admin = rpc.User(server, server.login, server.password)
    _make_more(admin)
    places = {screen.name: screen.find_path(admin) for screen in screens}
    complaints = _take(
        server,
        [
            _make_set(DESKTOP, screens, places, "desktop"),
            _make_set(PHONE, screens, places, "phone"),
        ],
    )
    _make_dark(admin)
    dark = _make_set(DESKTOP, screens, places, "dark", cookies=[DARK_COOKIE])
    return complaints + _take(server, [dark])


def _make_more(admin):
    """Make sequences from the gallery: two whose first mails leave in some days, because the story
    is over and leaves nothing to come, and one that is not started."""
    for template, days in (("template_price", 2), ("template_skill", 4)):
        sequence = _make_sequence(admin, template)
        first = admin.find(
            "nurture.step", [("sequence_id", "=", sequence), ("parent_id", "=", False)], ["id"]
        )
        for step in first:
            admin.call("nurture.step", "write", [step["id"]], vals={"delay": days})
        admin.call("nurture.sequence", "action_start", [sequence])
    admin.run_cron("lost_lead_nurture.ir_cron_nurture")
    _make_sequence(admin, "template_why")


def _make_sequence(admin, template):
    wizard = admin.create(
        "nurture.sequence.new", {"template_id": admin.ref(f"lost_lead_nurture.{template}")}
    )
    done = admin.call("nurture.sequence.new", "action_create", [wizard])
    return done["infos"]["sequence_id"]


def _make_set(size, screens, places, kind, cookies=()):
    return {
        **size,
        "cookies": list(cookies),
        "shots": [
            {
                "file": f"{screen.name}-{kind}",
                "path": places[screen.name],
                "ready": screen.ready,
                "steps": screen.steps,
            }
            for screen in screens
        ],
    }


def _take(server, sets):
    """Let the browser take these sets of pictures; return what it complained about."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    order = {
        "url": server.url,
        "login": server.login,
        "password": server.password,
        "browser": _find_browser(),
        "folder": str(IMAGES),
        "sets": sets,
    }
    files = [IMAGES / f"{shot['file']}.png" for one in sets for shot in one["shots"]]
    with shell.timed(f"Taking {len(files)} pictures"):
        done = subprocess.run(
            ["node", HERE / "take.cjs"],
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            text=True,
            env=node.environment(HERE),
            preexec_fn=shell.die_with_parent,
        )
        if done.returncode:
            raise shell.Failure("The browser could not be driven; see above.")
        for file in files:
            _shrink(file)
    return json.loads(done.stdout)


def _find_browser():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        raise shell.Failure(f"There is no browser: install one of {', '.join(BROWSERS)}.")
    return browser


def _shrink(file):
    """Keep 256 colours: enough for a screen, at a third of the size."""
    if file.exists():
        with Image.open(file) as image:
            image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


def _make_dark(admin):
    """Put our dark values before Odoo's own, which are defaults; load what core has for them."""
    url = "/lost_lead_nurture/dark.scss"
    admin.create(
        "ir.attachment",
        {
            "name": "dark.scss",
            "url": url,
            "mimetype": "text/scss",
            "datas": base64.b64encode((HERE / "dark.scss").read_bytes()).decode(),
        },
    )
    for bundle, directive, path in (
        ("web._assets_primary_variables", "prepend", url),
        ("web.assets_web", "append", "web/static/src/**/*.dark.scss"),
    ):
        admin.create(
            "ir.asset",
            {"name": "Dark", "bundle": bundle, "directive": directive, "path": path},
        )
