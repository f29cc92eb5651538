"""The rules that tell bots from people, without Odoo."""

import random
import types
import unittest
from datetime import datetime, timedelta

from . import pure

bots = pure.load("bots")

NOW = datetime(2026, 3, 2, 9, 0, 0)
LATER = timedelta(minutes=5)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/{}.0.0.0 Safari/537.36"
)
BROWSERS = (
    CHROME.format(142),
    CHROME.format(142) + " Edg/142.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Mobile/15E148 Instagram 380.0.0.29.109",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/137.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; CUBOT) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/137.0.0.0 Mobile Safari/537.36",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
)
IMAGE_LOADERS = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0)",
    "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)",
    "okhttp/4.12.0",
)
BOTS = (
    "",
    "   ",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) " + CHROME.format(116),
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "Mimecast URL Protect",
    "Proofpoint URL Defense",
)
PROGRAMS = (
    "python-requests/2.32.3",
    "curl/8.5.0",
    "Wget/1.21.4",
    "Go-http-client/2.0",
    "Java/17.0.9",
    "okhttp/4.12.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " HeadlessChrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0",
    bots.PREFETCHING[1],
)


def request(user_agent=BROWSERS[0], **values):
    return bots.Request(user_agent=user_agent, **values)


class TestAlone(unittest.TestCase):
    def test_people(self):
        for agent in BROWSERS:
            with self.subTest(agent):
                self.assertIsNone(bots.judge_click(request(agent), LATER))
                self.assertIsNone(bots.judge_open(request(agent), LATER))
        for agent in IMAGE_LOADERS:
            with self.subTest(agent):
                self.assertIsNone(bots.judge_open(request(agent), LATER))

    def test_versions_of_browsers(self):
        """No version of a browser is taken for a bot, but the one that Gmail uses."""
        for version in range(40, 400):
            agent = CHROME.format(version)
            self.assertIsNone(bots.judge_click(request(agent), LATER), agent)

    def test_bots(self):
        for agent in BOTS:
            with self.subTest(agent):
                self.assertEqual(bots.judge_click(request(agent), LATER), "user_agent")
                self.assertEqual(bots.judge_open(request(agent), LATER), "user_agent")
        for agent in PROGRAMS:
            with self.subTest(agent):
                self.assertEqual(bots.judge_click(request(agent), LATER), "user_agent")

    def test_prefetch_of_images(self):
        for agent in bots.PREFETCHING:
            self.assertEqual(bots.judge_open(request(agent), LATER), "prefetch")

    def test_methods(self):
        for method in ("HEAD", "OPTIONS", "POST"):
            asked = request(method=method)
            self.assertEqual(bots.judge_click(asked, LATER), "head_request")
            self.assertEqual(bots.judge_open(asked, LATER), "head_request")

    def test_headers(self):
        for headers, expected in (
            ({}, False),
            ({"Purpose": "prefetch"}, True),
            ({"Sec-Purpose": "prefetch;prerender"}, True),
            ({"X-Purpose": "preview"}, True),
            ({"X-Moz": "Prefetch"}, True),
            ({"Purpose": ""}, False),
            ({"Sec-Fetch-Mode": "navigate"}, False),
        ):
            with self.subTest(headers):
                self.assertEqual(bots.is_prefetch(headers), expected)
        self.assertEqual(bots.judge_click(request(prefetch=True), LATER), "prefetch")
        self.assertEqual(bots.judge_open(request(prefetch=True), LATER), "prefetch")

    def test_time(self):
        second = timedelta(seconds=1)
        for judge in (bots.judge_click, bots.judge_open):
            self.assertEqual(judge(request(), None), "too_fast", "not sent yet")
            self.assertEqual(judge(request(), timedelta(0)), "too_fast")
            self.assertEqual(judge(request(), bots.TOO_FAST - second), "too_fast")
            self.assertIsNone(judge(request(), bots.TOO_FAST))
            self.assertIsNone(judge(request(), timedelta(days=900)))

    def test_forged(self):
        self.assertEqual(bots.judge_click(request(), LATER, signed=False), "forged")

    def test_every_reason_has_a_label(self):
        self.assertEqual(
            {reason for reason, _label in bots.REASONS},
            {"forged", "head_request", "prefetch", "user_agent", "too_fast", "burst", "honeypot"},
        )


