"""Where we send to on a client's word: nowhere into our own network, however the address is written."""

import asyncio
import socket
from typing import Any

import pytest
from pytest_django import Settings

from ledger import destinations
from ledger.destinations import RefusedDestination, look_up, read_destination
from ledger.models import WebhookDelivery
from ledger.services.webhooks import edit_webhook
from tests.conftest import SentTasks
from tests.ledger.factories import CompanyFactory
from tests.ledger.hooks import OWN_NETWORK, SYSTEM, fan_out, make_webhook, receiving, relay, tell

PUBLIC = "93.184.215.14"
REFUSED = [
    # loopback, private, link-local, the clouds' metadata, shared, reserved, multicast, "this host"
    "https://127.0.0.1/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.2.1/",
    # an address in disguise: decimal, octal, hexadecimal, short, full-width
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://017700000001/",
    "https://example.0x7f/",
    "https://１２７.0.0.1/",
    "https://127.0.0.1./",
    "https://①27.0.0.1/",
    # IPv6: loopback, none, local, unique local, mapped, NAT64, 6to4, Teredo, documentation, zones
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[ff02::1]/",
    # names of this house
    "https://localhost/",
    "https://LOCALHOST:8000/",
    "https://db.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    # a name and password, other schemes, other forms
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://example.com@127.0.0.1/",
    "https://@example.com/",
    "http://example.com/",
    f"http://{PUBLIC}/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://example.com/#part",
    "https://example.com/#",
    "https://exa mple.com/",
    "https://example.com/a b",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nX-More: 1",
    "https://example.com:0x50/",
    "https://example.com:99999/",
    "https://exa_mple.com/",
    "https://-example.com/",
    "https://[example.com]/",
    "https://[1.2.3.4]/",
    "https://[::1/",
    "https://example..com/",
    "https://" + "a" * 600 + ".com/",
    "https://müller.example/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_a_way_into_our_own_network_is_refused(url: str) -> None:
    with pytest.raises(RefusedDestination) as refused:
        read_destination(url)
    assert refused.value.code == "destination_refused"
    assert list(refused.value.errors) == ["url"]


@pytest.mark.parametrize(
    ("url", "authority", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://Example.com/a/b?c=d", "example.com", 443, "/a/b?c=d"),
        ("https://hooks.example.com:8443/x", "hooks.example.com:8443", 8443, "/x"),
        (f"https://{PUBLIC}/", PUBLIC, 443, "/"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]", 443, "/"),
        ("https://xn--mller-kva.example/", "xn--mller-kva.example", 443, "/"),
        ("https://1and1.example/", "1and1.example", 443, "/"),
    ],
)
def test_a_public_address_is_taken_as_it_is(url: str, authority: str, port: int, path: str) -> None:
    found = read_destination(url)
    assert (found.authority, found.port, found.path, found.tls) == (authority, port, path, True)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for, in place of the net's."""
    known: dict[str, list[str]] = {}

    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror("not known")
        return [(0, 0, 0, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


def looked_up(url: str) -> str:
    return str(asyncio.run(look_up(read_destination(url))))


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.5"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.5"],
        [PUBLIC, "10.0.0.5"],
        ["2606:4700::1111", "::1"],
    ],
)
def test_a_name_for_our_own_network_is_refused(
    names: dict[str, list[str]], addresses: list[str]
) -> None:
    names["hooks.example.com"] = addresses
    with pytest.raises(RefusedDestination):
        looked_up("https://hooks.example.com/")


def test_a_public_name_is_connected_to_at_the_address_that_was_looked_at(
    names: dict[str, list[str]],
) -> None:
    names["hooks.example.com"] = [PUBLIC, "93.184.215.15"]
    assert looked_up("https://hooks.example.com/") == PUBLIC


@pytest.mark.parametrize("network", [["127.0.0.0/8"], ["0.0.0.0/0", "::/0"]])
def test_link_local_addresses_are_refused_even_to_those_who_allow_everything(
    settings: Settings, network: list[str]
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = network
    for url in ("https://169.254.169.254/", "https://[fe80::1]/", "http://169.254.169.254/"):
        with pytest.raises(RefusedDestination):
            read_destination(url)


def test_http_goes_only_into_networks_of_ones_own(
    settings: Settings, names: dict[str, list[str]]
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    names["receiver.lan"], names["example.com"] = ["127.0.0.1"], [PUBLIC]
    assert looked_up("http://receiver.lan/") == "127.0.0.1"
    for url in ("http://example.com/", f"http://{PUBLIC}/", "http://10.0.0.1/"):
        with pytest.raises(RefusedDestination):
            looked_up(url)


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name that is public when first asked for and ours from the second time on."""
    answers: list[str] = [PUBLIC]

    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        address = answers.pop(0) if answers else "127.0.0.1"
        return [(0, 0, 0, "", (address, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return answers


@pytest.mark.django_db
def test_a_name_that_changes_its_mind_reaches_nothing_of_ours(
    rebinding: list[str], sent_tasks: SentTasks
) -> None:
    """DNS rebinding: accepted when it was set up, looked at again before every sending."""
    with receiving() as client:
        port = client.url.split(":")[2].partition("/")[0]
        webhook = make_webhook(CompanyFactory.create(), f"https://hooks.example.com:{port}/")
        tell(webhook.endpoint.company)
        fan_out()
        relay(webhook.endpoint)
        assert client.messages == []
    assert WebhookDelivery.objects.get().last_answer == "refused: This address is not public."


def test_the_connection_goes_to_the_address_that_was_looked_at(
    rebinding: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked for once: connecting does not ask again."""
    connected: list[str] = []

    async def connect(self: Any, host: str, port: int, **_: Any) -> Any:
        connected.append(host)
        raise OSError("not in a test")

    monkeypatch.setattr("httpcore._backends.auto.AutoBackend.connect_tcp", connect)
    from ledger.outbound import _perform

    assert _perform("https://hooks.example.com/", {}, b"{}")[0] is None
    assert connected == [PUBLIC]
    assert rebinding == []


@pytest.mark.django_db
def test_an_address_that_became_refused_is_not_sent_to(
    settings: Settings, sent_tasks: SentTasks
) -> None:
    settings.BURSAR_WEBHOOK_NETWORKS = OWN_NETWORK
    with receiving() as client:
        webhook = make_webhook(CompanyFactory.create(), client.url).endpoint
        settings.BURSAR_WEBHOOK_NETWORKS = []
        tell(webhook.company)
        fan_out()
        relay(webhook)
        assert client.messages == []


@pytest.mark.django_db
def test_editing_looks_as_closely_as_adding(
    names: dict[str, list[str]], sent_tasks: SentTasks
) -> None:
    names["hooks.example.com"], names["inside.example.com"] = [PUBLIC], ["10.0.0.1"]
    webhook = make_webhook(CompanyFactory.create(), "https://hooks.example.com/").endpoint
    for url in ("https://inside.example.com/", "https://[::1]/"):
        with pytest.raises(RefusedDestination):
            edit_webhook(actor=SYSTEM, webhook_id=webhook.pk, url=url)
    webhook.refresh_from_db()
    assert webhook.url == "https://hooks.example.com/"


def test_a_name_that_is_not_known_yet_may_be_given(names: dict[str, list[str]]) -> None:
    assert destinations.read_destination("https://soon.example.com/").host == "soon.example.com"
