import json
import logging
import socket
import ssl
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests
from aiohttp.test_utils import unused_port
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from bots.reach import WITHIN
from bots.reach_teams import _session, check_teams
from core.doctor import State
from core.settings import Settings

BOT, TENANT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SECRET = "geheim~1"
TEAMS = {"teams_app_id": BOT, "teams_app_password": SECRET, "teams_tenant_id": TENANT}
MULTI = {"teams_app_type": "MultiTenant"}
IDENTITY = {"teams_app_type": "UserAssignedMSI", "teams_app_password": ""}
TOKEN = {"access_token": "eyJ0", "token_type": "Bearer", "expires_in": 3600}


def refusal(number, error="invalid_client"):
    """As Entra words it, but that ours repeats the secret: nobody promised that it never would."""
    about = f"AADSTS{number}: Something about {SECRET}. Trace ID: 1 Correlation ID: 2"
    return {"error": error, "error_description": about, "error_codes": [number]}


class FakeEntra:
    """Microsoft's sign-in, and the identity endpoint of a machine in Azure."""

    def __init__(self, says=TOKEN, status=200):
        self.says = requests.Response()
        self.says.status_code = status
        self.says._content = (says if isinstance(says, str) else json.dumps(says)).encode()
        self.asked = []

    def get(self, url, params=None, **_):
        self.asked.append((url, params))
        return self.says

    def post(self, url, data=None, **_):
        self.asked.append((url, data))
        return self.says


class Offline:
    def get(self, *_, **__):
        raise requests.ConnectionError("no route to " + SECRET)

    post = get


@pytest.fixture(scope="module")
def keys():
    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/keys" else 403)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Keys)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/keys"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _on_no_machine_of_azure(monkeypatch):
    for name in (
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    ):
        monkeypatch.delenv(name, raising=False)


def checked(keys, entra=None, service="", **over):
    """What `doctor` finds, by name."""
    checks = check_teams(Settings(**TEAMS | over), session=entra or FakeEntra(), keys=keys, service=service or keys)
    return {check.name: check for check in checks}


# -- settings --------------------------------------------------------------------------------------------------------
def test_what_is_not_configured_is_off():
    check, _ = check_teams(Settings())
    assert (check.name, check.state, "MICROSOFT_APP_ID" in check.todo) == ("teams", State.OFF, True)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"teams_app_password": SECRET}, "MICROSOFT_APP_PASSWORD"),
        ({"teams_tenant_id": TENANT}, "MICROSOFT_APP_TENANT_ID"),
        ({"teams_tenants": TENANT}, "TEAMS_TENANTS"),
    ],
)
def test_settings_without_an_app_are_a_failure_that_names_them(given, name):
    check, _ = check_teams(Settings(**given))
    assert (check.state, f"{name} is" in check.found) == (State.FAIL, True)
    assert check.found == Settings(**given).teams_without_app  # as serve says it


@pytest.mark.parametrize(
    ("over", "name"),
    [
        ({"teams_tenant_id": ""}, "MICROSOFT_APP_TENANT_ID"),
        ({"teams_app_password": ""}, "MICROSOFT_APP_PASSWORD"),
        ({"teams_app_id": "bijdehand"}, "MICROSOFT_APP_ID"),
        ({"teams_app_id": "", "teams_without_login": True, "host": "0.0.0.0"}, "BIJDEHAND_HOST"),
    ],
)
def test_settings_that_serve_refuses_are_a_failure_and_nobody_is_asked(keys, over, name):
    entra = FakeEntra()
    found = checked(keys, entra, **over)
    assert (list(found), found["teams"].state) == (["teams", "settings"], State.FAIL)
    assert name in found["teams"].found
    assert entra.asked == []


