"""What leaves for Daraja, and what is refused before it could leave."""

import base64
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ledger.refusals import InvalidInput
from payments.gateways.daraja import requests, security
from payments.simulator.identity import self_signed


@pytest.mark.parametrize(
    ("amount", "wire"), [("10", 10), ("250000", 250_000), ("1000.00", 1000), ("1E+3", 1000)]
)
def test_whole_shillings_leave_as_an_integer(amount: str, wire: int) -> None:
    assert requests.wire_amount(Decimal(amount)) == wire
    assert type(requests.wire_amount(Decimal(amount))) is int


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("100.50", "amount_precision"),
        ("10.0001", "amount_precision"),
        ("NaN", "amount_precision"),
        ("Infinity", "amount_precision"),
        ("9", "amount_out_of_range"),
        ("0", "amount_out_of_range"),
        ("-10", "amount_out_of_range"),
        ("250001", "amount_out_of_range"),
    ],
)
def test_an_amount_that_the_rail_cannot_carry_is_refused(amount: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        requests.wire_amount(Decimal(amount))
    assert refusal.value.code == code
    assert "amount" in refusal.value.errors


@pytest.mark.parametrize("number", ["+254712345678", "254712345678", "+254110345678"])
def test_a_kenyan_mobile_number_leaves_as_twelve_digits(number: str) -> None:
    assert requests.wire_msisdn(number) == number.removeprefix("+")


@pytest.mark.parametrize(
    "number",
    ["0712345678", "+256772123456", "+254202345678", "+2547123456789", "", "+२५४712345678"],
)
def test_any_other_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput):
        requests.wire_msisdn(number)


@pytest.mark.parametrize(
    ("remarks", "wire"),
    [
        ("Petty cash", "Petty cash"),
        ("a\nb\tc", "a b c"),
        ("", "Payment"),
        ("x", "Payment"),
        ("y" * 300, "y" * 100),
        ("z" * 99 + " tail", "z" * 99),
    ],
)
def test_remarks_fit_the_field(remarks: str, wire: str) -> None:
    assert requests.wire_remarks(remarks) == wire


@pytest.mark.parametrize("word", requests.FORBIDDEN_IN_URL)
def test_an_address_with_a_forbidden_word_is_not_sent(word: str) -> None:
    with pytest.raises(requests.UnusableAddress):
        requests.wire_url(f"https://bursar.example/{word.upper()}/")


@pytest.mark.parametrize("url", ["", "bursar.example/x", "ftp://bursar.example/", "https:///x"])
def test_an_address_that_is_none_is_not_sent(url: str) -> None:
    with pytest.raises(requests.UnusableAddress):
        requests.wire_url(url)


def test_a_payment_has_the_fields_of_the_gateway_odd_spellings_included() -> None:
    body = requests.build_b2c(
        initiator_name="api",
        security_credential="sealed",
        short_code="600997",
        reference="ref",
        amount=100,
        msisdn="254712345678",
        remarks="Petty cash",
        result_url="https://bursar.example/r/",
        timeout_url="https://bursar.example/t/",
    )
    assert body == {
        "OriginatorConversationID": "ref",
        "InitiatorName": "api",
        "SecurityCredential": "sealed",
        "CommandID": "BusinessPayment",
        "Amount": 100,
        "PartyA": "600997",
        "PartyB": "254712345678",
        "Remarks": "Petty cash",
        "QueueTimeOutURL": "https://bursar.example/t/",
        "ResultURL": "https://bursar.example/r/",
        "Occassion": "",
    }


def test_a_status_query_names_our_own_reference() -> None:
    body = requests.build_status_query(
        original_reference="ref",
        initiator_name="api",
        security_credential="sealed",
        short_code="600997",
        remarks="Enquiry",
        result_url="https://bursar.example/r/",
        timeout_url="https://bursar.example/t/",
    )
    assert body["OriginalConversationID"] == "ref"
    assert body["CommandID"] == "TransactionStatusQuery"
    assert (body["IdentifierType"], body["Initiator"]) == ("4", "api")
    assert "TransactionID" not in body


def test_the_password_alone_is_sealed_for_the_certificate() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sealed = security.security_credential("Safaricom999!*!", self_signed(key))
    assert len(sealed) == 344
    assert key.decrypt(base64.b64decode(sealed), padding.PKCS1v15()) == b"Safaricom999!*!"


def test_a_certificate_that_is_none_is_refused() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for text in ("", "no certificate", pem.decode()):
        with pytest.raises(security.UnusableCertificate):
            security.security_credential("password", text)


def test_the_consumer_is_named_by_a_basic_header() -> None:
    assert security.basic_authorization("key", "secret") == "Basic a2V5OnNlY3JldA=="
