"""People of the company who use Odoo: over JSON-2, each with an API key of their own."""

import requests

TIMEOUT = 120


class User:
    """A user at work: `user.call("crm.lead", "action_restore", [lead_id])`."""

    def __init__(self, server, login, password):
        self._url = f"{server.url}/json/2"
        self._session = requests.Session()
        self.key = _make_api_key(server, login, password)
        self._session.headers["Authorization"] = f"bearer {self.key}"
        self._references = {}

    def call(self, model, method, ids=None, /, **arguments):
        """Call a method of a model (on records, if it takes some) and return its result."""
        if ids is not None:
            arguments["ids"] = list(ids)
        response = self._session.post(
            f"{self._url}/{model}/{method}", json=arguments, timeout=TIMEOUT
        )
        if not response.ok:
            raise AssertionError(f"{model}.{method} failed: {_message(response)}")
        return response.json()

    def create(self, model, values, **context):
        """Create a record and return its id."""
        return self.call(model, "create", vals_list=[values], context=context)[0]

    def find(self, model, domain, fields, **options):
        """Return records, archived ones included, as dictionaries."""
        return self.call(
            model,
            "search_read",
            domain=domain,
            fields=fields,
            context={"active_test": False},
            **options,
        )

    def ref(self, xml_id):
        """Return the id of the record with this external id."""
        module, _dot, name = xml_id.partition(".")
        if xml_id not in self._references:
            found = self.find(
                "ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"]
            )
            self._references[xml_id] = found[0]["res_id"]
        return self._references[xml_id]

    def run_cron(self, xml_id):
        """Run a scheduled action to its end, as the button Run Manually does."""
        error = self.call("ir.cron", "method_direct_trigger", [self.ref(xml_id)])
        if error is not True:
            raise AssertionError(f"{xml_id} failed: {error}")


def _make_api_key(server, login, password):
    """Log in and make an API key valid for a day, as people do in their preferences."""
    web = requests.Session()

    def web_client(path, **params):
        response = web.post(f"{server.url}{path}", json={"params": params}, timeout=TIMEOUT).json()
        if "error" in response:
            raise AssertionError(f"{path}: {response['error']['data']['message']}")
        return response["result"]

    def call(model, method, *args, **kwargs):
        return web_client(
            "/web/dataset/call_kw", model=model, method=method, args=args, kwargs=kwargs
        )

    web_client("/web/session/authenticate", db=server.database, login=login, password=password)
    description = {"name": "Demo story", "duration": "1"}
    (wizard,) = call("res.users.apikeys.description", "create", [description])
    action = call("res.users.apikeys.description", "make_key", [wizard])
    if action["res_model"] == "res.users.identitycheck":
        confirm = [action["res_id"]]
        action = call(action["res_model"], "run_check", confirm, context={"password": password})
    return action["context"]["default_key"]


def _message(response):
    """Return what Odoo says went wrong."""
    try:
        return response.json()["message"]
    except (ValueError, KeyError):
        return f"{response.status_code} {response.text[:500]}"
