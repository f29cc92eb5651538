"""Whatever is sent to the pages on which recipients say what they want: it is no error of the
server, and writes nothing but what the owner of a token chose, for the owner of the token.

The long form: ``LEAVING_FUZZ=2000 LEAVING_SEED=7 ./dev test --quick
/lost_lead_nurture:TestLeavingFuzz``."""

import json
import logging
import os
import random
from contextlib import contextmanager

from odoo import http
from odoo.tests import tagged

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..leaving import PageMixin

#: How many requests are made; a hundred take about two seconds.
NUMBER = int(os.environ.get("LEAVING_FUZZ") or 1000)
SEED = int(os.environ.get("LEAVING_SEED") or 20261)
PAGES = (
    ("GET", "/mailing/{mailing_id}/confirm_unsubscribe"),
    ("GET", "/mailing/{mailing_id}/unsubscribe"),
    ("GET", "/mailing/{mailing_id}/view"),
    ("POST", "/mailing/{mailing_id}/unsubscribe"),
    ("POST", "/mailing/{mailing_id}/unsubscribe_oneclick"),
    *(("POST", "/mailing/confirm_unsubscribe"),) * 4,
)
CALLS = (
    *("/mailing/blocklist/add", "/mailing/blocklist/remove"),
    *("/mailing/list/update", "/mailing/feedback"),
)
ODD = (
    *("", "0", "-1", "1.5", "x", "１２", "²", "null", "2147483648", "9" * 40, "%00", "a\x00b"),
    *("ü", "💥", "\u202e", "a" * 20_000, "' OR 1=1 --", "<script>", "../../etc", "{{7*7}}", "[]"),
    *("true", "1e9", " 1 ", "\r\nX: y", "https://evil.example"),
)
ODD_VALUES = (None, True, 1.5, -1, 2**31, 10**30, [], [1], {}, {"a": 1}, "\ud800", *ODD)
TYPES = ("application/json", "text/plain", "multipart/form-data; boundary=x", "x", "text/xml")
#: What core says of a form that was not made by the page, which is no fault.
CSRF = "CSRF"


