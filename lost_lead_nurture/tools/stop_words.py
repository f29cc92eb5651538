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
    "desinscription",
    *("me desinscrire", "desabonnement", "desinscrivez-moi", "baja", "darme de baja"),
    "dar de baja",
    *("cancelar suscripcion", "cancellami", "disiscrivimi", "cancellare", "afmelden"),
    "uitschrijven",
    *("wypisz", "wypisz mnie", "wypisuje sie", "rezygnuje", "dezabonare", "ma dezabonez"),
    *("odhlasit", "avregistrera", "avmeld", "afmeld", "退订", "取消订阅", "配信停止"),
}
#: How much there may be beside the phrase: a greeting, a name.
_MAX_LINES, _MAX_CHARACTERS = 5, 150
_AROUND = " .,;:!*_-–—\"'„“”"


def asks_to_stop(text):
    """Whether ``text``, the plain text of an answer, asks for no more mails, and for nothing else.

    >>> asks_to_stop("Unsubscribe!\\n\\nAm Montag schrieb shop@example.com:\\n> Hello")
    True
    """
    own = []
    for line in text.splitlines():
        if line.lstrip().startswith((">", "-----", "_____")) or line.rstrip().endswith(":"):
            # what follows is the mail that it answers
            break
        if bare := fold(line).strip(_AROUND):
            own.append(bare)
    if not own or len(own) > _MAX_LINES or sum(map(len, own)) > _MAX_CHARACTERS:
        return False
    # a name of three words at most, or a greeting, may stand around it
    others = [line for line in own if line not in PHRASES]
    return len(others) < len(own) and all(len(line.split()) <= 3 for line in others)
