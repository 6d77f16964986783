"""Who the gateway says it is: tokens of issuers that check what it signed with a library nobody here wrote."""
import concurrent.futures
import json
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import harness
from harness import make_config, model
from issuer import TokenIssuer
from upstream import answer
from wire import Connection, chat

EMAIL = "gateway@project.iam.example.com"
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def issuer():
    """start(grant): a token endpoint of this test."""
    started = []

    def start(grant):
        started.append(TokenIssuer(grant))
        return started[-1]

    yield start
    for one in started:
        one.close()


def pem(private_key):
    return private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()).decode()


def account(private_key, token_url):
    """A key file as Google's console hands it out."""
    return {"type": "service_account", "project_id": "project", "private_key_id": "key-7", "private_key": pem(private_key),
            "client_email": EMAIL, "client_id": "1234", "token_uri": token_url, "universe_domain": "example.com"}


def with_credential(up, credential, **more):
    return make_config(up, providers=[{"name": "p", "base_url": f"http://127.0.0.1:{up.port}/v1", "credentials": [credential], **more}])


def ask(g):
    with Connection(g.port) as connection:
        return connection.ask("POST", "/v1/chat/completions", chat())


def check(folder, config):
    """What `sluice check` says about it, and its exit code."""
    path = folder / "sluice.yaml"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    done = subprocess.run([harness.BINARY, "check", "-c", path], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


# --- Google service accounts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["file", "key"])
def test_a_service_account_signs_an_assertion_and_its_token_goes_upstream(gateway, upstream, issuer, key, tmp_path, where):
    seen = {}

    def grant(form):
        assert form["grant_type"] == JWT_BEARER
        seen["header"] = jwt.get_unverified_header(form["assertion"])
        seen["claims"] = jwt.decode(form["assertion"], key.public_key(), algorithms=["RS256"], audience=endpoint.url,
                                    issuer=EMAIL, options={"require": ["iss", "aud", "iat", "exp"]})
        return {"access_token": "ya29.granted", "token_type": "Bearer", "expires_in": 3599}

    endpoint, up = issuer(grant), upstream()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account(key, endpoint.url), indent=2))
    reference = str(file) if where == "file" else "${file:" + str(file) + "}"
    g = gateway(with_credential(up, {"gcp_service_account": {where: reference}}))
    assert ask(g).status == 200, seen
    assert up.requests[0].header("authorization") == "Bearer ya29.granted"
    assert seen["header"] == {"alg": "RS256", "typ": "JWT", "kid": "key-7"}
    assert seen["claims"]["scope"] == CLOUD_PLATFORM
    assert seen["claims"]["exp"] - seen["claims"]["iat"] == 3600
    assert abs(seen["claims"]["iat"] - time.time()) < 60


def test_requests_share_the_exchange_of_their_worker(gateway, upstream, issuer, key, tmp_path):
    def grant(form):
        time.sleep(0.2)
        jwt.decode(form["assertion"], key.public_key(), algorithms=["RS256"], audience=endpoint.url)
        return {"access_token": "t", "expires_in": 3600}

    endpoint, up = issuer(grant), upstream()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account(key, endpoint.url)))
    g = gateway(with_credential(up, {"gcp_service_account": {"file": str(file), "scope": "a b"}}))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(g).status, range(32)))
    assert answers == [200] * 32
    assert 1 <= len(endpoint.forms) <= 2  # two workers
    assert jwt.decode(endpoint.forms[0]["assertion"], options={"verify_signature": False})["scope"] == "a b"


def test_an_account_that_the_issuer_refuses_reaches_no_upstream_and_tells_nobody_its_key(gateway, upstream, issuer, key, tmp_path):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    endpoint = issuer(lambda form: jwt.decode(form["assertion"], key.public_key(), algorithms=["RS256"], audience=endpoint.url))
    up = upstream()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account(stranger, endpoint.url)))
    g = gateway(with_credential(up, {"gcp_service_account": {"file": str(file)}}))
    response = ask(g)
    assert response.status == 502 and response.json()["error"]["code"] == "credential_unavailable"
    assert len(endpoint.forms) == 1 and up.requests == []
    g.access_log()
    said = response.body.decode() + "\n".join(g.lines) + g.access_path.read_text()
    assert endpoint.forms[0]["assertion"] not in said and pem(stranger).splitlines()[1] not in said