def test_teams_without_login_is_a_warning():
    (check,) = check_teams(Settings(teams_without_login=True))
    assert check.state is State.WARN


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_settings_come_from_is_said_when_something_is_amiss(keys, elsewhere):
    def found(**over):
        return checked(keys, **over).get("settings")

    for over in ({"teams_app_id": ""}, {"teams_tenant_id": ""}, {"entra": FakeEntra(refusal(7000215), 401)}):
        (elsewhere / ".env").unlink(missing_ok=True)
        assert (found(**over).state, found(**over).found) == (
            State.OFF,
            f"no .env in {elsewhere}: from the environment alone",
        )
        (elsewhere / ".env").write_text("BIJDEHAND_PORT=3978\n")
        assert found(**over).found == f"from {elsewhere / '.env'} and the environment"
    assert found() is None


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("MicrosoftAppId", "MICROSOFT_APP_ID"),
        ("MICROSOFT_APPID", "MICROSOFT_APP_ID"),
        ("MicrosoftAppPassword", "MICROSOFT_APP_PASSWORD"),
        ("MicrosoftAppTenantId", "MICROSOFT_APP_TENANT_ID"),
        ("MicrosoftAppType", "MICROSOFT_APP_TYPE"),
    ],
)
@pytest.mark.parametrize("is_in_file", [True, False])
def test_a_setting_that_is_called_otherwise_is_named_without_its_value(elsewhere, monkeypatch, name, ours, is_in_file):
    if is_in_file:
        (elsewhere / ".env").write_text(f"{name}={SECRET}\n", encoding="utf-8-sig")
    else:
        monkeypatch.setenv(name, SECRET)
    *_, check = check_teams(Settings())
    assert (check.state, check.found, check.todo) == (State.WARN, f"{name} is not read", f"call it {ours}")


@pytest.mark.parametrize("name", ["MICROSOFT_APP_ID", "microsoft_app_id", "MICROSOFT_APP", "APP_ID"])
def test_no_other_name_is_pointed_out(elsewhere, monkeypatch, name):
    monkeypatch.setenv(name, "")
    assert [check.state for check in check_teams(Settings())] == [State.OFF, State.OFF]


def test_a_secret_id_in_place_of_a_secret_is_seen_without_the_network(keys):
    found = checked(keys, Offline(), teams_app_password=TENANT)
    assert (found["secret"].state, "Secret ID" in found["secret"].found) == (State.WARN, True)
    assert "secret" not in checked(keys, teams_app_password=TENANT)  # there are old ones like that
    assert "secret" not in checked(keys, Offline())


# -- signing in ------------------------------------------------------------------------------------------------------
def test_it_signs_in_at_its_own_tenant_for_what_teams_is_reached_with(keys):
    entra = FakeEntra()
    check = checked(keys, entra)["teams"]
    assert (check.state, check.found) == (State.OK, f"signed in as SingleTenant app {BOT}")
    url, data = entra.asked[-1]
    assert url == f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    assert (data["client_id"], data["client_secret"]) == (BOT, SECRET)
    assert data["scope"] == "https://api.botframework.com/.default"


def test_a_bot_of_many_tenants_signs_in_where_bots_do(keys):
    entra = FakeEntra()
    assert checked(keys, entra, **MULTI)["teams"].state is State.OK
    assert "/botframework.com/" in entra.asked[-1][0]


@pytest.mark.parametrize(
    ("number", "found", "todo"),
    [
        (7000215, "MICROSOFT_APP_PASSWORD is wrong", "Value"),
        (7000222, "expired", "new secret"),
        (700016, "not in this tenant", "MICROSOFT_APP_ID"),
        (7000229, "no enterprise application", "MICROSOFT_APP_ID"),
        (90002, "no such tenant", "MICROSOFT_APP_TENANT_ID"),
        (53003, "invalid_client", "look that number up"),
    ],
)
def test_why_microsoft_refuses_is_said_with_what_to_do(keys, number, found, todo):
    check = checked(keys, FakeEntra(refusal(number), 401))["teams"]
    assert (check.state, found in check.found, todo in check.todo) == (State.FAIL, True, True)
    assert f"AADSTS{number}" in check.found


@pytest.mark.parametrize("entra", [Offline(), FakeEntra("busy", 503)], ids=["offline", "busy"])
def test_no_answer_is_the_network(keys, entra):
    check = checked(keys, entra)["teams"]
    assert (check.state, "login.microsoftonline.com cannot be reached" in check.found) == (State.FAIL, True)
    for host in ("login.microsoftonline.com", "login.botframework.com", "smba.trafficmanager.net", "HTTPS_PROXY"):
        assert host in check.todo


def test_a_certificate_that_is_not_trusted_has_an_advice_of_its_own(keys, monkeypatch):
    class Between:
        def post(self, *_, **__):
            raise requests.exceptions.SSLError("self-signed certificate in certificate chain")

    def between(*_, **__):
        raise urllib.error.URLError(ssl.SSLCertVerificationError("self-signed certificate in certificate chain"))

    monkeypatch.setattr(urllib.request, "urlopen", between)
    found = checked(keys, Between())
    for name in ("teams", "keys", "service"):
        assert (found[name].state, "SSL_CERT_FILE" in found[name].todo) == (State.FAIL, True)


