"""Mails as programs and people really send them in answer to another one: as bytes, in the
encodings, languages and with the headers of the programs. They are our own; who and when is made
up, from a seed. Plain Python: the rules are tested on them without Odoo, too.

``{mid}`` stands for the Message-ID of the mail that is answered, ``{from}`` and ``{to}`` for who
answers it, and to which address, ``{subject}`` for its subject.
"""

import base64
import binascii
import quopri
import random

SUBJECT = "First"


class Sample:
    """A mail of one program.

    :param name: which program, and what it sends
    :param subject: with ``{subject}``
    :param headers: lines of headers, besides those that every mail has
    :param body: its text
    :param charset: of subject and text
    :param encoding: how the text is transferred
    :param word: kind of the encoded words in the subject, ``B`` or ``Q``; ``8``: bytes as they are
    :param refers: headers that refer to the mail
    :param content: content type and content instead of ``body``, as bytes
    """

    def __init__(self, name, subject, *headers, body="", charset="utf-8", encoding=None, **others):
        self.name, self.subject, self.headers, self.body = name, subject, headers, body
        self.charset, self.encoding = charset, encoding or ("7bit" if body.isascii() else "base64")
        self.word = others.get("word", "B")
        self.refers = others.get("refers", ("In-Reply-To", "References"))
        self.content = others.get("content")
        self.sender = others.get("sender", "{from}")

    def build(self, mid, sender, to, subject=SUBJECT):
        """The mail as bytes, with CRLF at the end of lines."""
        rng = random.Random(self.name)
        own = f"<{rng.getrandbits(64):x}@{sender.partition('@')[2]}>"
        values = {"mid": mid, "from": sender, "to": to, "subject": subject}
        headers = [
            f"From: {self.sender}",
            f"To: {to}",
            f"Message-ID: {own}",
            f"Date: Mon, 2 Mar 2026 {rng.randrange(9, 24):02}:{rng.randrange(60):02}:07 +0100",
            "MIME-Version: 1.0",
            *(f"{name}: {mid}" for name in self.refers),
            *self.headers,
        ]
        rng.shuffle(headers)
        lines = [fill(line, values).encode() for line in headers]
        # between the others, as it comes
        lines.insert(
            rng.randrange(len(lines)), b"Subject: " + self._words(fill(self.subject, values))
        )
        if self.content:
            rest = fill(self.content, values).encode(self.charset).replace(b"\n", b"\r\n")
        else:
            kind = "html" if self.body.startswith("<") else "plain"
            rest = (
                f"Content-Type: text/{kind}; charset={self.charset}\r\n"
                f"Content-Transfer-Encoding: {self.encoding}\r\n\r\n"
            ).encode() + self._transfer(fill(self.body, values))
        return b"\r\n".join(lines) + b"\r\n" + rest

    def _words(self, text):
        data = text.encode(self.charset)
        if text.isascii() or self.word == "8":
            return data
        if self.word == "Q":
            return f"=?{self.charset}?Q?".encode() + binascii.b2a_qp(data, header=True) + b"?="
        # in words of few characters, folded, as programs do that keep to the length of lines
        words = [text[start : start + 12] for start in range(0, len(text), 12)]
        return b"\r\n ".join(
            f"=?{self.charset}?B?{base64.b64encode(word.encode(self.charset)).decode()}?=".encode()
            for word in words
        )

    def _transfer(self, text):
        data = text.replace("\n", "\r\n").encode(self.charset)
        if self.encoding == "base64":
            return base64.encodebytes(data).replace(b"\n", b"\r\n")
        return quopri.encodestring(data) if self.encoding == "quoted-printable" else data


def fill(text, values):
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


SUPPRESS = "X-Auto-Response-Suppress: All"
SUPPRESS_SOME = "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply"
QUOTED = "\n\nVon: Shop <shop@test.example.com>\nBetreff: {subject}\n\nHello Ann,\n"
RETURNED = """Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/plain

The mail below could not be handed over: mailbox unknown.

--=_b
Content-Type: message/rfc822

Message-ID: {mid}
To: {from}
Subject: {subject}

Hello

--=_b--
"""
RECEIPT = """Content-Type: multipart/report; report-type=disposition-notification; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

Your message was displayed.

--=_b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; {from}
Original-Message-ID: {mid}
Disposition: manual-action/MDN-sent-manually; displayed

--=_b--
"""