def test_a_key_that_cannot_sign_is_a_problem_of_the_configuration(upstream, key, tmp_path):
    up = upstream()
    file = tmp_path / "key.json"
    file.write_text(json.dumps({**account(key, "https://issuer.example.com/token"), "private_key": "-----BEGIN hunter2"}))
    code, said = check(tmp_path, with_credential(up, {"gcp_service_account": {"file": str(file)}}))
    assert code == 1 and "providers[0].credentials[0].gcp_service_account.file: its private_key is no private key" in said
    assert "hunter2" not in said


# --- OAuth 2: a secret, or a token of somebody else -----------------------------------------------------------


def test_client_credentials_prove_themselves_by_a_secret(gateway, upstream, issuer):
    endpoint = issuer(lambda form: {"access_token": "by-secret", "expires_in": 3600})
    up = upstream()
    oauth2 = {"token_url": endpoint.url, "client_id": "id", "client_secret": "s e&c=ret", "scope": "https://cognitiveservices.azure.com/.default"}
    g = gateway(with_credential(up, {"oauth2": oauth2}))
    assert ask(g).status == 200
    assert up.requests[0].header("authorization") == "Bearer by-secret"
    assert endpoint.forms == [{"grant_type": "client_credentials", "client_id": "id", "client_secret": "s e&c=ret",
                               "scope": "https://cognitiveservices.azure.com/.default"}]


def test_a_workload_proves_itself_by_the_token_that_lies_in_a_file_now(gateway, upstream, issuer, key, tmp_path):
    """As a pod does at Entra: the cluster signs its service account's token and renews the file."""
    def federated(lifetime):
        claims = {"iss": "https://cluster.example.com", "sub": "system:serviceaccount:ai:gateway", "aud": "api://AzureADTokenExchange",
                  "exp": int(time.time()) + lifetime}
        return jwt.encode(claims, key, algorithm="RS256")

    def grant(form):
        assert form["client_assertion_type"] == CLIENT_ASSERTION and "client_secret" not in form
        claims = jwt.decode(form["client_assertion"], key.public_key(), algorithms=["RS256"], audience="api://AzureADTokenExchange")
        return {"access_token": "for-" + claims["sub"].rsplit(":", 1)[1], "expires_in": 3600}

    endpoint, up = issuer(grant), upstream()
    file = tmp_path / "token"
    file.write_text(federated(-10))
    oauth2 = {"token_url": endpoint.url, "client_id": "id", "federated_token_file": str(file), "scope": "s"}
    g = gateway(make_config(up, workers=1, providers=[{"name": "p", "base_url": f"http://127.0.0.1:{up.port}/v1",
                                                       "credentials": [{"oauth2": oauth2}]}]))
    assert ask(g).json()["error"]["code"] == "credential_unavailable"  # it is expired
    file.write_text(federated(600) + "\n")
    deadline = time.monotonic() + 10
    while ask(g).status != 200:
        assert time.monotonic() < deadline, endpoint.forms
        time.sleep(0.1)
    assert up.requests[0].header("authorization") == "Bearer for-gateway"


# --- presets --------------------------------------------------------------------------------------------------


def test_a_preset_names_the_provider_and_what_is_written_beside_it_wins(gateway, upstream):
    up = upstream(otherwise=[answer(b'{"choices":[]}')])
    config = make_config(up, models=[model("m", "deepseek")], providers=[
        {"preset": "deepseek", "base_url": f"http://127.0.0.1:{up.port}", "credentials": [{"api_key": "sk-upstream"}]}])
    g = gateway(config)
    assert ask(g).status == 200
    assert up.requests[0].line == "POST /chat/completions HTTP/1.1"
    assert up.requests[0].header("authorization") == "Bearer sk-upstream"
    assert g.metric("sluice_upstream_attempts_total", provider="deepseek", outcome="ok") == 1


def test_an_unknown_preset_and_none_at_all_are_told_at_their_place(tmp_path):
    code, said = check(tmp_path, "listeners: [{address: 127.0.0.1:0}]\nproviders:\n  - preset: deepsek\n  - name: groq\n")
    assert code == 1
    assert 'sluice.yaml:3:13: providers[0].preset: ' in said and 'did you mean "deepseek"?' in said
    assert "sluice.yaml:4:5: providers[1]: a provider needs a base_url or a preset (hint: preset: groq stands for its base_url)" in said
