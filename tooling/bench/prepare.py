"""Makes the records of the benchmark's databases, inside Odoo."""

from odoo.fields import Command

from .data import BODY


def plainly(env):
    """Make what both Odoos have: a lost reason and a mailing to lost leads."""
    env["ir.mail_server"].search([]).active = False
    mailing = make_mailing(env)
    ids = {
        "reason": env["crm.lost.reason"].create({"name": "Bench"}).id,
        "stage": env["crm.stage"].search([], limit=1).id,
        "company": env.company.id,
        "mailings": [mailing.id],
    }
    env.cr.commit()  # pylint: disable=invalid-commit
    return ids


def with_products(env):
    """Make what quotations need: a customer, parts, and a pricelist that makes each of them cost
    100, by a formula, from one piece or from three on."""
    ids = plainly(env)
    parts = env["product.product"].create(
        [
            {"name": f"Part {number}", "list_price": 125, "standard_price": 80, "type": "consu"}
            for number in range(500)
        ]
    )
    parts.taxes_id = False
    rule = {"compute_price": "formula", "base": "list_price", "price_discount": 20}
    pricelist = env["product.pricelist"].create(
        {
            "name": "Bench",
            "currency_id": env.company.currency_id.id,
            "item_ids": [Command.create({**rule, "min_quantity": least}) for least in (0, 3)],
        }
    )
    customer = env["res.partner"].create(
        {"name": "Bench", "property_product_pricelist": pricelist.id}
    )
    env.cr.commit()  # pylint: disable=invalid-commit
    return ids | {
        "customer": customer.id,
        "currency": env.company.currency_id.id,
        "pricelist": pricelist.id,
        "products": parts.ids,
        "uom": parts[0].uom_id.id,
    }


def with_silent_sequence(env):
    """Make a running sequence whose first step sends nothing: a filter that half of the leads
    match, then three steps to plan."""
    ids = plainly(env)
    sequence = _make_sequence(env, ids)
    action = {"step_type": "action", "action_kind": "score", "score": 1}
    matching = repr([("expected_revenue", ">=", 500)])
    step = add_step(env, sequence, **action, filter_domain=matching)
    for days in (1, 2, 3):
        add_step(env, sequence, parent=step, trigger="after", days=days, **action)
    sequence.action_start()
    env.cr.commit()  # pylint: disable=invalid-commit
    return ids | {"silent": step.id}


def with_sequence(env):
    """Make a running sequence, too: two mails a week apart, then one for those who opened, one for
    those who did not, one for those who clicked."""
    ids = plainly(env)
    mailings = env["mailing.mailing"].browse(ids["mailings"])
    mailings += make_mailing(env)
    sequence = _make_sequence(env, ids)
    first = add_step(env, sequence, mailings[0])
    second = add_step(env, sequence, mailings[1], first, "after", 7)
    others = [
        add_step(env, sequence, make_mailing(env), second, trigger, days)
        for trigger, days in (("mail_open", 1), ("mail_not_open", 7), ("mail_click", 1))
    ]
    sequence.action_start()
    ids |= {
        "mailings": mailings.ids,
        "sequence": sequence.id,
        "steps": [step.id for step in (first, second, *others)],
    }
    env.cr.commit()  # pylint: disable=invalid-commit
    return ids


def with_crowd(env, sequences):
    """Make so many running sequences, each for the leads of one reason by a preset of its own,
    without what some other preset chooses."""
    ids = plainly(env)
    reasons = env["crm.lost.reason"].create(
        [{"name": f"Reason {number}"} for number in range(sequences)]
    )
    presets = env["nurture.preset"].create(
        [{"name": reason.name, "lost_reason_ids": reason.ids} for reason in reasons]
    )
    made = []
    for number, preset in enumerate(presets):
        sequence = env["nurture.sequence"].create(
            {
                "name": f"Sequence {number}",
                "preset_id": preset.id,
                "excluded_preset_ids": presets[number - 1].ids if number % 5 == 4 else [],
            }
        )
        first = add_step(env, sequence, make_mailing(env))
        second = add_step(env, sequence, make_mailing(env), first, "after", 7)
        sequence.action_start()
        made.append((sequence.id, first.id, second.id))
    env.cr.commit()  # pylint: disable=invalid-commit
    sequence_ids, first_ids, second_ids = map(list, zip(*made, strict=True))
    return ids | {
        "reasons": reasons.ids,
        "sequences": sequence_ids,
        "firsts": first_ids,
        "seconds": second_ids,
    }


def _make_sequence(env, ids):
    return env["nurture.sequence"].create(
        {
            "name": "Bench",
            "domain": repr([("lost_reason_id", "=", ids["reason"])]),
            # looked at as by default, but nobody has to wait
            "cap_own": True,
            "cap_number": 1000,
        }
    )


def make_mailing(env):
    """Make a mailing of usual size to leads."""
    return env["mailing.mailing"].create(
        {
            "subject": "In stock again, {{object.contact_name}}",
            "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
            "body_html": BODY,
            "body_arch": BODY,
            "user_id": env.ref("base.user_admin").id,
        }
    )


def add_step(env, sequence, mailing=None, parent=None, trigger="begin", days=0, **values):
    """Add a step to a sequence."""
    return env["nurture.step"].create(
        {
            "sequence_id": sequence.id,
            "mailing_id": mailing and mailing.id,
            "parent_id": parent and parent.id,
            "trigger": trigger,
            "delay": days,
            **values,
        }
    )
