"""The bank's files: accounts, characters, what is built, what is read, and what it means."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateways.iso20022 import (
    BankAccount,
    Debtor,
    NotWritable,
    Report,
    Transfer,
    UnreadableAccount,
    UnreadableReport,
    build_initiation,
    classify,
    end_to_end_id,
    in_words,
    parse_account,
    parse_bic,
    parse_report,
    to_latin,
    uetr_of,
    verdicts_of,
)
from payments.gateways.iso20022.codes import REASONS, STATUSES
from payments.gateways.iso20022.reports import LARGEST
from payments.gateways.outcome import OutcomeClass
from tests.payments import bank

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
IBAN = "DE89370400440532013000"
KENYAN = "KE/68000/EQBLKENA/0123456789"
MESSAGE = "BURSAR-20261120-0123456789ab"
DEBTOR = Debtor(
    "Acme Treasury Ltd", parse_account("KE/01100/KCBLKENX/01123456789000"), "KES", "SHAR"
)


def transfer(
    amount: str = "15000.00", account: str = KENYAN, name: str = "Jane Supplier"
) -> Transfer:
    reference = uuid4()
    return Transfer(
        end_to_end_id=end_to_end_id(reference),
        uetr=uetr_of(reference),
        amount=Decimal(amount),
        payee_name=name,
        account=parse_account(account),
        remittance="Payment 1a2b3c4d",
    )


def built(*transfers: Transfer, debtor: Debtor = DEBTOR) -> bytes:
    return build_initiation(
        message_id=MESSAGE,
        created_at=NOW,
        execute_on=date(2026, 11, 23),
        debtor=debtor,
        transfers=transfers,
    )


# --- Accounts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("de89 3704 0044 0532 0130 00", IBAN),
        ("KE/68000/0123456789", "KE/68000/0123456789"),
        (" ke / 68000 / eqblkena / 0123 456789", KENYAN),
        ("UG/040147/0140012345678", "UG/040147/0140012345678"),
        ("RW/040/00040123456789", "RW/040/00040123456789"),
        ("MU17BOMM0101101030300200000MUR", "MU17BOMM0101101030300200000MUR"),
    ],
)
def test_an_account_is_stored_as_one_text(written: str, stored: str) -> None:
    assert str(parse_account(written)) == stored
    assert parse_account(stored) == parse_account(written)


@pytest.mark.parametrize(
    "written",
    [
        "", "KE", "0123456789", "DE89370400440532013001", "DE8937040044053201300", "KE/68000",
        "KE/6800/0123456789", "KE/68000/12345", "KE/68000/x123456789", "KE/68000/DEUTDEFF/0123456789",
        "KE/68000/EQBL/0123456789", "KE/68000/EQBLKENA/1/0123456789", "DE/37040044/0532013000",
        "KE89370400440532013000", "KE/68000/٠١٢٣٤٥٦٧٨٩", "XX/68000/0123456789", "KE/" + "1" * 200,
    ],
)  # fmt: skip
def test_what_is_no_account_is_refused(written: str) -> None:
    with pytest.raises(UnreadableAccount):
        parse_account(written)


def test_the_bic_behind_an_iban_is_the_registrys() -> None:
    assert parse_account(IBAN).bic == "COBADEFFXXX"
    assert parse_bic("eqblkena") == "EQBLKENA"
    with pytest.raises(UnreadableAccount):
        parse_bic("EQBL")


# --- Characters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "carried"),
    [
        ("Jane Supplier", "Jane Supplier"),
        ("Müller & Söhne GmbH", "Muller + Sohne GmbH"),
        ("Groß,  Łukasz – Çelik", "Gross, Lukasz - Celik"),
        ("Ng’ang’a “Traders”", "Ng'ang'a 'Traders'"),
        ("//Pay -now", "Pay -now"),
        ("A//B", "A/ /B"),
    ],
)
def test_a_name_is_written_in_the_banks_characters(written: str, carried: str) -> None:
    assert to_latin(written) == carried


@pytest.mark.parametrize("written", ["王小明", "Ахмед", "محمد", "Cash € Carry", "A\x00B", "😀"])
def test_what_has_no_latin_form_is_not_guessed_at(written: str) -> None:
    with pytest.raises(NotWritable):
        to_latin(written)


@given(st.text(max_size=60))
def test_whatever_is_carried_is_in_the_character_set(text: str) -> None:
    try:
        carried = to_latin(text)
    except NotWritable:
        return
    assert carried.isascii()
    assert carried.isprintable()
    assert "<" not in carried


# --- What is built ------------------------------------------------------------------------------------


def test_a_file_is_valid_and_says_what_it_should() -> None:
    one, two = transfer(), transfer("250.50", IBAN, "Müller & Söhne")
    root = bank.require_valid(built(one, two))
    assert bank.find(root, "GrpHdr/MsgId") == [MESSAGE]
    assert bank.find(root, "NbOfTxs") == ["2", "2"]
    assert bank.find(root, "CtrlSum") == ["15250.50", "15250.50"]
    assert bank.find(root, "ReqdExctnDt/Dt") == ["2026-11-23"]
    assert bank.find(root, "ChrgBr") == ["SHAR"]
    assert bank.find(root, "EndToEndId") == [one.end_to_end_id, two.end_to_end_id]
    assert bank.find(root, "UETR") == [str(one.uetr), str(two.uetr)]
    assert bank.find(root, "InstdAmt") == ["15000.00", "250.50"]
    assert bank.find(root, "Cdtr/Nm") == ["Jane Supplier", "Muller + Sohne"]
    assert bank.find(root, "CdtrAgt/FinInstnId/BICFI") == ["EQBLKENA", "COBADEFFXXX"]
    assert bank.find(root, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId") == ["68000"]
    assert bank.find(root, "CdtrAcct/Id/Othr/Id") == ["0123456789"]
    assert bank.find(root, "CdtrAcct/Id/IBAN") == [IBAN]
    assert bank.find(root, "DbtrAcct/Id/Othr/Id") == ["01123456789000"]


def test_an_account_without_decimals_or_a_known_bank_is_valid_too() -> None:
    debtor = Debtor(
        "Kigali", BankAccount("MU", iban="MU17BOMM0101101030300200000MUR"), "RWF", "DEBT"
    )
    root = bank.require_valid(built(transfer("240000", "RW/040/00040123456789"), debtor=debtor))
    assert bank.find(root, "CtrlSum") == ["240000", "240000"]
    assert bank.find(root, "DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]


def test_the_same_payments_make_the_same_bytes() -> None:
    one = transfer()
    assert built(one) == built(one)


amounts = st.decimals("0.01", "99999999999.99", places=2, allow_nan=False)
names = st.text("ABCDEfghij çéüß&<>'\"-,.", min_size=1, max_size=150)


@given(st.lists(st.tuples(amounts, names, st.sampled_from([IBAN, KENYAN])), min_size=1, max_size=6))
def test_what_is_built_is_valid_adds_up_and_comes_back(
    payments: list[tuple[Decimal, str, str]],
) -> None:
    try:
        transfers = [
            transfer(str(amount), account, f"N{name}") for amount, name, account in payments
        ]
        root = bank.require_valid(built(*transfers))
    except NotWritable:
        return
    total = sum(Decimal(text) for text in bank.find(root, "InstdAmt"))
    assert bank.find(root, "CtrlSum") == [f"{total:.2f}"] * 2
    assert total == sum(amount for amount, _, _ in payments)
    rows = [
        bank.transaction(one, status, amount=amount)
        for one, amount, status in zip(
            bank.find(root, "EndToEndId"),
            bank.find(root, "InstdAmt"),
            ["ACSC", "RJCT"] * len(transfers),
            strict=False,
        )
    ]
    data = bank.report(MESSAGE, bank.block(MESSAGE, *rows, status="PART"), status="PART")
    bank.require_valid(data, bank.REPORTS["12"])
    verdicts = verdicts_of(parse_report(data), bank.find(root, "EndToEndId"))
    assert [one.end_to_end_id for one in verdicts] == [one.end_to_end_id for one in transfers]
    assert [one.amount for one in verdicts] == [one.amount for one in transfers]


# --- What is read -------------------------------------------------------------------------------------

A, B = (UUID(int=n, version=4).hex for n in (1, 2))


def read(*blocks: str, **said: str) -> Report:
    return parse_report(bank.report(MESSAGE, *blocks, **said))


def classes(report: Report, *sent: str) -> dict[str, tuple[OutcomeClass | None, bool]]:
    return {one.end_to_end_id: (one.outcome_class, one.listed) for one in verdicts_of(report, sent)}


@pytest.mark.parametrize("version", ["03", "09", "10", "12", "14"])
def test_no_rejected_row_is_lost_in_any_version(version: str) -> None:
    data = bank.report(
        MESSAGE,
        bank.block(
            MESSAGE,
            bank.transaction(A, "ACSC", bank_reference="KCB0001"),
            bank.transaction(B, "RJCT", "AC04", text="Account closed"),
            status="PART",
        ),
        status="PART",
        version=version,
    )
    if version in bank.REPORTS:
        bank.require_valid(data, bank.REPORTS[version])
    settled, rejected = verdicts_of(parse_report(data), [A, B])
    assert (settled.outcome_class, settled.bank_reference) == (OutcomeClass.SUCCEEDED, "KCB0001")
    assert (rejected.end_to_end_id, rejected.outcome_class) == (B, OutcomeClass.FAILED_FINAL)
    assert (rejected.said.reasons, rejected.said.text) == (("AC04",), "Account closed")


def test_every_row_of_every_block_is_read() -> None:
    report = read(
        bank.block("ELSEWHERE", bank.transaction("X", "RJCT"), bank.transaction("Y", "RJCT")),
        bank.block(MESSAGE, bank.transaction(A, "ACSC"), bank.transaction(A, "RJCT")),
    )
    assert [one.end_to_end_id for one in verdicts_of(report, [A])] == ["X", "Y", A, A]


def test_what_is_said_of_all_applies_to_all() -> None:
    final, accepted = (OutcomeClass.FAILED_FINAL, False), (OutcomeClass.ACCEPTED, False)
    assert classes(read(status="RJCT", code="MS03"), A, B) == {A: final, B: final}
    assert classes(read(bank.block(MESSAGE, status="RJCT")), A, B) == {A: final, B: final}
    assert classes(read(bank.block(MESSAGE, status="ACCP"), status="RJCT"), A) == {A: accepted}


def test_a_payment_that_is_not_listed_stays_as_it_is_when_some_are() -> None:
    listed = bank.transaction(A, "RJCT", "AC01")
    assert classes(read(bank.block(MESSAGE, listed), status="PART"), A, B) == {
        A: (OutcomeClass.FAILED_FINAL, True)
    }
    got_on_otherwise = classes(read(bank.block(MESSAGE, listed, status="ACSC")), A, B)
    assert got_on_otherwise[B] == (None, False)
    alike = classes(read(bank.block(MESSAGE, listed), status="RJCT"), A, B)
    assert alike[B] == (OutcomeClass.FAILED_FINAL, False)


def test_a_row_without_a_status_takes_the_one_above() -> None:
    report = read(bank.block(MESSAGE, bank.transaction(A, "", "AC06")), status="RJCT", code="MS03")
    (verdict,) = verdicts_of(report, [A])
    assert (verdict.outcome_class, verdict.said.reasons) == (OutcomeClass.FAILED_FINAL, ("AC06",))


def test_a_payment_named_by_its_uetr_alone_is_not_taken_for_unlisted() -> None:
    listed = bank.transaction("", "RJCT", uetr=str(uetr_of(UUID(A))))
    found = verdicts_of(read(bank.block(MESSAGE, listed), status="RJCT"), [A, B])
    assert [(one.uetr != "", one.end_to_end_id) for one in found] == [(True, ""), (False, B)]


def test_what_is_said_of_an_unknown_file_or_block_is_kept() -> None:
    unknown = [(one.listed, one.outcome_class) for one in verdicts_of(read(status="RJCT"), [])]
    assert unknown == [(False, OutcomeClass.FAILED_FINAL)]
    report = read(bank.block("ELSEWHERE", status="RJCT"))
    assert [one.end_to_end_id for one in verdicts_of(report, [A])] == [""]


@pytest.mark.parametrize(
    ("status", "reasons", "expected"),
    [
        *((status, (), found) for status, (found, _) in STATUSES.items()),
        *(("RJCT", (reason,), found) for reason, (found, _) in REASONS.items()),
        ("RJCT", ("ZZ99",), OutcomeClass.FAILED_FINAL),
        ("RJCT", ("AC04", "AM05"), OutcomeClass.UNKNOWN),
        ("RJCT", ("TM01", "AC04"), OutcomeClass.FAILED_FINAL),
        ("ACSC", ("AM05",), OutcomeClass.SUCCEEDED),
        ("ZZZZ", (), OutcomeClass.UNKNOWN),
        ("PART", (), None),
        ("", ("AC04",), None),
    ],
)
def test_each_status_has_a_class(
    status: str, reasons: tuple[str, ...], expected: OutcomeClass | None
) -> None:
    assert classify(status, reasons) is expected
    assert in_words(status, reasons)


# --- Hostile files --------------------------------------------------------------------------------------

XXE = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>"""
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nothing", b"<Document/>", b"\x00" * 50, XXE, LAUGHS + b"]><l>&m;</l>",
        XXE.decode().encode("utf-16"), b'<?xml version="1.0" encoding="UTF-7"?><d/>',
        b"<a>" * 100_000, b" " * (LARGEST + 1), bank.report(MESSAGE, message_id=""), bank.report(""),
        bank.report(MESSAGE).replace(b"CstmrPmtStsRpt", b"BkToCstmrStmt"), b"\xff\xfe<\x00a\x00/\x00>\x00",
        b'<?xml version="1.0" encoding="no-such"?><a/>', b"<a>\xc3\x28</a>",
        built(transfer()),
    ],
)  # fmt: skip
def test_a_hostile_or_foreign_file_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(UnreadableReport):
        parse_report(data)


def test_five_megabytes_of_rows_are_read_or_refused_soon() -> None:
    rows = [bank.transaction(f"{n:032x}", "RJCT", "AC04") for n in range(25_000)]
    data = bank.report(MESSAGE, bank.block(MESSAGE, *rows))
    assert len(data) < LARGEST
    assert len(verdicts_of(parse_report(data), [f"{n:032x}" for n in range(25_000)])) == 25_000


@given(st.binary(max_size=300))
def test_any_bytes_are_a_report_or_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableReport):
        parse_report(data)
