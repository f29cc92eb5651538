"""No calls to other programs, in one thread, for a while.

Odoo's add-ons speak HTTP with ``requests``: SMS and other services of IAP, push notifications,
webhooks. Its adapter is where all of them leave. While a thread is in :func:`offline` there is a
gate, for the whole process, which stops that thread and lets all others through. The rest of the
time there is none.
"""

import functools
import threading
from contextlib import contextmanager

from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as CallError

_thread = threading.local()


class _Gate:
    """Where requests leave, as long as somebody needs it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._users = 0
        #: what there was before, and what is there instead
        self._before = self._closed = None

    def __enter__(self):
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = HTTPAdapter.send
                HTTPAdapter.send = self._closed = _closed_to_some(self._before)

    def __exit__(self, *_error):
        with self._lock:
            self._users -= 1
            # who put something over it meanwhile takes that away: then this one stops nobody
            if not self._users and HTTPAdapter.send is self._closed:
                HTTPAdapter.send = self._before


def _closed_to_some(send):
    """``send`` of an adapter, closed to the threads that are offline."""

    @functools.wraps(send)
    def send_unless_offline(self, request, *args, **kwargs):
        suppressed = getattr(_thread, "suppressed", None)
        if suppressed is None:
            return send(self, request, *args, **kwargs)
        suppressed.append(("call", request.url))
        raise CallError(f"Not called in a test: {request.url}", request=request)

    return send_unless_offline


_gate = _Gate()


@contextmanager
def offline(suppressed):
    """Let this thread call nobody over HTTP.

    :param suppressed: list that gets a pair (``call``, address) for each attempt
    """
    before = getattr(_thread, "suppressed", None)
    with _gate:
        _thread.suppressed = suppressed
        try:
            yield
        finally:
            _thread.suppressed = before
