"""What each code of a refusal means: one table, for the pages at `/problems/<code>/` and for docs/api.md.

A test holds the table of docs/api.md to this one, row by row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """The HTTP status that comes with a code, and a sentence or two for people."""

    status: int
    text: str


# Codes that share a row, their status, and what they mean, in their order.
TABLE: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (
        ("not_authenticated", "authentication_failed"),
        401,
        "no token or session, or one that does not hold",
    ),
    (("wrong_credentials",), 401, "name or password is wrong; which is not said"),
    (
        ("second_factor_required",),
        401,
        "the password is right; a code of the second factor is asked",
    ),
    (("not_found",), 404, "nothing there that the caller may see"),
    (("method_not_allowed",), 405, "this path does not take this verb"),
    (("role_required",), 403, "the caller has none of the roles that this needs here"),
    (
        ("segregation_of_duties",),
        403,
        "the caller has already taken another part; a second person is needed",
    ),
    (("not_the_executor",), 403, "the code was sent to somebody else; no try is spent"),
    (
        ("invalid_input", "invalid", "required", "too_long", "out_of_range"),
        400,
        "named per field in `errors`",
    ),
    (("amount_invalid",), 400, "not digits, such as `NaN`, `1e5` or full-width digits"),
    (("amount_not_positive",), 400, "zero or less"),
    (
        ("amount_precision",),
        400,
        "finer than the currency's minor unit, or than the method carries",
    ),
    (("amount_too_large",), 400, "more than the books can hold"),
    (("amount_out_of_range",), 400, "below or above what the method carries"),
    (("unknown_currency", "currency_mismatch"), 400, "not a currency, or not the fund's"),
    (("method_unavailable",), 400, "there is no rail for this method, or not in this currency"),
    (("destination_refused",), 400, "a webhook's address that is not public, or not https"),
    (("phone_invalid",), 400, "not a phone number"),
    (
        ("account_invalid", "bic_invalid"),
        400,
        "not a bank account as it is written in its country, not a BIC",
    ),
    (("characters_not_carried",), 400, "a name that bank files do not carry"),
    (("report_unreadable", "report_too_large"), 400, "not a payment status report, or over 5 MB"),
    (("attachment_type", "attachment_too_large"), 400, "neither PDF, PNG nor JPEG, or too large"),
    (
        ("no_variance", "below_reorder_level", "name_taken", "unbalanced"),
        400,
        "the adjusted amount is the original one; the target is below the reorder level; the fund's name is in use; debits and credits differ",
    ),
    (
        ("file_unreadable", "file_too_large", "too_many_rows", "unknown_column", "missing_column"),
        400,
        "not a CSV in UTF-8 or an XLSX; too large, packed or unpacked; too many lines; a column that there is not, or one too few",
    ),
    (
        ("formula", "other_fund"),
        400,
        "a cell that a spreadsheet would calculate; a batch pays out of one fund",
    ),
    (
        ("in_batch",),
        409,
        "a row of a batch that waits pays this requisition: it is approved and paid with it",
    ),
    (("batch_changed",), 409, "a part of the set is not as it was approved"),
    (
        ("day_passed", "holiday_exists"),
        400,
        "the day to schedule for is over; the day is a holiday already",
    ),
    (("otp_invalid",), 400, "wrong, expired, used or locked: the answer is the same"),
    (
        ("second_factor_invalid",),
        400,
        "wrong, used before, or ten wrong ones today: the answer is the same",
    ),
    (
        ("step_up_required",),
        409,
        "the amount needs a second factor shown within the last ten minutes",
    ),
    (("not_enrolled", "already_enrolled"), 409, "there is no second factor, or one already"),
    (("otp_required",), 409, "no code verified within the last five minutes"),
    (("no_email_address", "no_phone"), 409, "there is nowhere to send the code to"),
    (
        ("velocity_limit",),
        409,
        "beyond what may leave in a day, to one payee or destination or out of one fund; the detail says which",
    ),
    (
        ("cooling_off",),
        409,
        "the payee's destination is new; the detail says from when on it is paid to",
    ),
    (("not_due",), 409, "scheduled for a later day; take the day away to pay now"),
    (("insufficient_funds",), 409, "the fund has less available"),
    (("illegal_transition",), 409, "the present status does not allow it"),
    (
        ("requisition_not_approved", "payment_started", "already_approved"),
        409,
        "the requisition is not approved, is being paid already, or has this approval",
    ),
    (
        ("follows_source",),
        409,
        "the requisition was raised for something that says its amount: change it there",
    ),
    (("exceeds_approved_amount",), 409, "less is left of what was approved"),
    (
        ("evidence_fixed", "already_attached", "too_many_attachments"),
        409,
        "evidence is fixed after approval; this very file is there; there are enough",
    ),
    (("payment_exists",), 409, "the client's `payment_id` stands for another payment"),
    (
        ("retry_limit", "late_success"),
        409,
        "failed as often as it may; an earlier attempt turned out to have paid",
    ),
    (("no_late_success",), 409, "no success after a failure is undecided"),
    (("resolution_differs",), 409, "somebody proposed the other outcome"),
    (
        ("provider_unavailable", "provider_exists"),
        409,
        "no provider, or it is stopped; there is one already",
    ),
    (("not_executed",), 409, "there is a voucher only of what was paid"),
    (
        ("stale_amount", "variance_pending", "not_paid"),
        409,
        "the books say another amount now; one variance waits already; nothing was paid",
    ),
    (("changed_since",), 409, "it was edited after it lay before you: look at it again"),
    (("delegation_ended",), 409, "the delegation is over"),
    (
        ("nobody_to_ask", "already_answered"),
        409,
        "the fund asked by itself; the question has its answer",
    ),
    (("nothing_waiting",), 409, "no payment waits for a file of this bank"),
    (
        ("report_differs",),
        409,
        "the bank's id of this report was brought before with other content",
    ),
    (("replenishment_pending",), 409, "the fund has an open request"),
    (("too_many_webhooks",), 409, "the company has twenty"),
    (("membership_exists",), 409, "the person has this role there"),
    (("reference_reused", "hold_not_open", "already_reversed"), 409, "the ledger's own refusals"),
    (("idempotency_in_progress",), 409, "the first request still runs; `Retry-After` says when"),
    (("busy",), 409, "others hold what this needs; nothing was done"),
    (("conflict",), 409, "anything else that the present state does not allow"),
    (
        ("user_taken", "fund_taken"),
        400,
        "the login is another owner's, the fund another association's",
    ),
    (
        ("start_not_before_end", "date_outside_period"),
        400,
        "a period ends after it starts; what is recorded is dated within it",
    ),
    (
        ("percentage_invalid", "instalments_invalid"),
        400,
        "no percentage from 0 to 100; no number of instalments",
    ),
    (("period_closed",), 409, "the period is not open: nothing is written into it"),
    (
        ("reason_required",),
        400,
        "a closed period is opened again for a reason, and so is that rejected",
    ),
    (
        ("previous_period_open",),
        409,
        "periods are closed in their order: an earlier one is not closed",
    ),
    (
        ("budget_item_missing",),
        409,
        "expenses that do not say by which budget item they are shared, listed in `errors`",
    ),
    (
        ("reading_missing",),
        409,
        "meters in use that have no reading in the period, listed in `errors`",
    ),
    (
        ("sheet_does_not_tie",),
        409,
        "two figures of the balance sheet that must be the same are not; `errors` names them",
    ),
    (
        ("period_not_closed", "reopening_waits"),
        409,
        "only a closed period is opened again; somebody asked for it already, and another person confirms it",
    ),
    (
        ("no_open_period",),
        409,
        "later periods stay as they are, and there is no open one to charge the differences in: open it first",
    ),
    (
        ("openings_recorded", "too_late_for_openings"),
        409,
        "what the association brings along is recorded once, before its first period closes",
    ),
    (("period_overlap", "period_gap"), 409, "a period starts the day after the one before it ends"),
    (
        ("name_taken", "label_taken"),
        409,
        "the name is another association's or period's, the label another property's",
    ),
    (
        ("reading_invalid", "reading_decreased", "total_cost_differs"),
        400,
        "the counter cannot show this, or shows less than before; the cost is not consumption times price",
    ),
    (
        ("reading_implausible",),
        409,
        "more than three times what the meter counted before: confirm it",
    ),
    (("no_history",), 422, "there is nothing to estimate a consumption from"),
    (("already_void",), 409, "the record is void"),
    (
        ("not_payable", "expense_in_payment"),
        409,
        "a refund, or paid by an owner or out of cash; treasury has been asked to pay it, or is paying",
    ),
    (("budget_item_exists",), 409, "the period has a budget item for this payment type"),
    (("charge_follows",), 409, "the charge follows from something else and changes with it alone"),
    (("reading_exists",), 409, "the meter has a reading for this day"),
    (("transfer_too_early",), 409, "before the last transfer, or in a period that is closed"),
    (("refund_too_large",), 422, "the refunds of an expense would come to more than the expense"),
    (("no_weight",), 422, "nobody has a weight, so that nothing can be shared"),
    (("negative_weight", "duplicate_owner"), 422, "a weight is zero or more; an owner shares once"),
    (
        ("ownership_gap", "ownership_overlap"),
        422,
        "a property has one owner on each day of the period",
    ),
    (("differs_from_approval",), 422, "method or destination is not the approved one"),
    (("too_many_rows",), 422, "more rows than one file may have: narrow the filter"),
    (("idempotency_mismatch",), 422, "the key was used with another body"),
    (("rule_broken",), 422, "the input is well formed and breaks a rule"),
    (("too_many_requests",), 429, "too soon; `Retry-After` says when"),
    (
        ("internal", "internal_error"),
        500,
        "something failed on our side; the command was rolled back",
    ),
    (
        ("unavailable",),
        503,
        "the database is away or Bursar starts; ask again, with the same `Idempotency-Key`, after `Retry-After`",
    ),
)
MEANINGS = {code: Meaning(status, text) for codes, status, text in TABLE for code in codes}
