"""What happens in the story, week by week."""

from .. import passing_days, settings
from . import cast, deals, examples
from .books import Books
from .checks import Checks
from .delivery import Delivery
from .results import Results
from .rpc import User
from .sequel import OURS, Sequel

ALIAS_DOMAIN = "yourcompany.example.com"
CAMPAIGN = "lost_lead_nurture.nurture_sequence_restock"


class Story:
    """The campaign, its people and what happens to them."""

    def __init__(self, server, mailbox):
        self.server = server
        self.mailbox = mailbox
        self.admin = User(server, settings.LOGIN, settings.PASSWORD)
        # Marc Demo is the marketer, and the salesperson of half of the leads
        self.marketer = User(server, "demo", "demo")
        self.salespeople = {"base.user_admin": self.admin, "base.user_demo": self.marketer}
        self.recipients = cast.recipients()
        self.campaign = self.admin.ref(CAMPAIGN)
        self.mails = {}  # {(address, mail): what arrived}
        self.books = Books()
        for address in self.recipients:
            self.books.lost(address, cast.REASON, OURS)
        self.sequel = Sequel(self)
        self.delivery = Delivery(self)
        self.deals = []
        self.checks = Checks(self)

    def play(self):
        """Play all of it.

        :return: the statistics of each story; those of the campaign come last
        """
        self.set_up_the_office()
        self.sequel.set_up()
        self.marketer.call("nurture.sequence", "action_start", [self.campaign])

        self.post_the_mails_of(week=1)
        self.pass_time(days=1)
        self.react_in(week=1)
        self.sequel.mail_in_the_first_week()
        self.pass_time(days=4)
        self.sequel.react_in_the_first_week()
        self.pass_time(minutes=2)
        self.post_nothing("on the fifth day")
        self.pass_time(days=2)

        self.post_the_mails_of(week=2)
        self.pass_time(days=1)
        self.react_in(week=2)
        self.sequel.quote_in_the_second_week()
        self.pass_time(days=6)

        self.post_the_mails_of(week=3)
        self.pass_time(days=1)
        self.react_in(week=3)
        self.sequel.mail_in_the_third_week()
        self.pass_time(days=1)
        self.sequel.react_in_the_third_week()
        self.pass_time(minutes=2)
        self.post_nothing("after the reactions to the sequel")
        self.pass_time(days=5)
        self.post_nothing("after three weeks")

        self.deals += deals.close(self.admin, self.books, self.won_back_leads())
        self.sequel.close_the_deals()
        self.deals += self.sequel.deals
        self.post_nothing("after the deals")
        marketer_id = self.admin.ref("base.user_demo")
        examples.run(self.server, self.marketer, marketer_id, self.campaign)
        Results(self).check()
        statistics = self.checks.of_the_end()
        return [self.delivery.play(), statistics]

    # The company

    def set_up_the_office(self):
        """Tell Odoo its address, its mail domain and where to send mails: to the mailbox. Mails
        that core's demo data left in the queue go there first, and do not count."""
        admin = self.admin
        admin.call("ir.config_parameter", "set_param", key="web.base.url", value=self.server.url)
        if not admin.find("mail.alias.domain", [("name", "=", ALIAS_DOMAIN)], ["id"]):
            admin.create("mail.alias.domain", {"name": ALIAS_DOMAIN})
        others = admin.find("ir.mail_server", [], ["id"])
        admin.call("ir.mail_server", "write", [row["id"] for row in others], vals={"active": False})
        catcher = {
            "name": "Demo story (nothing leaves this computer)",
            "smtp_host": "127.0.0.1",
            "smtp_port": self.mailbox.port,
        }
        admin.create("ir.mail_server", catcher)
        self.send_queued_mails()
        self.mailbox.empty()

    def post_the_mails_of(self, week):
        """Let the sequence do what is due and send it; exactly the script's recipients get a
        mail."""
        before = {recipient.address: len(recipient.got) for recipient in self.recipients.values()}
        for recipient in self.recipients.values():
            recipient.live(week)
        expected = {
            (recipient.address, mail)
            for recipient in self.recipients.values()
            for mail in list(recipient.got)[before[recipient.address] :]
        }
        for mail in cast.SUBJECTS:
            if any(mail == sent for _address, sent in expected):
                self.books.mailed(mail, cast.CAMPAIGN)
        self.post(expected, f"week {week}")

    def post(self, expected, when):
        """Let what is due leave: exactly the ``expected`` (address, mail)."""
        self.mails |= self.checks.of_the_post(self._post(), expected, when)

    def post_freely(self):
        """Let what is due leave, whatever it is, and return what arrived."""
        return self._post()

    def post_nothing(self, when):
        """Let the sequence do what is due: nothing that any customer would notice."""
        self.checks.of_the_post(self._post(), set(), when)

    def _post(self):
        self.admin.run_cron("lost_lead_nurture.ir_cron_nurture")
        self.send_queued_mails()
        return self.mailbox.empty()

    def send_queued_mails(self):
        """Run the scheduled action that sends mails."""
        self.admin.run_cron("mail.ir_cron_mail_scheduler_action")

    def pass_time(self, **delta):
        """Let days pass, or minutes."""
        passing_days.pass_time(self.server, **delta)

    # The recipients

    def react_in(self, week):
        """Let the recipients (and salespeople) do what the script says, look, and tell of it."""
        for recipient in self.recipients.values():
            for action, mail in recipient.actions(week):
                self._do(action, recipient, mail)
        # a click is believed a minute later, when no bot has given itself away
        self.pass_time(minutes=2)
        self.post_nothing("after the reactions")
        self.checks.of_the_week(week)

    def _do(self, action, recipient, mail):
        if action is cast.IS_RESTORED:
            lead = self.admin.ref(recipient.lead)
            self.salespeople[recipient.salesperson].call("crm.lead", "action_restore", [lead])
        else:
            self.react(recipient.address, action, mail)
        if action in cast.WIN_BACKS:
            self.books.note("restored", recipient.address)

    def react(self, address, action, mail):
        """Let somebody do something with a mail."""
        arrived = self.mails[address, mail]
        if action in cast.REPLIES:
            self._receive(arrived.answer("Good news! Please call me, I still need it."))
        elif action is cast.IS_AWAY:
            self._receive(arrived.out_of_office())
        elif action is cast.BOUNCES:
            self._receive(arrived.bounce())
        else:
            act = {
                cast.OPENS: arrived.open,
                cast.CLICKS: arrived.click,
                cast.UNSUBSCRIBES: arrived.unsubscribe,
                cast.UNSUBSCRIBES_AT_ONCE: arrived.unsubscribe_at_once,
            }[action]
            act()
        if action in cast.TOUCHES:
            self.books.touched(address, mail)

    def _receive(self, raw):
        """Hand a mail in at the gateway, as the mail server's script odoo-mailgate does."""
        self.admin.call("mail.thread", "message_process", model=False, message=raw)

    def won_back_leads(self):
        """Return the leads that were won back, in the order of their addresses: ``{address:
        id}``."""
        return {
            recipient.address: self.admin.ref(recipient.lead)
            for recipient in self.recipients.values()
            if recipient.is_won_back
        }
