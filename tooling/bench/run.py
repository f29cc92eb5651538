"""Runs the measures one after the other, each in processes and databases of their own."""

import contextlib
import functools
import http.client
import json
import statistics
import time
import urllib.parse
import xmlrpc.client

from .. import addons, databases, odoo, settings, shell, templates
from . import data, install, report, sink
from .report import Measurement

#: A browser, as far as a server can see.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

SCRIPT = """
import json, sys
sys.path.insert(0, {root!r})
from tooling.bench import {module}
print("\\nRESULT " + json.dumps({module}.{function}(env, **{arguments!r})))
"""


def main(scale, only=None):
    """Measure everything, print it and write docs/benchmark.md.

    :param scale: 1 for the sizes the measurements are meant for, less for a quick look
    :param only: the name of a part, to measure that alone
    :return: exit status: 1 when a measurement is worse than it should be
    """
    parts = {
        "engine": ("Entering and deciding", measure_engine),
        "mails": ("Queueing mails", measure_mails),
        "sending": ("Sending mails", measure_sending),
        "big": ("A big sequence in full swing", measure_big),
        "crowd": ("Many sequences on very many leads", measure_crowd),
        "customers": ("Silent customers", measure_customers),
        "quotations": ("Refused quotations", measure_quotations),
        "replay": ("Replaying two years", measure_replay),
        "install": ("Installing beside people at work", measure_install),
    }
    if only and only not in parts:
        raise shell.Failure(f"There is no such part: {only}. Choose of {', '.join(parts)}.")
    odoo.clean_start()
    measurements = []
    with Databases() as made:
        for title, measure in [parts[only]] if only else parts.values():
            with shell.timed(title):
                found = measure(made, scale)
            for measurement in found:
                shell.say(f"  {measurement}")
            measurements += found
            made.drop_all()
    return report.write(measurements, scale, whole=not only)


class Databases:
    """The databases of a run; they are dropped at its end."""

    def __init__(self):
        self.names = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.drop_all()

    def copy(self, source, purpose):
        """Copy a database; return the copy's name."""
        name = databases.temporary(f"bench_{purpose}")
        self.names.append(name)
        databases.copy(source, name)
        return name

    def with_addons(self, purpose, function):
        """Make a database with the add-ons and what a function of `prepare` makes.

        :return: its name, and what the function returned
        """
        name = self.copy(templates.base(demo=False), purpose)
        odoo.install(name, addons.names())
        return name, inside(name, "prepare", function)

    def drop_all(self):
        while self.names:
            databases.drop(self.names.pop())


def inside(database, module, function, **arguments):
    """Call a function of one of the modules beside this one inside Odoo; return what it returns."""
    script = SCRIPT.format(
        root=str(settings.ROOT), module=module, function=function, arguments=arguments
    )
    output = odoo.run_script(database, script)
    return json.loads(output.rpartition("\nRESULT ")[2].partition("\n")[0])


# ----------------------------------------------------------------
# ENTERING, DECIDING, QUEUEING
# ----------------------------------------------------------------


