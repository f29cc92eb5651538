"""Headers and subjects of mails as they really arrive: wrongly encoded, doubled, in any language.

Python's own parser of structured headers fails on some of them, or takes the first of two. What
is read here is read from the raw header, and nothing in a mail makes it fail.
"""

import email.errors
import email.header
import re
import unicodedata

#: What programs put before the subject of an answer, and of a mail that is passed on: as in the
#: translations of Outlook, Thunderbird, Apple Mail, Notes, QQ Mail and Netease.
ANSWER_PREFIXES = (
    # en and most others, de, nl, fr, it, es, pt, ro, pl, cs, da and sv, fi, hu, tr, ru, el
    *("re", "aw", "antw", "antwort", "betr", "rep", "ref", "rif", "r", "rsp", "res", "ras", "rasp"),
    *("odp", "od", "sv", "vs", "va", "ynt", "ответ", "на", "απ", "σχετ"),
    *("回复", "回覆", "答复", "答覆", "回信", "返信", "회신", "답장"),
    # passed on
    *("fw", "fwd", "wg", "doorst", "tr", "rv", "i", "enc", "pd", "vb", "vl", "ilt", "пересл"),
    *("转发", "轉寄", "轉發", "転送", "전달"),
)

#: Encodings that are announced by the name of one they contain.
WIDER_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "big5": "cp950"}

#: What neither XML nor PostgreSQL takes: control characters, and the half characters that Python
#: makes of bytes that are no text.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean_text(text):
    """``text`` without what cannot be kept, see :data:`NO_TEXT`."""
    return NO_TEXT.sub("", text)


def storable(text):
    """``text`` as PostgreSQL takes it, which knows no NUL in a text and no half characters: these
    become question marks."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def fold(text):
    """``text`` as it is compared: without case, accents, kinds of width and of white space."""
    text = unicodedata.normalize("NFKD", text).casefold().replace("ł", "l")
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(unicodedata.normalize("NFC", text).split())


def header_values(message, name):
    """All values of the header ``name`` of a message, decoded, in the order of the mail."""
    name = name.lower()
    return [
        _decode_words(str(value))
        for header, value in message.raw_items()
        if str(header).lower() == name
    ]


def field_values(fields, name):
    """What the fields ``name`` say in the text of a part that consists of fields: a delivery
    status, a feedback report, the headers of a mail that is returned."""
    return [
        " ".join(value.split())
        for value in re.findall(
            rf"^{re.escape(name)}:(.*(?:\r?\n[ \t].*)*)", fields, re.IGNORECASE | re.MULTILINE
        )
    ]


def subject_of(message):
    """The subject of a message, empty where it has none."""
    return next(iter(header_values(message, "Subject")), "")


def decode(data, charset=None):
    """The text of ``data`` (bytes), whatever it is said to be encoded in."""
    charset = (charset or "").strip().strip('"').lower()
    for name in (WIDER_CHARSETS.get(charset, charset), "utf-8", "gb18030"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def _decode_words(value):
    """The text of a header with encoded words (RFC 2047), or with bytes that are not ASCII."""
    try:
        chunks = email.header.decode_header(value)
    except (email.errors.HeaderParseError, ValueError):
        chunks = [(value, None)]
    return "".join(
        decode(chunk.encode("utf-8", "surrogateescape") if isinstance(chunk, str) else chunk, name)
        for chunk, name in chunks
    )


_BRACKETS = r"(?:\[[^\]]{1,60}\]|【[^】]{1,60}】)"
_LEADING_BRACKETS = re.compile(rf"(?:{_BRACKETS} ?)*")
_ANSWER = re.compile(
    rf"(?:{_BRACKETS} ?)*(?:{'|'.join(map(re.escape, map(fold, ANSWER_PREFIXES)))})"
    r" ?(?:[\[(]\d+[\])])? ?: ?"
)


def strip_brackets(subject):
    """A folded subject without what gateways and lists put in brackets before it."""
    return subject[_LEADING_BRACKETS.match(subject).end() :] or subject


def is_answer(subject):
    """Whether a subject says that a person pressed a button to answer or to pass on."""
    return bool(_ANSWER.match(fold(subject)))


def base_subject(subject):
    """What a subject is about, to compare it with another one: without what programs put before
    the subject of an answer, however often."""
    subject = fold(subject)
    while found := _ANSWER.match(subject):
        subject = subject[found.end() :]
    return strip_brackets(subject)
