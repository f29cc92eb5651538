"""Who keeps the mailboxes of an address, by its domain. Companies with a domain of their own
are Others: where their mailboxes lie says their MX record, and nobody is asked for that here."""

PROVIDERS = [
    ("google", "Google"),
    ("microsoft", "Microsoft"),
    ("yahoo", "Yahoo and AOL"),
    ("apple", "Apple"),
    ("gmx", "GMX, WEB.DE and mail.com"),
    ("telekom", "Telekom"),
    ("proton", "Proton"),
    ("orange", "Orange"),
    ("free", "Free"),
    ("laposte", "La Poste"),
    ("mail_ru", "Mail.ru"),
    ("yandex", "Yandex"),
    ("tencent", "QQ"),
    ("netease", "NetEase"),
    ("other", "Other"),
]

_DOMAINS = {
    "google": "gmail.com googlemail.com google.com",
    "microsoft": """
        hotmail.com hotmail.be hotmail.ca hotmail.ch hotmail.co.jp hotmail.co.uk hotmail.com.ar
        hotmail.com.au hotmail.com.br hotmail.com.mx hotmail.com.tr hotmail.de hotmail.dk
        hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.it hotmail.nl hotmail.no
        hotmail.se live.at live.be live.ca live.ch live.cl live.cn live.co.uk live.co.za live.com
        live.com.ar live.com.au live.com.mx live.com.pt live.de live.dk live.fi live.fr live.ie
        live.in live.it live.jp live.nl live.no live.se msn.com outlook.at outlook.be
        outlook.cl outlook.co.nz outlook.co.th outlook.com outlook.com.ar outlook.com.au
        outlook.com.br outlook.com.gr outlook.com.tr outlook.cz outlook.de outlook.dk outlook.es
        outlook.fr outlook.hu outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv
        outlook.my outlook.ph outlook.pt outlook.sa outlook.sg outlook.sk passport.com
        windowslive.com
    """,
    "yahoo": """
        aol.com aol.de aol.fr aol.it aol.co.uk aim.com myyahoo.com rocketmail.com ymail.com
        yahoo.at yahoo.be yahoo.ca yahoo.ch yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.nz
        yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br
        yahoo.com.hk yahoo.com.mx yahoo.com.my yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw
        yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.ie yahoo.in
        yahoo.it yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.se
    """,
    "apple": "icloud.com me.com mac.com privaterelay.appleid.com",
    "gmx": """
        gmx.at gmx.ch gmx.com gmx.de gmx.es gmx.eu gmx.fr gmx.li gmx.net gmx.org gmx.info gmx.biz
        gmx.us gmx.co.uk web.de email.de mail.com caramail.com 1und1.de
    """,
    "telekom": "t-online.de magenta.de",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "orange": "orange.fr wanadoo.fr",
    "free": "free.fr aliceadsl.fr",
    "laposte": "laposte.net",
    "mail_ru": "mail.ru bk.ru inbox.ru list.ru internet.ru",
    "yandex": "yandex.ru yandex.com ya.ru yandex.by yandex.kz yandex.ua narod.ru",
    "tencent": "qq.com foxmail.com",
    "netease": "163.com 126.com yeah.net",
}
#: The provider of each domain that has one here.
DOMAINS = {domain: provider for provider, domains in _DOMAINS.items() for domain in domains.split()}


def get_provider(address):
    """Who keeps the mailbox of a normalized address, a value of :data:`PROVIDERS`; None without an
    address."""
    if not address or "@" not in address:
        return None
    return DOMAINS.get(address.rpartition("@")[2].lower(), "other")


def keep_provider(records, field):
    """Before addresses are erased: keep in a field which mail provider has them, for the
    statistics.

    :param records: with a field ``email``
    """
    for provider, group in records.grouped(lambda one: get_provider(one.email)).items():
        if provider:
            group[field] = provider
