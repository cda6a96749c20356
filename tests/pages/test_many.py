"""Approving many at once: one code for exactly the set that was chosen, and a result for each."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ledger.models import AuditEvent
from ledger.refusals import InvalidInput, NotFound, TooManyRequests
from ledger.roles import Role
from tests.admin.office import Office, signed_in
from tests.pages.conftest import SendCode
from tests.treasury.desk import rival_of
from tests.treasury.factories import acting, today
from treasury.decision_set import Member, set_digest, totals
from treasury.models import DecisionCode, FailedTries, Requisition
from treasury.services.codes import InvalidCode
from treasury.services.decisions import decide_many
from treasury.services.replenishment import replenish
from treasury.services.requisitions import ChangedSince, edit_requisition, reject_requisition
from treasury.services.set_codes import Chosen, send_code_for_set, void_expired
from treasury.services.variances import reject_variance


def items(*rows: Requisition) -> list[str]:
    return [f"requisition:{row.pk}" for row in rows]


def chosen(*rows: Requisition) -> list[Chosen]:
    return [Chosen("requisition", row.pk) for row in rows]


def statuses(*rows: Requisition) -> list[str]:
    return [Requisition.objects.get(pk=row.pk).status for row in rows]


def test_a_set_is_approved_with_one_code(office: Office, code_for: SendCode) -> None:
    rows = [office.request(payee_name=f"Payee {n}") for n in range(3)]
    variance = office.variance(office.paid(), "900.00")
    request = replenish(
        actor=acting(office.treasurer), fund_id=office.fund.pk, amount="10", reason="Low"
    )
    wanted = [*items(*rows), f"variance:{variance.pk}", f"replenishment:{request.pk}"]
    code = code_for(office.cfo, wanted)
    body = {"items": wanted, "otp": code, "comment": "Monday's queue."}
    answer = signed_in(office.cfo).post("/approvals/many/approve/", body, follow=True)
    page = answer.content.decode()
    assert "5 of 5 approved" in page
    assert statuses(*rows) == ["approved"] * 3
    variance.refresh_from_db()
    request.refresh_from_db()
    assert (variance.status, request.status) == ("approved", "approved")
    assert rows[0].all_approvals.get().comment == "Monday's queue."


def test_the_page_that_asks_shows_the_set_and_its_sums(office: Office) -> None:
    rows = [office.request(amount="1000.00"), office.request(amount="250.50")]
    answer = signed_in(office.cfo).get("/approvals/many/", {"items": items(*rows)})
    assert "KES 1,250.50" in answer.content.decode()
    assert statuses(*rows) == ["submitted"] * 2


def test_the_mail_says_what_it_is_for(office: Office, code_for: SendCode) -> None:
    code_for(office.cfo, items(office.request(amount="1000.00"), office.request(amount="5.00")))
    assert "2 requests" in mail.outbox[-1].subject
    assert "KES 1,005.00" in str(mail.outbox[-1].body)


def test_a_code_is_good_for_no_other_set(office: Office, code_for: SendCode) -> None:
    one, two, three = (office.request() for _ in range(3))
    code = code_for(office.cfo, items(one, two))
    for other in (chosen(one), chosen(one, two, three), chosen(one, three)):
        with pytest.raises(ChangedSince):
            decide_many(actor=acting(office.cfo), chosen=other, otp=code, today=today)
    assert statuses(one, two, three) == ["submitted"] * 3


def test_the_order_of_ticking_does_not_count(office: Office, code_for: SendCode) -> None:
    one, two = office.request(), office.request()
    code = code_for(office.cfo, items(one, two))
    results = decide_many(
        actor=acting(office.cfo), chosen=chosen(two, one, two), otp=code, today=today
    )
    assert [result.refusal for result in results] == [None, None]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1001.00"},
        {"payee_name": "Somebody Else"},
        {"destination": "Back door"},
        {"purpose": "Other paper"},
    ],
)
def test_any_change_after_the_code_voids_it(
    office: Office, code_for: SendCode, change: dict[str, str]
) -> None:
    one, two = office.request(), office.request()
    code = code_for(office.cfo, items(one, two))
    edit_requisition(actor=acting(office.requester), requisition_id=one.pk, **change)
    with pytest.raises(ChangedSince):
        decide_many(actor=acting(office.cfo), chosen=chosen(one, two), otp=code, today=today)
    assert statuses(one, two) == ["submitted"] * 2


def test_another_person_s_code_is_worth_nothing(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code = code_for(office.cfo, items(row))
    other = rival_of(office, Role.CFO)
    with pytest.raises(InvalidCode):
        decide_many(actor=acting(other), chosen=chosen(row), otp=code, today=today)
    code_for(other, items(row))
    with pytest.raises(InvalidCode):
        decide_many(actor=acting(other), chosen=chosen(row), otp=code, today=today)


def test_a_code_is_used_once(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code = code_for(office.cfo, items(row))
    decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=code, today=today)
    with pytest.raises(InvalidCode):
        decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=code, today=today)


def test_wrong_expired_used_and_locked_are_refused_alike(
    office: Office, code_for: SendCode
) -> None:
    row = office.request()
    said = set()
    code = code_for(office.cfo, items(row))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(6):  # the last finds the code locked
        said.add(refusal_of(office, row, wrong))
    said.add(refusal_of(office, row, code))
    DecisionCode.objects.update(voided_at=timezone.now())
    said.add(refusal_of(office, row, code))
    assert said == {("otp_invalid", "This code is not valid.")}
    assert statuses(row) == ["submitted"]


def refusal_of(office: Office, row: Requisition, otp: str) -> tuple[str, str]:
    with pytest.raises(InvalidCode) as refused:
        decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=otp, today=today)
    return refused.value.code, refused.value.detail


def test_a_try_is_spent_before_anything_is_compared(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code = code_for(office.cfo, items(row))
    refusal_of(office, row, f"{(int(code) + 1) % 10**6:06d}")
    assert DecisionCode.objects.get().tries == 1
    assert FailedTries.objects.get(user=office.cfo).tries == 1
    decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=code, today=today)
    assert FailedTries.objects.get(user=office.cfo).tries == 1


@pytest.mark.parametrize("otp", ["", "12345", "1234567", "１２３４５６", "12 456"])
def test_what_is_no_code_spends_no_try(office: Office, code_for: SendCode, otp: str) -> None:
    row = office.request()
    code_for(office.cfo, items(row))
    with pytest.raises(InvalidInput):
        decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=otp, today=today)
    assert DecisionCode.objects.get().tries == 0


def test_a_code_ends_after_five_minutes(office: Office, code_for: SendCode) -> None:
    row = office.request()
    code_for(office.cfo, items(row))
    code = DecisionCode.objects.get()
    assert code.expires_at - code.sent_at == timedelta(minutes=5)
    assert void_expired() == 0


def test_one_refused_row_stops_none_of_the_others(office: Office, code_for: SendCode) -> None:
    one, two = office.request(), office.request()
    variance = office.variance(office.paid(), "900.00")
    wanted = [*chosen(one, two), Chosen("variance", variance.pk)]
    code = code_for(office.cfo, [*items(one, two), f"variance:{variance.pk}"])
    reject_variance(actor=acting(rival_of(office, Role.CFO)), variance_id=variance.pk, reason="No.")
    reject_requisition(actor=acting(office.approver), requisition_id=one.pk, reason="No.")
    results = decide_many(actor=acting(office.cfo), chosen=wanted, otp=code, today=today)
    refused = [result.refusal.code if result.refusal else "" for result in results]
    assert refused == ["illegal_transition", "", "illegal_transition"]
    assert statuses(one, two) == ["rejected", "approved"]


def test_segregation_holds_for_every_row(office: Office, code_for: SendCode) -> None:
    requester_too = rival_of(office, Role.CFO, Role.REQUESTER)
    office.requester = requester_too
    own = office.request()
    code = code_for(requester_too, items(own))
    results = decide_many(actor=acting(requester_too), chosen=chosen(own), otp=code, today=today)
    assert results[0].refusal
    assert results[0].refusal.code == "segregation_of_duties"
    assert statuses(own) == ["submitted"]


def test_a_second_code_within_a_minute_is_refused(office: Office, code_for: SendCode) -> None:
    row, other = office.request(), office.request()
    code_for(office.cfo, items(row))
    for asked, told in ((row, "for exactly these"), (other, "for another set, of 1 request;")):
        with pytest.raises(TooManyRequests) as refused:
            send_code_for_set(actor=acting(office.cfo), chosen=chosen(asked))
        assert 50 <= (refused.value.retry_after or 0) <= 60
        assert told in refused.value.detail
        assert f"{refused.value.retry_after} s." in refused.value.detail


def test_the_page_of_another_set_says_that_a_code_is_out(
    office: Office, code_for: SendCode
) -> None:
    row, other = office.request(), office.request()
    code_for(office.cfo, items(row))
    client = signed_in(office.cfo)
    answer = client.post("/approvals/many/code/", {"items": items(other)}, follow=True)
    page = answer.content.decode()
    assert "No code was sent. A code was sent a moment ago for another set" in page
    assert "Send me a code" in page
    assert 'name="otp"' not in page
    assert len(mail.outbox) == 1


def test_whoever_used_his_code_gets_the_next_at_once(office: Office, code_for: SendCode) -> None:
    one, two = office.request(), office.request()
    for row in (one, two):
        code = code_for(office.cfo, items(row))
        decide_many(actor=acting(office.cfo), chosen=chosen(row), otp=code, today=today)
    assert statuses(one, two) == ["approved"] * 2


@pytest.mark.parametrize("count", [0, 101])
def test_a_set_has_from_one_to_a_hundred(office: Office, count: int) -> None:
    many = [Chosen("requisition", uuid4()) for _ in range(count)]
    with pytest.raises(InvalidInput):
        send_code_for_set(actor=acting(office.cfo), chosen=many)


def test_what_is_out_of_sight_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        send_code_for_set(actor=acting(office.cfo), chosen=[Chosen("requisition", uuid4())])
    answer = signed_in(office.cfo).get("/approvals/many/", {"items": ["requisition:x", "y"]})
    assert answer.status_code == 302


def test_the_code_stands_nowhere(office: Office, code_for: SendCode) -> None:
    code = code_for(office.cfo, items(office.request()))
    kept = DecisionCode.objects.values().get()
    assert code not in str(kept)
    assert all(code not in str(event) for event in AuditEvent.objects.values_list("after"))


MEMBERS = st.builds(
    Member,
    kind=st.sampled_from(["requisition", "variance"]),
    subject_id=st.uuids(),
    version=st.integers(1, 5),
    amount=st.integers(1, 10**9).map(Decimal),
    currency=st.sampled_from(["KES", "RWF"]),
    payee=st.text(max_size=5),
    destination=st.text(max_size=5),
)


@given(st.lists(MEMBERS, min_size=1, max_size=4), st.lists(MEMBERS, min_size=1, max_size=4))
def test_two_sets_share_a_digest_only_when_they_are_one(
    one: list[Member], two: list[Member]
) -> None:
    user = uuid4()
    same = sorted(m.canonical() for m in one) == sorted(m.canonical() for m in two)
    digests = [set_digest(key=b"k", user_id=user, members=members) for members in (one, two)]
    assert (digests[0] == digests[1]) is same
    assert digests[0] == set_digest(key=b"k", user_id=user, members=one[::-1])
    assert {total.currency for total in totals(one)} == {m.currency for m in one}


def test_the_mail_with_the_code_names_what_is_approved(office: Office, code_for: SendCode) -> None:
    rows = [office.request(payee_name=f"Payee {n}", amount=f"{n + 1}.00") for n in range(22)]
    code_for(office.cfo, items(*rows))
    told = str(mail.outbox[-1].body)
    assert "- KES 1.00 to Payee 0\n" in told
    assert "- KES 20.00 to Payee 19\nand 2 more.\n" in told
