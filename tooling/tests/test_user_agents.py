"""What user agents show of device and mail program, without Odoo: real ones."""

import unittest

from . import pure

user_agents = pure.load("user_agents")

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT}"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36"
)
ANDROID = "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko){}"

#: What loads pictures: (device, mail program, user agent).
OPENS = [
    (
        *(None, "gmail"),
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    ),
    (
        *(None, "yahoo"),
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ),
    (
        *("desktop", "outlook"),
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; .NET4.0C;"
        " .NET4.0E; Tablet PC 2.0; Microsoft Outlook 16.0.4266; ms-office; MSOffice 16)",
    ),
    (
        *("desktop", "outlook"),
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
    ),
    (
        *("desktop", "outlook"),
        "MacOutlook/16.78.3.23102801 (Intelx64 Mac OS X Version 13.6 (Build 22G120))",
    ),
    (
        *("desktop", "thunderbird"),
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0",
    ),
    ("desktop", "apple", MAC),
    ("phone", "apple", f"{IPHONE} Mobile/15E148"),
    (
        *("tablet", "apple"),
        f"Mozilla/5.0 (iPad; CPU OS 15_6 like Mac OS X) {WEBKIT} Mobile/15E148",
    ),
    ("desktop", "webmail", CHROME),
    ("desktop", "webmail", f"{CHROME} Edg/142.0.0.0"),
    (
        *("desktop", "webmail"),
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("desktop", "webmail", f"{MAC} Version/18.5 Safari/605.1.15"),
    ("phone", "webmail", f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1"),
    ("phone", "webmail", f"{IPHONE} CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1"),
    ("phone", "webmail", ANDROID.format("SM-S908B", " Chrome/119.0.0.0 Mobile Safari/537.36")),
    (
        *("phone", "android"),
        ANDROID.format(
            "SM-S908B Build/TP1A.220624.014; wv",
            " Version/4.0 Chrome/119.0.6045.66 Mobile Safari/537.36",
        ),
    ),
    ("tablet", "webmail", ANDROID.format("SM-X200", " Chrome/119.0.0.0 Safari/537.36")),
    ("phone", "webmail", "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"),
    ("tablet", "webmail", "Mozilla/5.0 (Android 14; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0"),
    # these show nothing of it
    (None, None, "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)"),
    (None, None, "Mozilla/5.0"),
    (None, None, "okhttp/4.12.0"),
    (None, None, ""),
]


class TestUserAgents(unittest.TestCase):
    def test_opens(self):
        for device, client, user_agent in OPENS:
            with self.subTest(user_agent):
                self.assertEqual(user_agents.get_origin(user_agent, "open"), (device, client))

    def test_clicks(self):
        """A link is followed by a browser, whatever program showed the mail."""
        for device, _client, user_agent in OPENS:
            with self.subTest(user_agent):
                self.assertEqual(user_agents.get_origin(user_agent, "click"), (device, None))

    def test_values(self):
        """Nothing is found that has no name, and everything that has one can be found."""
        devices = {device for device, _client, _user_agent in OPENS}
        clients = {client for _device, client, _user_agent in OPENS}
        self.assertEqual(devices - {None}, set(dict(user_agents.DEVICES)) - {"unknown"})
        self.assertEqual(clients - {None}, set(dict(user_agents.CLIENTS)) - {"unknown"})