class TestRequests(unittest.TestCase):
    def test_ten_seconds_are_too_fast(self):
        for seconds, reason in ((9, "too_fast"), (10, None)):
            for judge in (bots.judge_click, bots.judge_open):
                self.assertEqual(judge(request(), timedelta(seconds=seconds)), reason)

    def test_a_request_cannot_be_sent_along(self):
        asked = request()
        for value, found in ((asked, asked), ({"method": "GET"}, None), ("GET", None)):
            env = types.SimpleNamespace(context={"nurture_request": value})
            self.assertIs(bots.get_request(env), found)
        self.assertIsNone(bots.get_request(types.SimpleNamespace(context={})))

    def test_what_was_judged_is_itself(self):
        """Contexts that carry it are compared often, and its dates may be many."""
        one, other = bots.Judged({1: NOW}), bots.Judged({1: NOW})
        self.assertNotEqual(one, other)
        self.assertEqual(len({one, other}), 2)
        for value, found in ((one, one), ({1: NOW}, None), (None, None)):
            env = types.SimpleNamespace(context={"nurture_judged": value})
            self.assertIs(bots.get_judged(env), found)

    def test_what_was_seen_stays(self):
        for seen, name in ((request(), "prefetch"), (bots.Judged({}), "dates")):
            with self.assertRaises(AttributeError):
                setattr(seen, name, True)


class TestTogether(unittest.TestCase):
    def test_a_picture_is_no_hidden_link(self):
        self.assertEqual(bots.judge_together([bots.Hit(NOW)]), {})

    def judge(self, *hits):
        """Judge hits given as (seconds, link), the link “” being the picture, “!” the honeypot."""
        hits = [
            bots.Hit(NOW + timedelta(seconds=seconds), link.strip("!"), link == "!")
            for seconds, link in hits
        ]
        reasons = bots.judge_together(hits)
        return [reasons.get(hit) for hit in hits]

    def test_people(self):
        for hits in (
            [(0, "")],
            [(0, "a")],
            [(0, "a"), (0, "a"), (1, "a")],  # twice, or by the gateway, too
            [(0, ""), (0, "a")],
            [(0, "a"), (2, "b")],
            [(0, "a"), (3, "b"), (6, "c")],
            [(60 * n, link) for n, link in enumerate("abcdefghij")],
        ):
            with self.subTest(hits):
                self.assertEqual(self.judge(*hits), [None] * len(hits))

    def test_bursts(self):
        for hits in (
            [(0, "a"), (0, "b")],
            [(0, "a"), (1, "b")],
            [(0, "a"), (2, "b"), (5, "c")],
            [(0, ""), (0, "a"), (0, "b")],
            [(0, "a"), (30, "b"), (30, "c"), (60, ""), (90, "a")],
        ):
            with self.subTest(hits):
                self.assertEqual(self.judge(*hits), ["burst"] * len(hits))

    def test_honeypots(self):
        self.assertEqual(self.judge((0, "a"), (60, "!")), ["honeypot", "honeypot"])
        self.assertEqual(self.judge((0, "!"), (60, "")), ["honeypot", "honeypot"])
        self.assertEqual(self.judge((0, "a"), (61, "!"), (122, "a")), [None, "honeypot", None])
        self.assertEqual(self.judge((0, "a"), (0, "b"), (0, "!")), ["honeypot"] * 3)

    def test_a_person_after_the_bot(self):
        self.assertEqual(self.judge((0, "a"), (0, "b"), (61, "a")), ["burst", "burst", None])

    def test_order_does_not_matter(self):
        rng = random.Random(7)
        for _round in range(300):
            hits = [(rng.randrange(200), rng.choice(["", "a", "b", "c", "!"])) for _hit in range(9)]
            expected = dict(zip(hits, self.judge(*hits), strict=True))
            rng.shuffle(hits)
            self.assertEqual(dict(zip(hits, self.judge(*hits), strict=True)), expected, hits)

    def test_what_the_rules_say(self):
        """Against the rules' own words, however slow."""
        rng = random.Random(11)
        second = timedelta(seconds=1)
        for _round in range(300):
            hits = [(rng.randrange(400), rng.choice("aabc")) for _hit in range(8)]
            proofs = set()
            for links, period in bots.BURSTS:
                for start, _link in hits:
                    recent = [hit for hit in hits if 0 <= hit[0] - start <= period / second]
                    if len({link for _seconds, link in recent}) >= links:
                        proofs |= {seconds for seconds, _link in recent}
            near = bots.NEAR / second
            for hit, reason in zip(hits, self.judge(*hits), strict=True):
                expected = any(abs(hit[0] - proof) <= near for proof in proofs)
                self.assertEqual(reason == "burst", expected, (hit, hits))

    def test_many(self):
        """Somebody who calls a link again and again does not keep the judge busy."""
        hits = [(n % 4000, "ab"[n % 2]) for n in range(40000)]
        self.assertEqual(set(self.judge(*hits)), {"burst"})