class _Collector(logging.Handler):
    """What is logged that should not be."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        message = record.getMessage()
        if CSRF not in message:
            self.lines.append(f"{record.name}: {message} {record.exc_info or ''}")


@tagged("post_install", "-at_install")
class TestLeavingFuzz(PageMixin, SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def test_fuzz(self):
        self.sequence.action_start()
        self.advance()
        mail = self.mail_to(ANN)
        self.env["nurture.topic"].create({"name": "Topic"}).sequence_ids = self.sequence
        self.env.flush_all()
        self.valid = {
            **self.parameters_of(mail),
            "mailing_id": str(self.first.mailing_id.id),
            "choice": "everything",
        }
        self.bobs = self.parameters_of(self.mail_to(BOB))
        self.authenticate(None, None)
        self.csrf = http.Request.csrf_token(self)
        draw = random.Random(SEED)
        statuses, wrong = set(), []
        with self.collecting() as collector:
            for number in range(NUMBER):
                before = self.state()
                request = self.mutate(draw)
                response, authorized = self.send(*request)
                statuses.add(response.status_code)
                problems = self.find_problems(response, collector)
                after = self.state()
                if after["others"] != before["others"]:
                    problems.append("others were touched")
                if not authorized and after != before:
                    problems.append(f"written without a right: {before} {after}")
                if problems:
                    wrong.append((number, problems, str(request)[:2000]))
        self.assertFalse(wrong[:5], f"seed {SEED}, {len(wrong)} in all")
        # it has got through to what writes, and to what refuses
        self.assertLessEqual({200, 400, 401}, statuses)
        self.assertTrue(self.state()["own"])
        self.env.invalidate_all()
        self.assertEqual(self.participant(self.bob).state, "running")

    def find_problems(self, response, collector):
        """What is wrong about an answer, in words."""
        problems, collector.lines = collector.lines, []
        if response.status_code >= 500:
            problems.append(f"status {response.status_code}")
        if "evil.example" in response.headers.get("Location", ""):
            problems.append("an open redirect")
        if response.content and "json" in response.headers.get("Content-Type", ""):
            error = (response.json() or {}).get("error") or {}
            name = error.get("data", {}).get("name", "werkzeug.exceptions")
            if not name.startswith("werkzeug.exceptions"):
                problems.append(f"error {name}")
        return problems

    @contextmanager
    def collecting(self):
        """Collect what is logged, in the place of Odoo's own log."""
        collector, kept = _Collector(), []
        for name in ("odoo.http", "odoo.sql_db", "werkzeug", "odoo.addons"):
            logger = logging.getLogger(name)
            kept.append((logger, logger.handlers, logger.propagate))
            logger.handlers, logger.propagate = [collector], False
        try:
            yield collector
        finally:
            for logger, handlers, propagate in kept:
                logger.handlers, logger.propagate = handlers, propagate

    def state(self):
        """All that such a request can write: of the owner of the token, and of all others."""
        self.env.cr.execute(
            """
            SELECT coalesce(email, '') = %(own)s AS is_own, count(*), sum(sign)
              FROM (SELECT email, 1 AS sign FROM nurture_preference
                 UNION ALL SELECT email, active::int + 1 FROM mail_blacklist
                 UNION ALL SELECT email, (state = 'running')::int FROM nurture_participant
                 UNION ALL SELECT email, (nurture_unsubscribe_date IS NULL)::int + 2
                             FROM mailing_trace
                 UNION ALL SELECT '', 1 FROM mail_message WHERE model != 'mail.blacklist') known
          GROUP BY 1
            """,
            {"own": ANN},
        )
        rows = {is_own: tuple(rest) for is_own, *rest in self.env.cr.fetchall()}
        return {"own": rows.get(True), "others": rows.get(False)}

    def mutate(self, draw):
        """A request that is almost right: (method, path, parameters, content type, body)."""
        parameters = {**self.valid, "csrf_token": self.csrf}
        is_call = draw.random() < 0.25
        method, path = ("POST", draw.choice(CALLS)) if is_call else draw.choice(PAGES)
        if is_call:
            parameters |= {"mailing_id": int(self.valid["mailing_id"]), "lists_optin_ids": []}
            parameters |= {"opt_out_reason_id": 1, "last_action": "blocklist_add"}
        parameters["choice"] = draw.choice(
            ("sequence", "fewer", "pause", "topics", "everything", "complaint", "return", "x")
        )
        parameters |= {"number": draw.choice(("1", "2", "31")), "until": "2031-01-01"}
        content_type = None
        for _time in range(draw.choice((0, 1, 1, 1, 2, 3))):
            name = draw.choice((*parameters, "hash_token", "document_id", "email", "topic"))
            kind = draw.randrange(6)
            if kind == 0:
                parameters.pop(name, None)
            elif kind == 1:
                parameters[name] = draw.choice(ODD_VALUES if is_call else ODD)
            elif kind == 2 and name in self.bobs:
                parameters[name] = self.bobs[name]
            elif kind == 3:
                method = draw.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"))
            elif kind == 4:
                content_type = draw.choice(TYPES)
            else:
                parameters[draw.choice(ODD)[:50]] = draw.choice(ODD)
        return method, path, parameters, content_type, is_call

    def send(self, method, path, parameters, content_type, is_call):
        """Send it.

        :return: the response, and whether the owner of the token may be meant
        """
        parameters = dict(parameters)
        if "{mailing_id}" in path:
            mailing_id = str(parameters.pop("mailing_id", ""))[:60]
            path = path.format(mailing_id=mailing_id.replace("/", "%2F").replace("\r\n", ""))
        headers = {"Content-Type": content_type} if content_type else {}
        options = {"method": method, "headers": headers, "allow_redirects": False}
        names = ("document_id", "email", "hash_token")
        authorized = all(str(parameters.get(name)) == self.valid[name] for name in names)
        if is_call:
            body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": parameters})
            headers.setdefault("Content-Type", "application/json")
            return self.url_open(path, data=body, **options), authorized
        if method in ("GET", "HEAD", "OPTIONS", "DELETE") or "oneclick" in path:
            data = {"List-Unsubscribe": "One-Click"} if "oneclick" in path else None
            response = self.url_open(path, params=parameters, data=data, **options)
            # to look changes nothing
            return response, authorized and method == "POST"
        return self.url_open(path, data=parameters, **options), authorized