AUTOMATIC = [
    # Exchange: nothing but the subject says what it is
    Sample(
        "exchange de",
        "Automatische Antwort: {subject}",
        SUPPRESS,
        "X-MS-Has-Attach:",
        body="Guten Tag,\n\nich bin bis zum 16. März nicht im Büro.\n\nAnn",
        charset="iso-8859-1",
        encoding="quoted-printable",
    ),
    Sample("exchange en", "Automatic reply: {subject}", SUPPRESS, body="I am out of the office."),
    Sample(
        "exchange fr",
        "Réponse automatique : {subject}",
        SUPPRESS,
        body="<p>Je suis absente jusqu'au 16 mars.</p>",
        charset="iso-8859-1",
        word="Q",
    ),
    Sample(
        "exchange es",
        "Respuesta automática: {subject}",
        SUPPRESS,
        body="Estaré fuera hasta el 16.",
        word="Q",
    ),
    Sample("exchange it", "Risposta automatica: {subject}", SUPPRESS, body="Sono assente."),
    Sample("exchange nl", "Automatisch antwoord: {subject}", SUPPRESS, body="Ik ben afwezig."),
    Sample(
        "exchange pl",
        "Odpowiedź automatyczna: {subject}",
        SUPPRESS,
        body="Dzień dobry,\njestem nieobecna do 16 marca. Wiadomość przeczytam później.",
        charset="iso-8859-2",
        encoding="quoted-printable",
        word="Q",
    ),
    Sample(
        "exchange ro",
        "Răspuns automat: {subject}",
        SUPPRESS,
        body="Bună ziua,\nsunt în concediu până pe 16 martie.",
    ),
    Sample(
        "exchange ro, old letters",
        "Răspuns automat: {subject}",
        SUPPRESS,
        body="Bunã ziua, lipsesc din birou.".replace("ã", "a"),
        charset="iso-8859-2",
        word="Q",
    ),
    Sample(
        "exchange zh",
        "自动答复: {subject}",
        SUPPRESS,
        body="您好，我目前不在办公室。",
        charset="gb2312",
    ),
    Sample(
        "exchange behind a gateway that marks what comes from outside",
        "[EXTERN] Automatische Antwort: {subject}",
        SUPPRESS_SOME,
        body="Ich bin im Urlaub.",
    ),
    # Chinese providers
    Sample(
        "qq vacation",
        "自动回复:{subject}",
        "X-QQ-STYLE: 1",
        body="这是来自QQ邮箱的假期自动回复邮件。\n\n您好，我最近正在休假中，无法亲自回复您的邮件。",
        charset="gb18030",
    ),
    Sample(
        "qq vacation that says so in the text only",
        "Re:{subject}",
        "X-QQ-mid: webmail42t1772442007t1",
        body="<div>这是来自QQ邮箱的假期自动回复邮件。</div><div>您好，我最近正在休假中。</div>",
        charset="gb18030",
    ),
    Sample(
        "163 vacation",
        "自动回复：{subject}",
        "X-Mailer: Coremail Webmail Server",
        body="您好！您的邮件已收到，我会尽快回复。",
        charset="gbk",
    ),
    Sample(
        "163 vacation, bytes as they are",
        "自动回复: {subject}",
        body="邮件已收到，谢谢！",
        charset="gbk",
        encoding="8bit",
        word="8",
    ),
    Sample(
        "foxmail receipt",
        "已读: {subject}",
        body="您的邮件已被阅读。",
        charset="gb2312",
    ),
    Sample(
        "163 returned mail",
        "系统退信",
        body="<html><body><p>很抱歉，您的邮件被退回来了。</p><p>收件人不存在</p></body></html>",
        charset="gbk",
        sender="Postmaster@163.example.com",
    ),
    Sample(
        "qq returned mail",
        "来自qq.com的退信/Returned mail from qq.com",
        body="抱歉，您的邮件被退回来了……",
        sender="=?gb18030?B?UVHTys/kudzA7dSx?= <PostMaster@qq.example.com>",
    ),
    # Notes and Domino
    Sample(
        "notes en",
        "Ann Example is out of the office (returning 03/16/2026)",
        "X-Mailer: Lotus Notes Release 8.5.3",
        body="I am out of the office until 03/16/2026.",
    ),
    Sample(
        "notes en, newer",
        "AUTO: Ann Example is out of the office (returning 16.03.2026)",
        body="I am out of the office.",
    ),
    Sample(
        "notes de",
        "Ann Example/Example/DE ist außer Haus (Rückkehr am 16.03.2026)",
        body="Ich kehre zurück am 16.03.2026.",
        charset="iso-8859-1",
        word="Q",
    ),
    # help desks
    Sample(
        "jira without any header of its own",
        "[JIRA] Your request DESK-4711 has been received",
        "X-JIRA-FingerPrint: 1c5e8d6e0f1e4c7bbf5a",
        body="Thanks for your request.",
        sender="jira@desk.recipient.example.com",
    ),
    Sample(
        "jira notification",
        "[JIRA] (DESK-4711) {subject}",
        "Precedence: bulk",
        "Auto-Submitted: auto-generated",
        body="Ann created an issue:",
        sender="jira@desk.recipient.example.com",
    ),
    Sample(
        "ticket system that writes from nobody",
        "[Ticket#2026030242] {subject}",
        body="Ihre Nachricht wird bearbeitet.",
        sender="Support <noreply@desk.recipient.example.com>",
    ),
    Sample(
        "rt",
        "[desk.example.com #4711] AutoReply: {subject}",
        "Precedence: bulk",
        "X-RT-Loop-Prevention: desk.example.com",
        body="Greetings,",
    ),
    Sample(
        "otrs pl",
        "[Ticket#2026030242] Potwierdzenie przyjęcia zgłoszenia: {subject}",
        body="Dziękujemy za wiadomość.",
    ),
    Sample(
        "help desk de that answers under the same subject",
        "AW: {subject}",
        body="Dies ist eine automatisch erzeugte Eingangsbestätigung.\n\nIhr Team",
    ),
    Sample(
        "help desk es that answers under the same subject",
        "RE: {subject}",
        body="<html><head><style>p {x: 1}</style></head><body><p>Este es un mensaje automático, "
        "por favor no responda.</p></body></html>",
    ),
    # receipts
    Sample(
        "outlook receipt de without a report", "Gelesen: {subject}", SUPPRESS, body="Ihre Nachricht"
    ),
    Sample(
        "outlook receipt, deleted", "Ungelesen gelöscht: {subject}", body="Ihre Nachricht", word="Q"
    ),
    Sample("outlook receipt en", "Read: {subject}", body="Your message was read on Monday."),
    Sample("outlook receipt fr", "Lu : {subject}", body="Votre message a été lu."),
    Sample("outlook receipt pl", "Przeczytano: {subject}", body="Wiadomość przeczytano."),
    Sample("receipt as a report", "Gelesen: {subject}", content=RECEIPT),
    # mails that bounced, without a report
    Sample(
        "exchange returned mail", "Undeliverable: {subject}", SUPPRESS, body="Delivery has failed."
    ),
    Sample(
        "exchange returned mail de", "Unzustellbar: {subject}", body="Fehler bei der Zustellung."
    ),
    Sample(
        "exim returned mail",
        "Mail delivery failed: returning message to sender",
        "X-Failed-Recipients: {from}",
        body="A message that you sent could not be delivered.",
        sender="Mail Delivery System <mailer@mx.recipient.example.com>",
    ),
    Sample(
        "postmaster who attaches the mail",
        "{subject}",
        content=RETURNED,
        sender="postmaster@recipient.example.com",
    ),
    # by headers
    Sample("gmail vacation", "Re: {subject}", "X-Autoreply: yes", "Precedence: bulk", body="Away."),
    Sample(
        "two words of what it is",
        "Re: {subject}",
        "Auto-Submitted: no",
        "Auto-Submitted: auto-replied",
        body="Away.",
    ),
    Sample(
        "the same word twice",
        "Re: {subject}",
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-replied",
        body="Away.",
    ),
    Sample("sieve", "Auto: {subject}", "Auto-Submitted: auto-replied (vacation)", body="Away."),
    Sample("cpanel", "Autoreply: {subject}", "X-Autorespond: {subject}", body="Away."),
    Sample("empty return path", "Re: {subject}", "Return-Path: <>", body="Away."),
    Sample(
        "plesk nl",
        "Afwezig: {subject}",
        body="Ik ben er niet.",
        refers=("References",),
    ),
    Sample(
        "notes fr",
        "AUTO : Ann Example est absente (retour le 16/03/2026)",
        "X-Mailer: Lotus Notes Release 9.0.1",
        body="Je suis absente du 02/03/2026 au 16/03/2026.",
    ),
    Sample(
        "notes pl",
        "Anna Przykład jest poza biurem (powrót 2026-03-16)",
        body="Będę nieobecna od 2026-03-02.",
        charset="iso-8859-2",
        encoding="quoted-printable",
        word="Q",
    ),
    Sample("exchange pt", "Resposta automática: {subject}", SUPPRESS, body="Estou fora."),
    Sample(
        "zimbra es",
        "Fuera de la oficina: {subject}",
        "Auto-Submitted: auto-replied (zimbra; vacation)",
        "Precedence: bulk",
        body="Estaré fuera de la oficina hasta el lunes.",
    ),
    Sample(
        "roundcube and sieve ro",
        "Auto: {subject}",
        "Auto-Submitted: auto-replied (vacation)",
        body="Sunt în concediu până luni.",
    ),
    Sample(
        "cyrus sieve fr",
        "Absence du bureau : {subject}",
        "X-Sieve: CMU Sieve 2.4",
        body="Je suis en congé jusqu'au 16 mars.",
    ),
    Sample(
        "open-xchange de",
        "Abwesend: {subject}",
        "X-Autoreply-From: <{from}>",
        body="Ich bin bis zum 16. März nicht erreichbar.",
    ),
    Sample(
        "gmail pl",
        "Re: {subject}",
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "X-Autoreply: yes",
        body="Jestem na urlopie do 16 marca.",
    ),
    Sample(
        "microsoft 365 zh",
        "自动回复: {subject}",
        SUPPRESS,
        "Auto-Submitted: auto-generated",
        body="我正在休假，周一回来。",
    ),
    Sample(
        "cpanel en",
        "Away: {subject}",
        "X-Autorespond: {subject}",
        "Auto-Submitted: auto-replied",
        body="Back on Monday.",
    ),
    # tickets in the languages of the customers
    Sample("zendesk en", "[Example] Request received: {subject}", body="Your request (4711)."),
    Sample(
        "freshdesk fr",
        "Re: {subject}",
        "Auto-Submitted: auto-replied",
        body="Nous avons bien reçu votre demande, sous le numéro 4711.",
    ),
    Sample(
        "otrs de",
        "[Ticket#2026030243] Eingangsbestätigung: {subject}",
        "Precedence: bulk",
        body="Vielen Dank für Ihre Anfrage.",
    ),
    Sample(
        "help desk fr",
        "Accusé de réception : {subject}",
        body="Votre message a été transmis au service concerné.",
        charset="iso-8859-1",
        encoding="quoted-printable",
        word="Q",
    ),
    Sample("help desk es", "Acuse de recibo: {subject}", body="Le responderemos en breve."),
    Sample(
        "help desk ro",
        "Confirmare de primire: {subject}",
        body="Vă mulțumim, vom reveni în scurt timp.",
    ),
    Sample("help desk zh", "我们已收到您的邮件：{subject}", body="工单编号4711。", charset="gbk"),
    Sample(
        "help desk pl that answers under the same subject",
        "Odp: {subject}",
        body="Ta wiadomość została wygenerowana automatycznie.\n\nZgłoszenie 4711",
    ),
    Sample(
        "help desk ro that answers under the same subject",
        "Re: {subject}",
        body="Acesta este un mesaj automat, vă rugăm să nu răspundeți.",
    ),
    Sample(
        "help desk zh that answers under the same subject",
        "回复: {subject}",
        body="此邮件由系统自动发送，请勿回复。",
        charset="gb18030",
    ),
    # receipts
    Sample("outlook receipt es", "Leído: {subject}", body="Su mensaje se leyó el lunes."),
    Sample("outlook receipt ro", "Citit: {subject}", body="Mesajul a fost citit luni."),
    Sample("exchange delivered de", "Zugestellt: {subject}", SUPPRESS, body="Zugestellt an Ann."),
    Sample("exchange delivered fr", "Remis : {subject}", SUPPRESS, body="Remis à Ann."),
    Sample("exchange delivered pl", "Dostarczono: {subject}", SUPPRESS, body="Dostarczono."),
    Sample(
        "autoresponder of a list member",
        "Out of Office: {subject}",
        "List-Id: <all.recipient.example.com>",
        "Precedence: list",
        body="I am away.",
    ),
]