@given(
    says=st.text()
    | st.sampled_from(["0", "null", "[]", '"access_token"'])
    | st.fixed_dictionaries({}, optional={"error": st.text(), "error_codes": st.lists(st.integers())})
)
def test_what_is_no_token_is_a_failure(keys, says):
    assert checked(keys, FakeEntra(says, 400))["teams"].state is State.FAIL


@pytest.mark.parametrize("entra", [FakeEntra(refusal(7000215), 401), FakeEntra(refusal(1), 400), Offline()])
def test_no_secret_is_shown_or_logged(keys, entra, caplog):
    with caplog.at_level(logging.DEBUG, "bots"):
        assert SECRET not in repr(checked(keys, entra))
    assert SECRET not in caplog.text


def test_nobody_is_waited_for_long():
    class Slow(HTTPAdapter):
        def send(self, request, timeout=None, **_):
            raise requests.Timeout(str(timeout))

    session = _session()
    session.mount("https://", Slow())
    with pytest.raises(requests.Timeout, match=f"^{WITHIN}$"):
        session.post("https://login.example/")


# -- a managed identity ----------------------------------------------------------------------------------------------
def test_a_managed_identity_is_asked_for_where_there_is_one(keys):
    entra = FakeEntra()
    check = checked(keys, entra, **IDENTITY)["teams"]
    assert (check.state, check.found) == (State.OK, f"signed in as UserAssignedMSI app {BOT}")
    _, params = entra.asked[-1]
    assert (params["client_id"], params["resource"]) == (BOT, "https://api.botframework.com")


def test_so_is_that_of_a_web_app(keys, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    entra = FakeEntra({"access_token": "eyJ0", "expires_on": str(int(time.time()) + 3600)})
    assert checked(keys, entra, **IDENTITY)["teams"].state is State.OK
    assert entra.asked[-1][0] == "http://127.0.0.1/msi/token"


def test_elsewhere_it_can_only_be_said_where_to_look(keys):
    check = checked(keys, Offline(), **IDENTITY)["teams"]
    assert (check.state, "in Azure only" in check.found) == (State.WARN, True)
    assert checked(keys, FakeEntra("<html>", 404), **IDENTITY)["teams"].state is State.WARN


def test_an_identity_that_the_machine_does_not_have_is_a_failure(keys):
    entra = FakeEntra({"error": "invalid_request", "error_description": "Identity not found"}, 400)
    check = checked(keys, entra, **IDENTITY)["teams"]
    assert (check.state, BOT in check.found, "Identity" in check.todo) == (State.FAIL, True, True)


# -- the rest --------------------------------------------------------------------------------------------------------
def test_the_signing_keys_of_teams_must_be_within_reach(keys):
    assert checked(keys)["keys"].state is State.OK
    for gone in (f"http://127.0.0.1:{unused_port()}/keys", f"{keys}/gone"):
        check = checked(gone, service=keys)["keys"]
        assert (check.state, gone in check.found, "HTTPS_PROXY" in check.todo) == (State.FAIL, True, True)


def test_so_must_be_where_answers_go_which_may_say_no(keys):
    assert checked(keys)["service"].state is checked(keys, service=f"{keys}/no")["service"].state is State.OK
    gone = f"http://127.0.0.1:{unused_port()}/"
    check = checked(keys, service=gone)["service"]
    assert (check.state, gone in check.found, "HTTPS_PROXY" in check.todo) == (State.FAIL, True, True)


def test_what_azure_must_be_told_is_said_with_where_it_has_to_lead(keys):
    check = checked(keys, host="127.0.0.1", port=(port := unused_port()))["endpoint"]
    assert "https://your.host/api/messages" in check.found
    assert f"127.0.0.1:{port}, where nothing listens now" in check.found
    assert (check.state, check.todo) == (State.OFF, "run: bijdehand serve")


def test_a_listener_that_is_there_is_seen_and_left_alone(keys):
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        assert checked(keys, port=port)["endpoint"].state is State.OK
        with socket.create_connection(("127.0.0.1", port)):
            pass
    assert checked(keys, port=port)["endpoint"].state is State.OFF


@pytest.mark.parametrize("host", ["your.invalid", "192.0.2.1", "a..b"])
def test_a_host_that_serve_refuses_is_refused_with_its_words(keys, host):
    check = checked(keys, host=host)["endpoint"]
    assert check.state is State.FAIL
    assert check.found == f"This machine cannot listen on {host!r}. Set BIJDEHAND_HOST to its address."
