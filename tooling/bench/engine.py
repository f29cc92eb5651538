"""Entering, deciding, an idle scheduled action, memory: the engine beside bare SQL."""

import resource

from .data import vacuum
from .inside import environment, in_turns


def enrol_for_good(env, ids):
    """Let all leads enter.

    :return: the most memory this process ever had, in MB
    """
    _silent(env, ids).sequence_id._enrol_matching()
    env.cr.commit()  # pylint: disable=invalid-commit
    return _peak()


def decide_for_good(env, ids):
    """Process all that is due.

    :return: the most memory this process ever had, in MB
    """
    env["nurture.trace"]._process_due(_silent(env, ids))
    return _peak()


def enrol(env, ids, rounds):
    """Seconds of letting all leads enter, and of writing the same rows by bare SQL."""
    return _beside_bare_writes(
        env,
        rounds,
        lambda env: _silent(env, ids).sequence_id._enrol(),
        [
            f"INSERT INTO {table} SELECT * FROM bench_{table}"
            for table in ("nurture_participant", "nurture_trace")
        ],
    )


def decide(env, ids, rounds):
    """Seconds of advancing due traces of a step that sends nothing, and of the bare writes."""
    return _beside_bare_writes(
        env,
        rounds,
        lambda env: _advance(_silent(env, ids)),
        [
            "UPDATE nurture_trace SET state = done.state, reason = done.reason,"
            " processed_date = done.processed_date, decision_log = done.decision_log,"
            " retry_date = done.retry_date, detail = done.detail, write_date = done.write_date"
            " FROM bench_nurture_trace done"
            " WHERE done.id = nurture_trace.id AND done.parent_id IS NULL",
            "INSERT INTO nurture_trace SELECT * FROM bench_nurture_trace"
            " WHERE parent_id IS NOT NULL",
            "UPDATE nurture_participant SET state = done.state, exit_reason = done.exit_reason,"
            " exit_date = done.exit_date, write_date = done.write_date"
            " FROM bench_nurture_participant done"
            " WHERE done.id = nurture_participant.id AND done.state != 'running'",
            "UPDATE crm_lead SET nurture_score = 1, write_date = now() WHERE id IN"
            " (SELECT lead_id FROM nurture_participant participant"
            " JOIN bench_nurture_trace done ON done.participant_id = participant.id"
            " WHERE done.state = 'processed')",
        ],
    )


def tick(_env, few, many, rounds):
    """Seconds of the scheduled action with nothing due, in two databases."""
    with environment(few) as env_few, environment(many) as env_many:
        return in_turns(
            rounds, *(env["nurture.sequence"]._cron_advance for env in (env_few, env_many))
        )


def _silent(env, ids):
    return env["nurture.step"].browse(ids["silent"])


def _advance(step):
    """The batches of the scheduled action, without their commits so that they can be undone."""
    traces = step.env["nurture.trace"]
    while batch := traces._claim(step, step._get_batch_size()):
        batch._execute()
        step.env.flush_all()
        step.env.invalidate_all()


def _beside_bare_writes(env, rounds, work, statements):
    """Do the work and the writes in turns, each undone before the next."""
    database = env.cr.dbname

    def engine():
        with environment(database) as fresh:
            work(fresh)

    def bare():
        with environment(database) as fresh:
            for statement in statements:
                fresh.cr.execute(statement)

    def clean_up():
        env.cr.rollback()
        vacuum(database, "nurture_participant", "nurture_trace", "crm_lead")
        return 0.0

    # the clean-up counts as a measure that nobody reads
    seconds = in_turns(rounds, engine, clean_up, bare, clean_up)
    return seconds[0], seconds[2]


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
