"""What the browser asks the server for when somebody opens a form or a list."""

import functools
from ast import literal_eval

from lxml import etree

from odoo.tests import Form

from .inside import environment, in_turns


def count_statistics(env, ids):
    """Do what the scheduled action does every quarter of an hour."""
    env["nurture.sequence"].browse(ids["sequence"])._keep_statistics()
    env["nurture.report.kept"]._count()
    env.cr.commit()  # pylint: disable=invalid-commit


def read(_env, few, many, ids, rounds):
    """Seconds of each screen in two databases.

    :return: {screen: [seconds with few, seconds with many]}
    """
    with environment(few) as env_few, environment(many) as env_many:
        screens = [
            _screens(env(user=env.ref("base.user_admin")), ids) for env in (env_few, env_many)
        ]
        return {name: in_turns(rounds, screens[0][name], screens[1][name]) for name in screens[0]}


def read_locked(_env, few, many, rounds):
    """Seconds of what lost leads are worth, in two databases with as many of them."""
    with environment(few) as env_few, environment(many) as env_many:
        pages = [
            _anew(env, functools.partial(search, env["nurture.locked"], []))
            for env in (env_few, env_many)
        ]
        return in_turns(rounds, *pages)


def _screens(env, ids):
    sequence = env["nurture.sequence"].browse(ids["sequence"])
    participants = env["nurture.participant"]
    participant = participants.search([("sequence_id", "=", sequence.id)], limit=1)
    lead = participant.lead_id
    return (
        _reports(env)
        | _pages(env, sequence)
        | {
            "overview": functools.partial(
                search, sequence, [("is_template", "=", False)], "kanban"
            ),
            "sequence form": _form(sequence),
            "participants list": functools.partial(
                search, participants, [("sequence_id", "=", sequence.id)]
            ),
            "timeline": _form(participant),
            "lead form": _form(lead.with_context(active_test=False)),
        }
    )


def _reports(env):
    """The analysis: its pivot, its graph, and each of the filters that are ready."""
    report = env["nurture.report"]
    filters = env["ir.filters"].search([("model_id", "=", report._name)], order="id")
    reports = {
        "pivot": functools.partial(
            report.formatted_read_grouping_sets,
            [],
            [[], ["sequence_id"]],
            ["entered:sum", "sent:sum", "opened_rate:avg", "won_back:sum", "won_back_rate:avg"],
        ),
        "graph": functools.partial(
            report.formatted_read_group, [], ["lost_reason_id"], ["won_back_rate:avg"]
        ),
    }
    for one in filters:
        context = literal_eval(one.context)
        measures = [
            f"{name}:{report._fields[name].aggregator}" for name in context["pivot_measures"]
        ]
        reports[one.name] = functools.partial(
            report.formatted_read_group, literal_eval(one.domain), context["group_by"], measures
        )
    return {f"analysis, {name}": _anew(env, read) for name, read in reports.items()}


def _pages(env, sequence):
    """The pages that answer one question each, about all sequences, and what is worked out for one:
    its results, the comparison, where people click."""
    report = env["nurture.report"]
    mailing = sequence.step_ids[:1].mailing_id
    pages = {
        "dashboard": env["nurture.sequence"].get_dashboard,
        "funnel": report.get_funnel,
        "hours": report.get_hours,
        "months lost": report.get_cohorts,
        "comparison": lambda: env["nurture.comparison"].create({"by": "reason"}).line_ids,
        "workflow": lambda: sequence.workflow,
        "where they click": mailing.get_nurture_clicks,
        "results to print": lambda: env["ir.actions.report"]._render_qweb_html(
            "lost_lead_nurture.nurture_result_report", sequence.ids
        ),
    }
    return {name: _anew(env, read) for name, read in pages.items()}


def _anew(env, read):
    def read_anew():
        env.invalidate_all()
        read()

    return read_anew


def _form(record):
    fields = Form(record)._view["fields_spec"]

    def read_form():
        record.env.invalidate_all()
        record.web_read(fields)

    return read_form


def search(model, domain, view_type="list", leave_out=None):
    """Read what a view shows of some records.

    :param leave_out: how the names of fields begin that are not read
    """
    arch = etree.fromstring(model.get_view(view_type=view_type)["arch"])
    fields = {
        node.get("name"): {"fields": {"display_name": {}}}
        if model._fields[node.get("name")].relational
        else {}
        for node in arch.iter("field")
        if not (leave_out and node.get("name").startswith(leave_out))
    }
    model.env.invalidate_all()
    model.web_search_read(domain, fields, limit=80, count_limit=10001)
