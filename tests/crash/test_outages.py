"""An outage of ours, or a gateway that does not answer: what is asked when, and who decides."""

from datetime import timedelta

import pytest

from tests.crash.faults import FAULTS
from tests.crash.points import CALLBACK_STORED
from tests.crash.stage import Stage
from treasury.models import Enquiry


def test_after_a_day_without_us_the_gateway_is_asked_before_people_are(stage: Stage) -> None:
    stage.passes = (timedelta(hours=30), timedelta(seconds=15))
    payment = stage.play(FAULTS["hang after accept"], kill="request logged, not sent")
    assert payment.status == "success"


def test_what_must_be_sent_again_after_such_an_outage_is_sent(stage: Stage) -> None:
    stage.passes = (timedelta(hours=30), timedelta(seconds=15))
    payment = stage.play(FAULTS["500 before accept"], kill="answer logged, not recorded")
    assert payment.status == "success"


@pytest.mark.parametrize("fault", ["QueueTimeOut for ever", "enquiry times out"])
def test_a_question_that_times_out_waits_for_its_turn(stage: Stage, fault: str) -> None:
    stage.passes = (timedelta(seconds=400),)
    stage.play(FAULTS[fault], kill=CALLBACK_STORED)
    assert Enquiry.objects.count() <= 3


@pytest.mark.parametrize("fault", ["pending for ever", "QueueTimeOut for ever"])
def test_doubt_that_is_written_late_has_its_own_day_before_people_decide(
    stage: Stage, fault: str
) -> None:
    """Nobody was told of the reservation: it goes out, and is doubted, passes later than it would."""
    payment = stage.play(FAULTS[fault], kill="reserved, nobody told")
    assert payment.status == "unknown"
    stage.let_a_day_of_doubt_go_by(payment)
    assert payment.status == "review"
