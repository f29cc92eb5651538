"""What mail servers say in a report, in words and codes, and what it means: the rules, in tables.

Words come first: servers are clear in them where they give one code for everything. Among the
words those in answer to the mail come first, as the rest of a report is a form. What was said in
answer to the sender or to the text is no word about the address, whatever it is.

Sources: RFC 5321 and 7504 (replies), 3463, 5248 and 7505 (enhanced codes), and the reports of Exim,
Postfix, Sendmail, qmail, Courier, Exchange, Notes and Domino, Office 365, Amazon, Gmail, Yahoo,
Yandex, Mail.ru, QQ, Netease, Zoho, SendGrid and the Japanese carriers.
"""

import re
from itertools import islice

#: What a report says: nobody gets mail there; not now, or not this mail; not yet; it has arrived.
HARD, SOFT, DELAYED, DELIVERED = "hard", "soft", "delayed", "delivered"

#: Actions of RFC 3464 that are no failure.
ACTIONS = {
    "delayed": DELAYED,
    "delivered": DELIVERED,
    "relayed": DELIVERED,
    "expanded": DELIVERED,
}
#: So many characters are looked at for words.
CHARACTERS = 20_000

#: The server is still trying, or has succeeded: in a report that gives no action.
_STILL_TRYING = re.compile(
    r"""
    warning[ ]message[ ]only | (?:do[ ]not|don't)[ ]need[ ]to[ ]re-?send
  | will[ ](?:continue|keep)[ ](?:on[ ])?(?:to[ ]try|trying) | delivery[ ]attempts[ ]will[ ]continue
  | has[ ]not[ ]yet[ ]been[ ]delivered | (?:will|to)[ ]be[ ]retried | still[ ]being[ ]retried
  | delivery[ ]incomplete | temporary[ ]problem[ ]delivering
  | message[ ](?:is|has[ ]been|was)[ ]delayed | (?:recipients?|delivery)[ ]has[ ]been[ ]delayed
  | wird[ ]weiterhin[ ]versucht | 将继续尝试
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ARRIVED = re.compile(
    r"(?:was|were|been|is) successfully (?:delivered|relayed)|successful mail delivery report"
    r"|erfolgreich zugestellt|投递成功",
    re.IGNORECASE,
)

#: What servers say where nobody gets mail at an address.
_NOBODY = re.compile(
    r"""
    # unknown: which, by what name
    (?:user|recipient|mailbox|address|addressee?|account|receiver|destinat[a-z]{1,9}
      |local[- ]part|alias|mail[ ]?drop|subscriber|customer|person|username)
      \W{0,3}(?:name[ ])?(?:is[ ])?(?:unknown|not[ ]known|inconnue?|desconocid[oa]|sconosciut[oa])
  | (?:unknown|inconnu)[ ](?:or[ ](?:illegal|invalid)[ ])?(?:e-?mail[ ])?(?:virtual[ ])?(?:user
      |recipient|mailbox|address|local[- ]?part|account|alias|destination[ ]address|rcpt)
  | (?:unbekannte[rn]?|ungültige[rn]?)[ ](?:empfänger|adresse|benutzer|mailadresse)
  | (?:empfänger|benutzer|adresse)[ ](?:ist[ ])?unbekannt
    # it does not exist, is not found, not registered
  | (?:user|recipient|mailbox|address|account|alias|person|addressee|name|inbox|destination
      |username)
      \b[^.;]{0,80}?[ ](?:(?:does|do|did|could|can|is|was|are|has|have)[ ]?(?:not|n't)|cannot|doesn)
      [ ](?:currently[ ]|been[ ]|be[ ]|a[ ]|an[ ])?(?:exist|found|find|list|known|valid|present
      |recogni[sz]|registered|local|active[ ]address|resolve|have[ ]an?|here|our|deliverable)
  | (?:user|recipient|mailbox|address|account|alias)[ ](?:<?[^<>\s]{1,200}>?[ ])?(?:is[ ])?
      not[ ](?:found|exist|known|valid|registered|listed|recogni[sz]ed|present|a[ ](?:known|valid))
  | (?:e-?mail[ ]account|address|account)[ ]that[ ]you[ ]tried[ ]to[ ]reach[ ]does
    # there is no such
  | (?:no|not[ ]a|no[ ]valid|not[ ]a[ ]valid|not[ ]known)[ ](?:such[ ])?(?:user|recipient|mailbox
      |person|account|address|addressee|mail[ ]?drop|local[ ]user|rcpt)s?(?:[ ](?:here|by|with
      |named|at|found|on|of|in|for|has|is|exist)|\W|$)
  | no[ ]such[ ](?:e-?mail|alias|virtual|local|one|name|id|object)
  | there[ ]is[ ]no[ ](?:such|account|user|mailbox|one) | nobody[ ](?:here|by)
  | (?:invalid|bad|non-?existe?a?nt|incorrect|illegal|wrong|unresolvable|undeliverable|unrouteable
      |unroutable|undefined|expired|obsolete|faulty)[ ](?:e-?mail[ ])?(?:user[ ]?)?
      (?:destination[ ])?
      (?:final[ ])?(?:recipient|mailbox|address|user|delivery[ ]user|account|local|rcpt|addressee)
  | recipient[ ]?not[ ]?found | resolver\.adr\.(?:recip|exrecip)?not(?:[ ]|_)?found
  | (?:user|recipient|address|mailbox|account)[ ](?:is[ ])?(?:invalid|incorrect)
  | doesn't[ ]have[ ]an?[ ][\w.@-]{1,100}[ ]account | (?:wasn't|couldn't[ ]be)[ ]found
  | not[ ](?:listed|found)[ ]in[ ] | isn't[ ]in[ ]my | is[ ]not[ ]in[ ]my | not[ ]our[ ]customer
  | not[ ]a[ ](?:customer|member|local|registered|valid|known|recogni[sz]ed|active)
  | (?:has|have)[ ]moved | user[ ]not[ ]local | mailbox[ ]not[ ]here | user[ ]has[ ]left
  | (?:no|not)[ ](?:longer|any[ ]?more|more)[ ](?:on|at|here|valid|available|in[ ]use|active|with
      |employed|works|exist|a[ ]|part|accept|used|monitored)
  | is[ ]not[ ]an[ ]active[ ]address
  | check[ ](?:if|whether|that)[ ](?:the[ ])?(?:e-?mail[ ])?address[ ]is[ ]correct
  | recipient[ ]address[ ]rejected:[ ](?:access[ ]denied|unknown|undeliverable|invalid|no[ ]such)
  | and[ ]other[ ]recipients[ ]in[ ]the[ ]same[ ]domain | cuda_nsu | \b5\d\d[ ]<?@>?[ ]rejected
  | requested[ ]action[ ]not[ ]taken:[ ]mailbox[ ]unavailable
  | all[ ]recipients[ ]address[ ]rejected | (?:account|mailbox)[ ](?:has[ ]been|was)[ ]
      (?:deleted|removed|closed|terminated)
  | no[ ]valid[ ]recipient | no[ ]mailbox[ ] | unavailable[ ]or[ ]does | not[ ]handled[ ]here
    # in other languages
  | n'existe[ ]pas | no[ ]existe | non[ ]esiste | nie[ ]istnieje | não[ ]existe | existiert[ ]nicht
  | nu[ ]există | bestaat[ ]niet | destinat(?:aire|ario)[ ](?:non|no|invalid) | не[ ]существует
  | не[ ]найден | такого[ ]пользователя | недоступен[ ]адрес
  | 收件人不存在 | 用户不存在 | 收件人邮件地址.{0,20}不存在 | 邮箱不存在 | 账号不存在 | 地址不存在
  | 不存在 | 找不到收件人 | 无此用户 | 見つかりません | 宛先不明 | 存在しません | 使われておりません
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: The same of its host. A name server that does not answer may do so later.
_NO_HOST = re.compile(
    r"""
    (?:host|domain|server|hostname|host[ ]name|domain[ ]name)\b[^.;]{0,60}?[ ](?:is[ ])?
      (?:unknown|not[ ](?:found|exist|be[ ]found|known)|does[ ](?:not|n't)[ ]exist|doesn't[ ]exist
      |is[ ]invalid|is[ ]not[ ]reachable|couldn't[ ]be[ ]found)
  | unknown[ ](?:host|domain|mail[ ]?host) | nxdomain | no[ ]such[ ](?:domain|host)
  | (?:host|domain)[ ](?:unknown|not[ ]found) | bad[ ]destination[ ](?:host|mail)
  | (?:could|can)(?:[ ]?not|n't)[ ](?:find|resolve)[ ](?:a|any|the|your)?[ ]?(?:host|mail|mx|domain)
  | no[ ](?:valid[ ])?mx\b | null[ ]?mx | name[ ]or[ ]service[ ]not[ ]known
  | unrout(?:e)?able[ ]mail[ ]domain | no[ ](?:mail[ ])?exchanger
  | all[ ]relevant[ ]mx[ ]records[ ]point[ ]to[ ]non-?exist
  | (?:does|do)(?:[ ]not|n't)[ ](?:accept|receive)[ ](?:any[ ])?(?:e-?mail|mail|messages?\b[ ]at)
  | indicated[ ]no[ ](?:smtp|mail)[ ]service | doesn't[ ]receive[ ]email | no[ ]such[ ]mail[ ]domain
  | illegal[ ]host | invalid[ ](?:domain|host) | address[ ]family[ ]mismatch[ ]on[ ]destination
  | 域名不存在 | 域名无法解析
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: What they say of a mailbox that is there, or of a mail that they do not want.
_NOT_NOW = re.compile(
    r"""
    quota | mailbox[ ](?:is[ ])?(?:full|exceed|over|for|busy|locked|temporarily) | \bfull\b
  | insufficient | not[ ]enough[ ](?:disk|storage|space) | exceed
  | out[ ]of[ ](?:disk|space|storage)
  | too[ ](?:large|big|many|fast|long|much) | size[ ]limit | message[ ]size
  | over[ ](?:its|the)[ ]limit
  | spam | \bblock(?:ed|ing|list|s)?\b | (?:black|block|deny)[ -]?list | \brbl\b | \bdnsbl\b
  | reputation
  | policy | polic(?:y|ies) | \bdkim\b | \bdmarc\b | \bspf\b | authenticat
  | reverse[ ](?:dns|lookup)
  | \bptr\b | relay(?:ing)?\b | rate[ -]?limit | throttl | gr[ea]ylist | try[ ](?:again|later)
  | temporar(?:y|ily) | timed?[ -]?out | connection[ ] | network[ ]is | unreachable
  | could[ ]not[ ]connect | retry[ ]ti | retries | expired | suspend | disabled? | inactive
  | deactivat | loop | \bhops?\b | virus | malware | content | attachment | prohibit | filter
  | not[ ]authori[sz]ed | not[ ]allowed | not[ ]permitted | denied | unable[ ]to[ ](?:create|open)
  | (?:couldn|can)'?t[ ](?:create|open) | procmail | maildrop: | command[ ](?:died|failed|output)
  | (?:mail|sender|from)[ ](?:from[ ])?(?:domain|address|rejected) | helo | ehlo | unsolicited
  | dns[ ](?:lookup|server)[ ]fail | server[ ]failure | \bbusy\b | restricted | restriction
  | does[ ]not[ ]match | queue[ ]file | disk | i/o[ ]error | internal[ ]error | configuration
  | overquota | refused[ ]by | rejected[ ]by | may[ ]not[ ](?:exist|have) | il[ ]se[ ]peut
  | administratively | \bbanned\b | low[ ]power
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Enhanced status codes (RFC 3463, 7505) of an address, or host, at which nobody gets mail.
_HARD_STATUS = re.compile(r"5\.(?:1\.(?:[0-46]|10)|4\.4|7\.27)$")
#: What is said of us: what is not found there is ours.
_OF_US = re.compile(
    r"sender (?:address|domain|verif|denied|rejected)|(?:client host|helo command) rejected"
    r"|your (?:reverse )?(?:host|hostname|ip|domain|server)|[45]\.1\.[78]\b|return[- ]path",
    re.IGNORECASE,
)
#: How a server shows that it answers the sender, or the text, not the recipient.
_TO_SENDER = re.compile(
    r"after (?:mail from|helo|ehlo)|in reply to (?:the )?(?:mail from|helo|ehlo)"
    r"|>>> (?:mail|helo|ehlo)"
    r"|like our (?:mail from|helo|ehlo)|but (?:my name|the sender|sender) was rejected",
    re.IGNORECASE,
)
_TO_TEXT = re.compile(
    r"in reply to (?:the )?(?:end of )?data|after (?:the )?(?:end of )?data|>>> (?:data|bdat|\.)\s"
    r"|after (?:sending )?(?:pipelined )?data|smtp command data\b"
    r"|like our (?:data|final dot|end of data)"
    # the carrier au, which answers after the text, and so without the address
    r"|\b55\d(?: 5\.\d\.\d)? ?: (?:: )?user unknown",
    re.IGNORECASE,
)
#: What a server that filters says after the text; who has no account was refused before.
_UNKNOWN_USER = re.compile(r"user unknown|unknown user", re.IGNORECASE)
#: What an IronPort puts before the words of the other server.
_PREFIX = re.compile(r"[45]\.\d\.\d - [\w ]{1,40} (?=[45]\d\d-)", re.IGNORECASE)
#: So many replies in a text are looked at, and so many characters after the code of each.
_REPLIES, _REPLY_LENGTH = 20, 300
#: A reply: a code, and what follows it.
_REPLY = re.compile(
    r"(?:^|[\s:(\[\"'<>=])"
    r"(?:[45]\d\d[ -]\D"
    r"|[45]\d\d[ -]?#?[45]\.\d{1,3}\.\d{1,3}\b|#[45]\.\d\.\d)"
    rf".{{0,{_REPLY_LENGTH}}}"
)
_ADDRESS = re.compile(r"[^\s<>;:,\"()\[\]@]{1,64}@[^\s<>;:,\"()\[\]@]{1,255}")
_LINK = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)
STATUS_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")


def judge(actions, statuses, said, text):
    """What kind a report is.

    :param actions: the values of its fields ``Action``, of each recipient
    :param statuses: the codes of its fields ``Status``
    :param said: the values of its fields ``Diagnostic-Code``, without their type
    :param text: what it says to people
    """
    kinds = {ACTIONS.get(action.split(";")[0].strip().lower()) for action in actions}
    if kinds and None not in kinds:
        return DELAYED if DELAYED in kinds else DELIVERED
    text, said = _plain(text), _PREFIX.sub("", _plain(" ".join(said)))
    if not kinds and _STILL_TRYING.search(text):
        return DELAYED
    if not kinds and _ARRIVED.search(text):
        return DELIVERED
    codes = statuses or STATUS_CODE.findall(text)
    if _TO_SENDER.search(text) or _is_filtered(said, text, codes):
        return SOFT
    return _judge_words(said, text, statuses) or _judge_codes(codes)


def _is_filtered(said, text, codes):
    """Whether a server takes the address, and the mail to it not."""
    return bool(
        _TO_TEXT.search(f"{said} {text}")
        and _UNKNOWN_USER.search(said or text)
        and _judge_codes(codes) == SOFT
    )


def _plain(text):
    """``text`` in one line, without addresses: they are names, and may be any word."""
    return " ".join(_LINK.sub("", _ADDRESS.sub("@", text[:CHARACTERS])).split())


def _judge_words(said, text, statuses):
    """What its words mean; None where they mean nothing."""
    replies = _find_replies(text)
    if _OF_US.search(said or replies):
        return SOFT
    for words in (said, replies, text):
        nobody, not_now = _NOBODY.search(words), _NOT_NOW.search(words)
        if _NO_HOST.search(words):
            # a name that is not found for now
            return SOFT if any(code.startswith("4") for code in statuses) else HARD
        if nobody and not_now:
            return HARD if nobody.start() <= not_now.start() else SOFT
        if nobody or not_now:
            return HARD if nobody else SOFT
    return None


def _judge_codes(codes):
    return HARD if any(_HARD_STATUS.match(code) for code in codes) else SOFT


def _find_replies(text):
    """What servers answered, as far as a text quotes it."""
    return " ".join(match[0] for match in islice(_REPLY.finditer(text), _REPLIES))
