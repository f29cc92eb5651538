"""An answer that says nothing but that its sender wants no more mails.

In doubt it is an answer as any other, which a person reads: only what consists of one of these
phrases counts, with a greeting and a name at most.
"""

from .subjects import fold

#: What people, and their mail programs, write who want no more mails; folded.
PHRASES = {
    *("unsubscribe", "unsubscribe me", "please unsubscribe", "please unsubscribe me", "stop"),
    *("please stop", "stop it", "remove", "remove me", "please remove me", "take me off your list"),
    *("remove me from your list", "opt out", "opt-out", "no more mails", "no more emails"),
    *("abmelden", "bitte abmelden", "abbestellen", "austragen", "keine mails mehr"),
    *("keine e-mails mehr", "bitte keine mails mehr", "desabonner", "me desabonner"),
    *("desinscription", "me desinscrire", "desabonnement", "desinscrivez-moi", "baja"),
    *("darme de baja", "dar de baja", "cancelar suscripcion", "cancellami", "disiscrivimi"),
    *("cancellare", "afmelden", "uitschrijven", "wypisz", "wypisz mnie", "wypisuje sie"),
    *("rezygnuje", "dezabonare", "ma dezabonez", "odhlasit", "avregistrera", "avmeld", "afmeld"),
    *("退订", "取消订阅", "配信停止"),
}
#: What may stand around it, folded: with a name after it, too.
GREETINGS = {
    *("hello", "hi", "dear", "hallo", "guten tag", "bonjour", "hola", "ciao", "buna"),
    *("dzien dobry", "thanks", "thank you", "regards", "best regards", "kind regards", "best"),
    *("danke", "gruss", "grusse", "mfg", "viele grusse", "mit freundlichen grussen", "merci"),
    *("cordialement", "gracias", "saludos", "grazie", "saluti", "dziekuje", "pozdrawiam"),
    *("multumesc", "谢谢"),
}
#: How programs on phones end a mail, folded.
FOOTERS = (
    *("sent from", "get outlook for", "von meinem", "gesendet von", "envoye de", "enviado desde"),
    *("inviato da", "verzonden", "wyslane z", "trimis de pe", "发自我的"),
)
#: How the mail begins that is answered, folded.
_QUOTES = ("from:", "von:", "de:", "da:", "van:", "od:", "de la:", "发件人:", "发件人：")
#: How much there may be beside the phrase.
_MAX_LINES, _MAX_CHARACTERS = 5, 150
_AROUND = " .,;:!*_-–—\"'„“”"


def asks_to_stop(text, names=()):
    """Whether ``text``, the plain text of an answer, asks for no more mails, and for nothing else.

    :param names: what whoever answers is called

    >>> asks_to_stop("Unsubscribe!\\n\\nAm Montag schrieb shop@example.com:\\n> Hello")
    True
    """
    own = []
    for line in text.splitlines():
        if line.lstrip().startswith((">", "-----", "_____")) or _is_end(fold(line)):
            # what follows is the mail that it answers
            break
        bare = fold(line).strip(_AROUND)
        if bare and not bare.startswith(FOOTERS):
            own.append(bare)
    if not own or len(own) > _MAX_LINES or sum(map(len, own)) > _MAX_CHARACTERS:
        return False
    others = [line for line in own if line not in PHRASES]
    called = {part for name in names for part in (fold(name), fold(name).partition(" ")[0])}
    return len(others) < len(own) and all(
        line in called or _is_greeting(line, called) for line in others
    )


def _is_end(line):
    bare = line.replace("*", "").strip()
    return bare.endswith((":", "：")) or bare.startswith(_QUOTES)


def _is_greeting(line, called):
    """Whether a line greets, whoever it is, or one of those who are called so."""
    if line in GREETINGS:
        return True
    greeting = next((one for one in GREETINGS if line.startswith(f"{one} ")), "")
    # to the shop, whose people have names that nobody knows: one word
    rest = line.removeprefix(greeting).strip(_AROUND)
    return bool(greeting) and (rest in called or len(rest.split()) == 1)