class TestNotes(unittest.TestCase):
    def take(self, *hits):
        notes = []
        for kind, reason, seconds, *link in hits:
            date = str(NOW + timedelta(seconds=seconds))
            notes = bots.take_note(notes, kind, reason, date, *link)
        return [(one["kind"], one["reason"], one["hits"], len(one["links"])) for one in notes]

    def test_soon_after_each_other(self):
        """Many hits of a kind are one note; later ones, and others, are notes of their own."""
        burst = [("click", "burst", number % 3, f"link{number % 5}") for number in range(200)]
        self.assertEqual(self.take(*burst), [("click", "burst", 200, 5)])
        self.assertEqual(
            self.take(*burst, ("open", "prefetch", 4), ("click", "burst", 200, "link1")),
            [("click", "burst", 200, 5), ("open", "prefetch", 1, 0), ("click", "burst", 1, 1)],
        )

    def test_no_end(self):
        """Whoever forges clicks for days does not fill the database."""
        hits = [
            ("click", "forged", number * 3600, f"{number % 2}{number}") for number in range(500)
        ]
        notes = self.take(*hits, ("open", "prefetch", 9_000_000))
        self.assertEqual(len(notes), bots.MAX_NOTES)
        self.assertEqual(sum(hits for _kind, _reason, hits, _links in notes), 500)
        self.assertLessEqual(notes[-1][3], bots.MAX_LINKS)

    def test_a_minute_is_soon(self):
        for seconds, count in ((60, 1), (61, 2)):
            hits = [("open", "prefetch", 0), ("open", "prefetch", seconds)]
            self.assertEqual(len(self.take(*hits)), count)
        hits = [("open", "prefetch", seconds) for seconds in (0, 300, 330)]
        self.assertEqual([hits for _kind, _why, hits, _links in self.take(*hits)], [1, 2])

    def test_how_much_is_kept(self):
        often = [("click", "burst", 0, f"link{number}") for number in range(30)]
        self.assertEqual(self.take(*often), [("click", "burst", 30, 20)])
        long = [("open", "prefetch", number * 3600) for number in range(30)]
        self.assertEqual(len(self.take(*long)), 20)

    def test_what_was_known_stays(self):
        notes = bots.take_note([], "open", "prefetch", str(NOW))
        bots.take_note(notes, "open", "prefetch", str(NOW))
        self.assertEqual(notes[0]["hits"], 1)
