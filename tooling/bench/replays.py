"""A replay of two years of lost leads."""

import time


def play(env, ids, months):
    """Play the running sequence, part by part, as the screen does.

    :return: seconds of all of it, seconds of the longest part, how many leads would have entered
        and how many mails they would have got
    """
    sequence = env["nurture.sequence"].browse(ids["sequence"])
    start = last = time.perf_counter()
    replay = sequence._replay(months, "everybody")
    longest = 0
    while True:
        env.cr.commit()  # pylint: disable=invalid-commit
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if replay.state == "done":
            return now - start, longest, replay.entered_count, replay.mail_count
        replay.action_go_on()