def measure_engine(made, scale):
    """Enter and decide many leads, and a tenth of them for the memory."""
    many = _at_least(100_000 * scale, 500)
    base, ids = made.with_addons("engine", "with_silent_sequence")
    few_peaks = _play(made, base, ids, many // 10)[2]
    entered, decided, peaks = _play(made, base, ids, many)
    data.add_leads(base, ids, many)
    for table in ("nurture_participant", "nurture_trace"):
        data.keep_rows(entered, base, table)
        data.keep_rows(decided, entered, table)
    enter, bare_enter = inside(base, "engine", "enrol", ids=ids, rounds=3)
    decide, bare_decide = inside(entered, "engine", "decide", ids=ids, rounds=3)
    return [
        Measurement(
            "enrol", f"Enter {many:,} lost leads", enter, "bare INSERT … SELECT", bare_enter, 3
        ),
        Measurement(
            "decide",
            f"Decide and advance {many:,} due traces that send nothing",
            decide,
            "bare SQL writes",
            bare_decide,
            6,
        ),
        *(
            Measurement(
                f"memory_{name}",
                f"Memory of {doing} {many:,}",
                peak,
                f"of {many // 10:,}",
                few,
                1.2,
                unit="MB",
            )
            for name, doing, peak, few in zip(
                ("enrol", "decide"), ("entering", "deciding"), peaks, few_peaks, strict=True
            )
        ),
    ]


def _play(made, base, ids, leads):
    """Let leads enter for good in a copy, and decide about them in another.

    :return: both names, and the memory both took
    """
    entered = made.copy(base, f"entered_{leads}")
    data.add_leads(entered, ids, leads)
    peaks = [inside(entered, "engine", "enrol_for_good", ids=ids)]
    data.vacuum(entered)
    decided = made.copy(entered, f"decided_{leads}")
    peaks.append(inside(decided, "engine", "decide_for_good", ids=ids))
    return entered, decided, peaks


def measure_mails(made, scale):
    """Queue a step's mails, and core's plain mailing."""
    total = _at_least(50_000 * scale, 3000)
    chunk, rounds = 400, 5
    name, ids = made.with_addons("mails", "with_sequence")
    data.add_leads(name, ids, total + chunk * (rounds + 1))
    core, engine, first, whole = inside(
        name, "mails", "queue", ids=ids, rounds=rounds, chunk=chunk, total=total
    )
    return [
        Measurement(
            "queue", "Compose and queue a mail", engine, "core's plain mailing", core, 0.75
        ),
        Measurement(
            "queue_many",
            f"Queue a mail, mean of {total:,}",
            whole,
            "of the first 1,000",
            first,
            1.1,
        ),
    ]


def measure_sending(made, scale):
    """Send queued mails by SMTP: a step's, and core's plain mailing."""
    rounds = 10
    chunk = _at_least(500 * scale, 50)
    name, ids = made.with_addons("sending", "with_sequence")
    data.add_leads(name, ids, chunk * (rounds + 1))
    with sink.listening() as port:
        core, engine = inside(name, "mails", "send", ids=ids, port=port, rounds=rounds, chunk=chunk)
    title = f"Send a queued mail by SMTP, of {chunk * rounds:,}"
    return [Measurement("send", title, engine, "core's plain mailing", core, 1.15)]


# ----------------------------------------------------------------
# A BIG SEQUENCE IN FULL SWING
# ----------------------------------------------------------------


def measure_big(made, scale):
    """Opens, clicks, replies, idle ticks and screens, with few traces and with very many."""
    sizes = {
        "small": 1000,
        "medium": 10_000,
        "large": _at_least(1_000_000 * scale, 20_000),
    }
    base, ids = made.with_addons("base", "with_sequence")
    names = {}
    for size, traces in sizes.items():
        names[size] = made.copy(base, size)
        data.fill(names[size], ids, traces)
        inside(names[size], "screens", "count_statistics", ids=ids)
    names["core"] = made.copy(templates.base(demo=False), "core")
    core_ids = inside(names["core"], "prepare", "plainly")
    data.fill_plainly(names["core"], core_ids, sizes["medium"] // data.STEPS)
    large = f"{sizes['large']:,} traces"
    medium = f"at {sizes['medium']:,}"
    few, many = inside(base, "engine", "tick", few=names["medium"], many=names["large"], rounds=9)
    measurements = [
        Measurement("tick", f"A tick with nothing due at {large}", many, medium, few, 1.5)
    ]
    screens = inside(
        base, "screens", "read", few=names["small"], many=names["large"], ids=ids, rounds=9
    )
    measurements += [
        Measurement(
            name.replace(" ", "_"),
            f"{name.capitalize()} at {large}",
            many,
            f"at {sizes['small']:,}",
            few,
            2,
        )
        for name, (few, many) in screens.items()
    ]
    measurements.append(_measure_locked(made, base, ids, names["large"], sizes))
    measurements += _measure_answers(names, ids, core_ids, large, medium)
    shell.say(f"  indexes that none of it used: {data.list_unused_indexes(names['large'])}")
    return measurements


def _measure_locked(made, base, ids, large, sizes):
    """What lost leads are worth is worked out of these leads: the same with few traces of them."""
    leads = sizes["large"] // data.STEPS
    name = made.copy(base, "locked")
    data.fill(name, ids, sizes["small"])
    data.add_leads(name, ids, leads)
    few, many = inside(base, "screens", "read_locked", few=name, many=large, rounds=9)
    return Measurement(
        "locked_value",
        f"Locked value of {leads:,} lost leads at {sizes['large']:,} traces",
        many,
        f"at {sizes['small']:,}",
        few,
        2,
    )


def _measure_answers(names, ids, core_ids, large, medium, count=120):
    """Send the same answers to an Odoo with few traces, one with many, and to core alone."""
    seconds = {}
    with contextlib.ExitStack() as stack:
        servers, answers = {}, {}
        for size in ("core", "medium", "large"):
            own = core_ids if size == "core" else ids
            answers[size] = inside(names[size], "answers", "requests", ids=own, count=count)
            servers[size] = stack.enter_context(_serving(names[size]))
        for kind in ("open", "click", "reply"):
            seconds[kind] = _send_in_turns(servers, kind, answers)
            for size in ("medium", "large") if kind != "reply" else ():
                took, hits = inside(names[size], "answers", "tell")
                if hits != count:
                    raise shell.Failure(f"{hits} of {count} are taken for a person's {kind}.")
                seconds[kind][size] += took
    measurements = []
    for kind, by_size in seconds.items():
        title, rival = {
            "open": ("An open", "core"),
            "click": ("A click", "core"),
            "reply": ("A reply", "core, and the same restore, note and activity"),
        }[kind]
        measurements += [
            Measurement(
                kind, f"{title}, judged and handled", by_size["medium"], rival, by_size["core"], 1.3
            ),
            Measurement(
                f"{kind}_many",
                f"{title} at {large}",
                by_size["large"],
                medium,
                by_size["medium"],
                1.3,
            ),
        ]
    return measurements


@contextlib.contextmanager
def _serving(database):
    log = settings.LOGS / f"bench-{database}.log"
    # every recipient has an address of its own, which only a proxy can tell
    with odoo.serving(
        database, shell.free_port(), "--max-cron-threads=0", "--proxy-mode", log=log
    ) as server:
        yield server
    log.unlink()


def _send_in_turns(servers, kind, answers):
    """Send answers to each server in turn, one at a time; return the median seconds of each."""
    send = {
        size: _make_mailer(server, answers[size]["restoring"])
        if kind == "reply"
        else _make_browser(server)
        for size, server in servers.items()
    }
    taken = {size: [] for size in servers}
    for number in range(len(answers["core"][kind])):
        for size in servers:
            start = time.perf_counter()
            send[size](answers[size][kind][number], number)
            taken[size].append(time.perf_counter() - start)
    # the first ones load what is loaded once
    return {size: statistics.median(seconds[10:]) for size, seconds in taken.items()}


def _make_browser(server):
    host = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(host)

    def get(path, number):
        address = f"10.1.{number // 250}.{number % 250 + 1}"
        headers = {"User-Agent": BROWSER, "X-Forwarded-For": address, "X-Forwarded-Host": host}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status >= 400:
            raise shell.Failure(f"{path}: {response.status}")

    return get


def _make_mailer(server, action):
    """
    :param action: id of the server action that takes the mail in, where core is to do what the
        sequence does
    """
    proxy = xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/object")
    common = xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/common")
    uid = common.authenticate(server.database, server.login, server.password, {})
    call = functools.partial(proxy.execute_kw, server.database, uid, server.password)

    def post(mail, _number):
        if action:
            call("ir.actions.server", "run", [[action]], {"context": {"mail": mail}})
        else:
            call("mail.thread", "message_process", [False, mail])

    return post


# ----------------------------------------------------------------
# MANY SEQUENCES
# ----------------------------------------------------------------


def measure_crowd(made, scale):
    """Tick and look with fifty sequences, and read the lists that count leads."""
    sequences, leads = 50, _at_least(300_000 * scale, 10_000)
    names = {}
    for count, size in ((1, 3000), (sequences, leads)):
        names[count] = made.copy(templates.base(demo=False), f"crowd_{count}")
        odoo.install(names[count], addons.names())
        ids = inside(names[count], "prepare", "with_crowd", sequences=count)
        data.fill_crowd(names[count], ids, size)
        inside(names[count], "crowd", "look_through")
    few, many = inside(names[1], "crowd", "tick", few=names[1], many=names[sequences], rounds=9)
    looking, bare = inside(names[sequences], "crowd", "look", rounds=3)
    lists = inside(names[sequences], "crowd", "read_lists", rounds=9)
    locked, added_up = inside(names[sequences], "crowd", "read_locked", rounds=5)
    crowd = f"{sequences} sequences and {leads:,} leads"
    return [
        Measurement("tick_crowd", f"A tick with nothing due, {crowd}", many, "1 and 3,000", few, 3),
        Measurement(
            "look_crowd",
            f"Look all leads through, {crowd}",
            looking,
            "the same choices in bare SQL",
            bare,
            2,
        ),
        *(
            Measurement(
                name.replace(" ", "_"), f"{name.capitalize()}, {crowd}", own, "core's", rival, 2
            )
            for name, (own, rival) in lists.items()
        ),
        Measurement(
            "locked_value", f"Locked value, {crowd}", locked, "added up in bare SQL", added_up, 8
        ),
    ]


# ----------------------------------------------------------------
# SILENT CUSTOMERS
# ----------------------------------------------------------------


def measure_customers(made, scale):
    """Choose the customers who order no more, of very many with very many orders."""
    customers, orders = (_at_least(most * scale, 10_000) for most in (100_000, 1_000_000))
    name, ids = made.with_addons("customers", "plainly")
    data.fill_customers(name, ids, customers, orders)
    choosing, bare = inside(name, "customers", "choose", rounds=5)
    return [
        Measurement(
            "silent_customers",
            f"Choose silent customers of {customers:,} with {orders:,} orders",
            choosing,
            "the same choice in bare SQL",
            bare,
            3,
        )
    ]


# ----------------------------------------------------------------
# REFUSED QUOTATIONS
# ----------------------------------------------------------------


def measure_quotations(made, scale):
    """Work out what very many refused quotations cost today, and choose whom that lets in."""
    leads, some = (_at_least(most * scale, 1000) for most in (300_000, 20_000))
    name, ids = made.with_addons("quotations", "with_products")
    data.fill_quotations(name, ids, leads)
    own, core = inside(name, "quotations", "work_out", count=some)
    data.fill_prices(name, ids)
    choosing, bare = inside(name, "quotations", "choose", rounds=5)
    return [
        Measurement(
            "price",
            f"Work out what a refused quotation costs today, of {some:,}",
            own,
            "core's “Update Prices”",
            core,
            1,
        ),
        Measurement(
            "choose_by_price",
            f"Choose whom today's price lets in, of {leads:,} leads",
            choosing,
            "that alone in bare SQL, whatever else excludes leads",
            bare,
            5,
        ),
    ]


# ----------------------------------------------------------------
# REPLAY
# ----------------------------------------------------------------


def measure_replay(made, scale):
    """Replay two years of few leads and of very many: how much longer each lead takes, and for how
    long whoever looks on waits at most."""
    few, many = 3000, _at_least(300_000 * scale, 10_000)
    base, ids = made.with_addons("replay", "with_sequence")
    seconds, longest = {}, {}
    for leads in (few, many):
        name = made.copy(base, f"replay_{leads}")
        data.add_leads(name, ids, leads)
        seconds[leads], longest[leads], entered, mails = inside(
            name, "replays", "play", ids=ids, months=24
        )
        shell.say(f"  {leads:,} leads: {entered:,} enter, {mails:,} mails, {seconds[leads]:.0f} s")
    return [
        Measurement(
            "replay",
            f"Replay two years of {many:,} leads, each lead",
            seconds[many] / many,
            f"of {few:,}",
            seconds[few] / few,
            1,
        ),
        Measurement(
            "replay_part",
            f"The longest that somebody waits for its next picture, {many:,} leads",
            longest[many],
            "a minute",
            60.0,
            1,
        ),
    ]


# ----------------------------------------------------------------
# INSTALLING
# ----------------------------------------------------------------


def measure_install(made, scale):
    """Install where people are at work, with few leads and with many."""
    seconds, waits = {}, {}
    many = _at_least(300_000 * scale, 3000)
    base = made.copy(templates.base(demo=False), "uninstalled")
    ids = inside(base, "prepare", "plainly")
    for count in sorted({3000, many}):
        name = made.copy(base, f"installing_{count}")
        data.fill_plainly(name, ids, count)
        seconds[count], waits[count], errors = install.install_beside_people(name)
        if errors:
            raise shell.Failure(f"Installing got into the way of others: {errors[0]}")
    return [
        Measurement(
            "install",
            f"Install beside people at work on {many:,} leads",
            seconds[many],
            "on 3,000",
            seconds[3000],
            2,
        ),
        Measurement(
            "install_wait",
            "The longest that somebody waits to save a lead meanwhile",
            waits[many],
            "a second",
            1.0,
            1,
        ),
    ]


def _at_least(number, least):
    return max(least, int(number))
