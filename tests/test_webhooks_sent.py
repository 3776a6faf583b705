"""What is sent to a receiver: its signatures, by checks that are not ours; and where nothing is sent."""

import asyncio
import base64
import hashlib
import hmac
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from commands import ending
from database import ENGINES, new_database
from in_memory import send
from ordre.pytest import running
from ordre.webhooks.addresses import may_reach
from ordre.webhooks.sending import Sender
from ordre.webhooks.signing import Aws4, aws4_headers
from page import block_of, run_block
from receivers import LOCAL, QUICK, Received, Receiver, receiving, wait_for
from service import ORDRE, Service, Shop, items, serving
from throwaway import free_port

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture(scope="module", params=ENGINES)
def sending(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that sends at once, and to this machine, on a database of its own: no other server sends in its place."""
    with serving(new_database(request, str(request.param), tmp_path_factory), **QUICK) as made:
        yield made


@pytest.fixture
def shop(sending: Service) -> Iterator[Shop]:
    with sending.shop() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def sent(shop: Shop, receiver: Receiver, secret: Any) -> list[Received]:
    """A ping and an order that is made."""
    shop.subscribe(receiver.url, "shopping_order_update", secret=secret)
    shop.order(100, customer={"first_name": "Kåre"})
    wait_for(lambda: len(receiver.all) >= 2)
    return receiver.all


def checked_by_the_reference(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """Section 4.7 of the reference, word by word."""
    assert headers["event-signature"] == hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Dintero-Hook/")
    assert int(headers["user-agent"].partition("/")[2].partition(" ")[0], 16)
    assert len(headers["event-delivery"]) == 36


@pytest.mark.parametrize("value", ["s3cret", f"whsec_{base64.b64encode(b'k' * 24).decode()}", "whsec_no base64"])
def test_a_shared_secret(shop: Shop, receiver: Receiver, value: str) -> None:
    standard = Webhook(value if value.startswith("whsec_") and " " not in value else value.encode())
    for one in sent(shop, receiver, {"type": "HMAC-SHA1", "value": value}):
        checked_by_the_reference(one.headers, one.body, value)
        assert standard.verify(one.body.decode(), dict(one.headers)) == one.json
        with pytest.raises(WebhookVerificationError):
            standard.verify(one.body.decode().replace("T1", "T2"), dict(one.headers))
        assert one.headers["webhook-id"] == one.id


def test_an_authorization(shop: Shop, receiver: Receiver) -> None:
    for one in sent(shop, receiver, {"type": "Authorization", "value": "Bearer abc"}):
        assert one.headers["authorization"] == "Bearer abc"
        assert "event-signature" not in one.headers


def test_no_secret(shop: Shop, receiver: Receiver) -> None:
    for one in sent(shop, receiver, None):
        assert not {"authorization", "event-signature", "webhook-signature"} & one.headers.keys()
        assert one.headers["webhook-id"] == one.id


KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SUITE = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("service", "at", "method", "url", "body", "more", "signature"),
    [
        (
            "service",
            SUITE,
            "GET",
            "https://example.amazonaws.com/",
            b"",
            {},
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "service",
            SUITE,
            "POST",
            "https://example.amazonaws.com/",
            b"",
            {},
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "service",
            SUITE,
            "GET",
            "https://example.amazonaws.com/?Param1=value1",
            b"",
            {},
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "iam",
            datetime(2011, 9, 9, 23, 36, tzinfo=UTC),
            "POST",
            "https://iam.amazonaws.com/",
            b"Action=ListUsers&Version=2010-05-08",
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            "ced6826de92d2bdeed8f846f0bf508e8559e98e4b0199114b84c54174deb456c",
        ),
    ],
)
def test_signature_version_4_of_aws_as_published(  # the first three are of the test suite of AWS, the last of its guide
    service: str, at: datetime, method: str, url: str, body: bytes, more: dict[str, str], signature: str
) -> None:
    secret = Aws4(**KEYS, region="us-east-1", service=service)
    headers = aws4_headers(secret, method, url, body, int(at.timestamp()), more)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_what_is_signed_for_aws_is_what_is_sent(shop: Shop, receiver: Receiver) -> None:
    secret = {"type": "AWS4-HMAC-SHA256", **KEYS, "region": "eu-north-1", "service": "execute-api"}
    for one in sent(shop, receiver, secret):
        at = datetime.strptime(one.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        again = aws4_headers(
            Aws4(**KEYS, region="eu-north-1", service="execute-api"), "POST", receiver.url, one.body, int(at.timestamp())
        )
        assert again["authorization"] == one.headers["authorization"]
        assert one.headers["host"] in receiver.url


PRIVATE = """
127.0.0.1 127.8.8.8 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1
255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
64:ff9b::7f00:1 64:ff9b::a00:1 2002:7f00:1:: 2002:a00:1::
"""
PUBLIC = "8.8.8.8 93.184.215.14 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"


def test_which_addresses_may_be_sent_to() -> None:
    assert [one for one in PRIVATE.split() if may_reach(one, [])] == []
    assert [one for one in PUBLIC.split() if not may_reach(one, [])] == []
    networks = [ip_network("10.1.0.0/16"), ip_network("::1/128")]
    assert [one for one in ("10.1.2.3", "::ffff:10.1.2.3", "::1") if not may_reach(one, networks)] == []
    assert not may_reach("10.2.0.1", networks)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
def test_nothing_is_sent_to_this_machine_unless_it_may_be(own_database: str, receiver: Receiver, host: str) -> None:
    variables = {**QUICK, "ORDRE_HOOK_NETWORKS": "10.99.0.0/16"}
    with serving(own_database, **variables) as service, service.shop() as shop:
        hook = shop.subscribe(f"http://{host}:{receiver.port}/hook")["id"]
        wait_for(lambda: shop.hooks("GET", f"/{hook}/deliveries")[0]["attempts"])
        (attempt, *_) = shop.hooks("GET", f"/{hook}/deliveries")[0]["attempts"]
        assert "not on the public internet" in attempt["error"]
        assert "status" not in attempt
    assert receiver.all == []


def tried(url: str, addresses: Sequence[Sequence[str]], networks: Sequence[str] = ("127.0.0.0/8",), times: int = 1) -> list[Any]:
    """Send to a URL whose name has these addresses, one list each time that it is asked for."""
    asked = iter(addresses)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(asked)

    async def sending() -> list[Any]:
        sender = Sender(url, None, insecure=False, seconds=5, networks=[ip_network(one) for one in networks], resolve=resolve)
        found = [await sender.send("id", "ping", b"{}") for _ in range(times)]
        await sender.close()
        return found

    return asyncio.run(sending())


def test_a_name_that_changes_leads_nowhere_else(receiver: Receiver) -> None:
    """What was resolved is connected to: a second look-up, which would answer otherwise, is never made for a connection."""
    url = f"http://rebinding.example:{receiver.port}/"
    (public_then_private,) = tried(url, [["192.0.2.1"], ["127.0.0.1"]], networks=("10.0.0.0/8",))
    assert "192.0.2.1" in public_then_private.error
    (both,) = tried(url, [["10.255.255.1", "127.0.0.1"]], networks=("127.0.0.0/8",))
    assert (both.status, len(receiver.all)) == (200, 1)
    receiver.answering = lambda _: b"HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    first, second = tried(url, [["127.0.0.1"], ["10.0.0.1"]], times=2)
    assert (first.status, second.status) == (500, None)
    assert "10.0.0.1" in second.error
    assert len(receiver.all) == 2


def certified(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for localhost that nobody trusts who is not told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "key.pem", folder / "certificate.pem"
    plain = serialization.NoEncryption()
    paths[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    paths[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return paths


class Encrypted(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_certificates_are_asked_for_unless_the_subscription_says_otherwise(own_database: str, tmp_path: Path) -> None:
    key, certificate = certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), Encrypted)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url, events = f"https://localhost:{server.server_address[1]}/", ["shopping_order_update"]
    with serving(own_database, **QUICK) as service, service.shop() as shop:
        hooks = [
            shop.hooks("POST", body={"config": {"url": url, "insecure_ssl": insecure}, "events": events})["id"]
            for insecure in (0, 1)
        ]
        wait_for(lambda: all(shop.hooks("GET", f"/{hook}/deliveries")[0]["attempts"] for hook in hooks))
        refused, taken = (shop.hooks("GET", f"/{hook}/deliveries")[0]["attempts"][0] for hook in hooks)
        assert ("certificate is not trusted" in refused["error"], taken["status"]) == (True, 200)
    with serving(own_database, **QUICK, SSL_CERT_FILE=str(certificate)) as service, service.shop() as shop:
        hook = shop.subscribe(url)["id"]
        wait_for(lambda: shop.hooks("GET", f"/{hook}/deliveries")[0]["state"] == "delivered")
    server.shutdown()
    server.server_close()


def test_a_developer_listens(sending: Service, shop: Shop, receiver: Receiver) -> None:
    command = [ORDRE, "webhooks", "listen", "--url", sending.url, "--account", shop.account_id, "--forward", receiver.url]
    command += ["--client-id", shop.client_id, "--client-secret", shop.secret]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = [process.stdout.readline() for _ in range(2)]
        assert "ping: the subscription works, and its signature is right" in said[0]
        assert said[1].startswith("listening at http://127.0.0.1:")
        order = shop.order(100, order_number="N-17")
        line = process.stdout.readline()
        assert "order N-17: placed (version 1, by " in line
        assert line.endswith("; forwarded, answered 200\n")
        process.terminate()
        assert process.stdout.readline() == "unsubscribed\n"
        assert (process.wait(timeout=30), process.stderr.read()) == (0, "")
    assert shop.hooks("GET") == []
    (forwarded,) = receiver.but_for_pings()
    assert forwarded.json["order"]["id"] == order["id"]


def test_a_developer_is_told_why_nothing_comes(own_database: str) -> None:
    with (
        serving(own_database, ORDRE_HOOK_POLL_SECONDS="0.05", **{**LOCAL, "ORDRE_HOOK_NETWORKS": ""}) as service,
        service.shop() as shop,
    ):
        arguments = ["--url", service.url, "--account", shop.account_id, "--client-id", shop.client_id]
        command = [ORDRE, "webhooks", "listen", *arguments, "--client-secret", shop.secret]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "ORDRE_HOOK_NETWORKS" in done.stderr
        assert shop.hooks("GET") == []


def test_serving_loads_no_client_of_http_until_something_is_to_be_sent() -> None:
    code = "import sys, ordre.served; print([name for name in ('httpcore', 'httpx', 'anyio') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "httpcore" not in done.stdout
    assert "httpx" not in done.stdout


def test_the_receiver_of_the_documentation(own_database: str, tmp_path: Path) -> None:
    port, secret = free_port(), "a long random text"
    program = tmp_path / "receiver.py"
    program.write_text(block_of("webhooks.md", "tests/test_webhooks_sent.py: receiver"))
    environment = {**os.environ, "PORT": str(port), "SECRET": secret}
    with ending(subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True, env=environment)) as receiver:
        assert receiver.stdout is not None
        with serving(own_database, **QUICK) as service, service.shop() as shop:
            own = {"URL": service.url, "ACCOUNT": shop.account_id, "TOKEN": shop.token}
            names = {"http://127.0.0.1:5000/": f"http://127.0.0.1:{port}/"}
            run_block("webhooks.md", "tests/test_webhooks_sent.py: subscribe", tmp_path, names, {**os.environ, **own})
            assert receiver.stdout.readline() == "ping None None\n"
            shop.order(5)
            assert receiver.stdout.readline() == "shopping_order_update placed open\n"


def test_a_server_in_memory_sends_to_this_machine_whatever_its_clock_says(receiver: Receiver) -> None:
    with running("2999-01-01T00:00:00Z") as ordre:
        config = {"config": {"url": receiver.url}, "events": ["shopping_order_update"]}
        headers = {"Authorization": f"Bearer {ordre.token()}"}
        assert httpx.post(f"{ordre.api_url}/hooks/subscriptions", json=config, headers=headers).status_code == 200
        wait_for(lambda: receiver.of("ping"))
        made = send(ordre, "POST", "/orders", {"currency": "NOK", "items": items(5)})
        wait_for(receiver.but_for_pings)
        assert receiver.but_for_pings()[0].json["order"]["id"] == made.json()["id"]
