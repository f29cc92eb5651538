"""No calls to other programs, in one thread, for a while.

Odoo's add-ons speak HTTP with ``requests``: SMS and other services of IAP, push notifications,
webhooks. Its adapter is where all of them leave, so there is one gate here, which is open but for
a thread in :func:`offline`.
"""

import functools
import threading
from contextlib import contextmanager

from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as CallError

_thread = threading.local()
_send = HTTPAdapter.send


@functools.wraps(_send)
def _send_unless_offline(self, request, *args, **kwargs):
    suppressed = getattr(_thread, "suppressed", None)
    if suppressed is None:
        return _send(self, request, *args, **kwargs)
    suppressed.append(("call", request.url))
    raise CallError(f"Not called in a test: {request.url}", request=request)


HTTPAdapter.send = _send_unless_offline


@contextmanager
def offline(suppressed):
    """Let this thread call nobody over HTTP.

    :param suppressed: list that gets a pair (``call``, address) for each attempt
    """
    before = getattr(_thread, "suppressed", None)
    _thread.suppressed = suppressed
    try:
        yield
    finally:
        _thread.suppressed = before
