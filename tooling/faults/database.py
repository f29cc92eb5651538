"""PostgreSQL: conflicts with other sessions, and a server that crashes under load."""

import contextlib
import subprocess
import time

from .. import cluster, settings, shell
from .workers import Workers
from .world import World

#: What a worker ends with when its database is gone: an error, or its parent's kill.
FAILED = 1


def conflicts(world, plan):
    """A session that locks and changes the same leads, participants, traces and mails in all
    orders, while two workers advance and send."""
    campaign = world.campaign("conflicts", 40)
    disturbers = [
        world.workers.begin(
            "disturb", sequence_id=campaign.id, seconds=plan.conflict_seconds, seed=number
        )
        for number in plan.random_numbers[:2]
    ]
    deadline = time.monotonic() + plan.conflict_seconds
    while time.monotonic() < deadline:
        workers = [world.workers.begin("advance_and_send") for _number in range(2)]
        for worker in workers:
            worker.wait(FAILED)
        campaign.more_leads(5)
    results = [disturber.result() for disturber in disturbers]
    campaign.settle()
    outcome = campaign.judge()
    times, lost = (sum(numbers) for numbers in zip(*results, strict=True))
    outcome.note = f"disturbed {times} times, {lost} conflicts on that side"
    return outcome


def restarts(world, plan):
    """PostgreSQL, one of this run's own, stopped under load: like a crash, and in order."""
    with CrashingCluster() as own:
        own.copy(world.workers.database)
        with Workers(world.workers.database, world.post.port, f"--db_port={own.port}") as workers:
            there = World(workers, world.post, None, own.port)
            campaign = there.campaign("restarts", 10)
            for mode, seconds in plan.restarts:
                campaign.more_leads(15)
                load = [workers.begin("tick", times=20) for _number in range(2)]
                time.sleep(seconds)
                own.restart(mode)
                for worker in load:
                    worker.wait(FAILED)
            # the screen is Odoo's: here a worker does what its buttons do
            campaign.failures = lambda: workers.do("failures", sequence_id=campaign.id)
            there.user = Hands(workers)
            campaign.settle()
            outcome = campaign.judge()
    modes = [mode for mode, _seconds in plan.restarts]
    outcome.note = f"{modes.count('immediate')} crashes, {modes.count('fast')} restarts"
    return outcome


class Hands:
    """The marketer, without a web server."""

    def __init__(self, workers):
        self._workers = workers

    def call(self, model, method, ids):
        """Press a button."""
        self._workers.do("press", model=model, method=method, ids=ids)


class CrashingCluster:
    """A PostgreSQL cluster that is this run's own (a context manager)."""

    HOME = settings.DEV / "faults-pg"
    DATA = HOME / "data"

    def __enter__(self):
        self._stop("immediate")
        shell.remove(self.HOME)
        self.HOME.mkdir(parents=True)
        word = self.HOME / "password"
        word.touch(mode=0o600)
        word.write_text(cluster.password())
        if cluster.as_server_user():
            cluster.give_to_server_user(self.HOME, word)
        self._run(
            "initdb",
            *("-U", cluster.USER, "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={word}", "--no-sync"),
        )
        with (self.DATA / "postgresql.conf").open("a") as file:
            # unlike the clone's own one: what is committed must outlive a crash
            file.write(cluster.CONFIGURATION.replace("synchronous_commit = off", ""))
        self.port = shell.free_port()
        self._start()
        return self

    def __exit__(self, *_exception):
        self._stop("immediate")
        shell.remove(self.HOME)

    def copy(self, database):
        """Copy a database of the clone's cluster to this one."""
        with contextlib.closing(cluster.connect(port=self.port)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
        environment = cluster.environment() | {"PGPASSWORD": cluster.password()}
        tools, common = cluster.programs(), ["-h", "127.0.0.1", "-U", cluster.USER]
        with subprocess.Popen(
            [tools / "pg_dump", *common, "-p", str(cluster.ensure()), database],
            stdout=subprocess.PIPE,
            env=environment,
        ) as dump:
            done = subprocess.run(
                [tools / "psql", *common, "-p", str(self.port), "-q", "-v", "ON_ERROR_STOP=1"]
                + ["-d", database],
                stdin=dump.stdout,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        if done.returncode or dump.returncode:
            raise shell.Failure(f"The database could not be copied.\n{done.stderr[-2000:]}")

    def restart(self, mode):
        """Stop it in a mode of pg_ctl, and start it again."""
        self._stop(mode)
        self._start()

    def _start(self):
        self._run("pg_ctl", "start", "-w", "-l", self.HOME / "log", "-o", f"-p {self.port}")

    def _stop(self, mode):
        if (self.DATA / "postmaster.pid").exists():
            with contextlib.suppress(shell.Failure):
                self._run("pg_ctl", "stop", "-w", "-m", mode)

    def _run(self, program, *arguments):
        shell.run(
            [*cluster.as_server_user(), cluster.programs() / program, "-D", self.DATA]
            + list(arguments),
            log=settings.LOGS / "faults-pg.log",
            failure=f"{program} failed.",
            cwd="/",
            env=cluster.environment(),
        )
