"""Vouchers: one page that says all of a payment, the same bytes for the same payment."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.words import SCALES, SMALL, TENS, in_words
from tests.api.caller import Caller
from tests.pdf import squeezed, text_of
from tests.treasury.desk import Desk, make_desk
from tests.treasury.factories import acting, today
from treasury.models import Payment
from treasury.services.reversals import reverse_payment
from treasury.services.variances import approve_variance
from treasury.vouchers import NotExecuted, typeset, voucher_of


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def said(payment: Payment) -> str:
    return squeezed(text_of(voucher_of(Payment.objects.get(pk=payment.pk))))


def test_it_says_who_asked_agreed_and_paid_and_what_was_booked(desk: Desk) -> None:
    payment = desk.paid(amount="4500.50", payee_name="Amina Traders", purpose="Paper")
    text = said(payment)
    for words in (
        desk.company.name,
        str(payment.pk),
        "KES 4,500.50",
        "Four thousand five hundred and 50/100 KES",
        "Amina Traders",
        desk.fund.name,
        str(desk.requester),
        str(desk.approver),
        str(desk.treasurer),
        "Front desk",
        "SUCCESS",
        "spent",
        "not needed",
    ):
        assert squeezed(words) in text, words


def test_the_same_payment_gives_the_same_bytes(desk: Desk) -> None:
    payment = desk.paid()
    assert voucher_of(payment) == voucher_of(Payment.objects.get(pk=payment.pk))


def test_corrections_and_a_reversal_stand_on_it(desk: Desk) -> None:
    payment = desk.paid(amount="1000.00")
    variance = desk.variance(payment, "900.00")
    approve_variance(actor=acting(desk.cfo), variance_id=variance.pk, today=today)
    assert "KES100.00" in said(payment)
    for user in (desk.reconciler, desk.cfo):
        reverse_payment(
            actor=acting(user), payment_id=payment.pk, evidence="Came back.", today=today
        )
    text = said(payment)
    assert "REVERSED" in text
    assert "Moneycameback" in text


def test_there_is_none_before_the_payment_was_made(desk: Desk) -> None:
    pending = desk.pending()
    with pytest.raises(NotExecuted):
        voucher_of(pending)
    body = Caller(desk.auditor).get(f"/api/payments/{pending.pk}/voucher/", expect=409)
    assert body["code"] == "not_executed"


def test_a_phone_number_is_masked(desk: Desk) -> None:
    payment = desk.paid()
    payment.method, payment.destination = "mpesa", "+254712345678"
    text = squeezed(text_of(voucher_of(payment)))
    assert "712345" not in text
    assert "678" in text


def test_it_is_handed_out_as_a_file_to_whoever_reads_the_payment(desk: Desk) -> None:
    payment = desk.paid()
    answer = Caller(desk.auditor).client.get(f"/api/payments/{payment.pk}/voucher/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert f"voucher-{payment.pk}.pdf" in answer["Content-Disposition"]
    assert answer.content.startswith(b"%PDF")
    stranger = make_desk().auditor
    Caller(stranger).get(f"/api/payments/{payment.pk}/voucher/", expect=404)


HOSTILE = (
    '#read("/etc/passwd")',
    "#panic()",
    "$ sum_(k=0)^n $",
    "= Heading\n- item",
    '")]#emph[x]',
    "\\u{1F600} @ref <label>",
    "*bold* _it_ `raw` ~ --- ... //comment",
    "#let data = 1",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_wrote_is_shown_and_never_run(desk: Desk, text: str) -> None:
    payment = desk.paid(payee_name=text.replace("\n", " "), purpose=text)
    shown = said(payment)
    assert squeezed(text) in shown
    assert "root:" not in shown


def test_a_word_wider_than_its_column_goes_on_in_the_next_line() -> None:
    """A line of letters as wide as these holds some fifty; a column of the books some twenty."""
    facts: dict[str, Any] = {
        "company": "c", "number": "1", "status": "s", "amount": "1", "words": "one",
        "payee": "M" * 160, "purpose": "X" * 400, "facts": [],
        "people": [["p"] * 4], "lines": [["Q" * 160, "a", "", "1", "d"]],
    }  # fmt: skip
    drawn = text_of(typeset(facts)).replace("\ufffd", "").splitlines()
    for letter, most, all_of_them in (("M", 60, 160), ("X", 60, 400), ("Q", 30, 160)):
        assert max(line.count(letter) for line in drawn) <= most
        assert sum(line.count(letter) for line in drawn) == all_of_them


@given(text=st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=60))
@settings(max_examples=25)
def test_any_text_is_only_text(text: str) -> None:
    """The source is fixed; whatever the data holds comes out letter by letter."""
    facts: dict[str, Any] = {
        "company": text, "number": "1", "status": text, "amount": text, "words": text,
        "payee": text, "purpose": text, "facts": [[text, text]],
        "people": [[text] * 4], "lines": [[text] * 5],
    }  # fmt: skip
    pdf = typeset(facts)
    assert squeezed(text) in squeezed(text_of(pdf))


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("0.05", "KES", "Zero and 05/100 KES"),
        ("15000", "RWF", "Fifteen thousand RWF"),
        ("21.5", "KWD", "Twenty-one and 500/1000 KWD"),
        ("1000001", "UGX", "One million one UGX"),
        ("-119", "KES", "Minus One hundred nineteen and 00/100 KES"),
        ("99999999999999999999.99", "KES", None),
    ],
)
def test_amounts_in_words(amount: str, currency: str, words: str | None) -> None:
    found = in_words(Decimal(amount), currency)
    assert found == words or (words is None and "quintillion" in found)


NUMBERS = {word: n for n, word in enumerate(SMALL)}


@given(st.integers(0, 10**21 - 1))
def test_words_can_be_read_back(number: int) -> None:
    words = in_words(Decimal(number % 10**20), "UGX").removesuffix(" UGX").lower()
    assert read(words) == number % 10**20


def read(words: str) -> int:
    """What the words say."""
    total = group = 0
    for word in re.split(r"[ -]", words):
        if word in NUMBERS:
            group += NUMBERS[word]
        elif word in TENS:
            group += 10 * TENS.index(word)
        elif word == "hundred":
            group *= 100
        else:
            total += group * 1000 ** [scale.strip() for scale in SCALES].index(word)
            group = 0
    return total + group