QUOTING = (
    "Sorry, I was away. Yes, please call me.\n\n> Automatische Antwort: {subject}\n"
    "> Dies ist eine automatische Antwort. Ich bin nicht im Büro.\n"
)
HUMAN = [
    Sample("plain", "Re: {subject}", body="Yes, please call me."),
    Sample("outlook de", "AW: {subject}", SUPPRESS, body=f"Ja, gerne.{QUOTED}"),
    Sample("outlook behind a policy", "RE: {subject}", SUPPRESS_SOME, body="Please do."),
    Sample(
        "answer to an out-of-office of ours",
        "Re: Automatische Antwort: {subject}",
        SUPPRESS,
        body="Then call me on Monday.",
    ),
    Sample(
        "answer to an out-of-office of ours, marked by a gateway",
        "[EXTERN] AW: Automatische Antwort: {subject}",
        body="Dann am Montag.",
    ),
    Sample("answer that quotes an out-of-office", "Re: {subject}", body=QUOTING),
    Sample(
        "answer below what it quotes",
        "Re: {subject}",
        body="Shop wrote:\n> This is an automatic reply\n> I am away.\n\nWe want ten of them.",
    ),
    Sample(
        "by a mailing list",
        "[all] Re: {subject}",
        "List-Id: <all.recipient.example.com>",
        "Precedence: list",
        body="We do.",
    ),
    Sample(
        "by an old mailing list",
        "Re: [all] {subject}",
        "X-BeenThere: all@recipient.example.com",
        "List-Post: <mailto:all@recipient.example.com>",
        "Precedence: bulk",
        body="We do.",
    ),
    Sample(
        "by a gateway that marks all mails",
        "Re: {subject}",
        "Precedence: bulk",
        "List-Unsubscribe: <mailto:out@gateway.recipient.example.com>",
        body="Yes, ten.",
    ),
    Sample("nothing automatic", "Re: {subject}", "Auto-Submitted: no", body="Yes."),
    Sample("nothing automatic, old", "Re: {subject}", "X-Autoreply: no", body="Yes."),
    Sample("zh", "回复：{subject}", body="您好，请给我打电话。", charset="gb2312"),
    Sample(
        "zh, bytes as they are",
        "答复: {subject}",
        body="可以，谢谢。",
        charset="gbk",
        encoding="8bit",
        word="8",
    ),
    Sample(
        "pl",
        "Odp: {subject}",
        body="Tak, proszę o telefon. Jutro jestem nieobecny.",
        charset="iso-8859-2",
        encoding="quoted-printable",
    ),
    Sample("ro", "RE: {subject}", body="Da, sunați-mă. Mesaj automat nu trimit."),
    Sample("fr who speaks of absence", "Re: {subject}", body="Je suis absent demain, sinon oui."),
    Sample(
        "who asks to be notified of the reading",
        "Re: {subject}",
        "Disposition-Notification-To: {from}",
        "Return-Receipt-To: {from}",
        body="Yes.",
    ),
    Sample("who answers a bot", "Re: {subject}", body="Is this an automated mail? Call me!"),
    Sample("who asks", "Re: {subject}", body="This is an automated mail, isn't it? Call me."),
    Sample(
        "a postmaster who writes himself",
        "Re: {subject}",
        body="Yes.",
        sender="Ann <{from}>",
    ),
    Sample("in a help desk", "Re: [Ticket#2026030242] {subject}", body="Yes, please."),
    Sample("with a word that a receipt begins with", "Read this: {subject}", body="Yes."),
    Sample("with a car in the subject", "Auto gesucht, {subject}", body="Ja."),
    Sample(
        "by a form of theirs",
        "Re: {subject}",
        "Reply-To: {from}",
        body="Yes, please.",
        sender="Ann via Form <noreply@forms.example.com>",
    ),
    Sample("only references", "Re: {subject}", body="Yes.", refers=("References",)),
    Sample("only in reply to", "Re: {subject}", body="Yes.", refers=("In-Reply-To",)),
]
