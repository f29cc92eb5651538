"""Composing, queueing and sending the mail of a step, beside core's plain mailing to the same
people."""

import functools
import itertools
import warnings

from . import prepare
from .inside import in_turns, timed


def queue(env, ids, rounds, chunk, total):
    """Seconds per mail.

    :param chunk: mails per round
    :param total: mails of the long run
    :return: of core, of the engine, of the engine over the first thousand and over all
    """
    warnings.simplefilter("ignore", DeprecationWarning)  # core's own, at each of its commits
    step = env["nurture.step"].browse(ids["steps"][0])
    step.sequence_id._enrol_matching()
    env.cr.commit()  # pylint: disable=invalid-commit
    leads = itertools.cycle(step.sequence_id.participant_ids.lead_id.ids)

    def core():
        mailing = prepare.make_mailing(env)
        some = list(itertools.islice(leads, chunk))
        env.cr.commit()  # pylint: disable=invalid-commit
        return timed(mailing.with_context(default_force_send=False)._action_send_mail, some)

    def engine():
        return timed(_queue, step, chunk)

    by_core, by_engine = in_turns(rounds, core, engine)
    first = timed(_queue, step, 1000)
    last = timed(_queue, step, total - 1000)
    return by_core / chunk, by_engine / chunk, first / 1000, (first + last) / total


def send(env, ids, port, rounds, chunk):
    """Seconds per mail of sending what is queued to a mail server on ``port``, by core and by the
    engine."""
    warnings.simplefilter("ignore", DeprecationWarning)  # core's own, at each of its commits
    env["ir.mail_server"].create({"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": port})
    step = env["nurture.step"].browse(ids["steps"][0])
    step.sequence_id._enrol_matching()
    env.cr.commit()  # pylint: disable=invalid-commit
    total = (rounds + 1) * chunk
    plain = prepare.make_mailing(env)
    leads = step.sequence_id.participant_ids.lead_id.ids[:total]
    plain.with_context(default_force_send=False)._action_send_mail(leads)
    _queue(step, total)
    queues = [
        mailing.mailing_trace_ids.mail_mail_id.sorted("id").ids
        for mailing in (plain, step.mailing_id)
    ]

    def send_some(queue):
        some, queue[:chunk] = queue[:chunk], []
        mails = env["mail.mail"].browse(some)
        env.invalidate_all()
        return timed(functools.partial(mails.send, auto_commit=True))

    by_core, by_engine = in_turns(rounds, *(functools.partial(send_some, each) for each in queues))
    unsent = [
        ("mass_mailing_id", "in", (plain + step.mailing_id).ids),
        ("sent_datetime", "=", False),
    ]
    if left := env["mailing.trace"].search(unsent):
        raise ValueError(f"Not sent: {left.mapped('trace_status')}")
    return by_core / chunk, by_engine / chunk


def _queue(step, count):
    """What the scheduled action does, for so many traces."""
    traces = step.env["nurture.trace"]
    while count > 0:
        batch = traces._claim(step, min(count, step._get_batch_size()))
        if not batch:
            raise ValueError(f"{count} traces are missing")
        batch._run_batch()
        count -= len(batch)
