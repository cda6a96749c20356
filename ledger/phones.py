"""Phone numbers, kept as E.164."""

import re

import phonenumbers

from ledger.refusals import InvalidInput

WRITTEN = re.compile(r"\+?[0-9][0-9 -]{6,18}", re.ASCII)


class InvalidPhone(InvalidInput):
    """Not a phone number of the region."""

    code = "phone_invalid"


def normalise_phone(text: str, *, region: str = "KE", field: str = "phone") -> str:
    """Return the number as E.164 (``+254712345678``).

    Takes 07…, 2547… and +2547… and the like of other regions. Raises ``InvalidPhone`` on ``field``.
    """
    refusal = InvalidPhone.on(
        field, "This is not a phone number, such as 0712345678 or +254712345678."
    )
    if not WRITTEN.fullmatch(text):
        raise refusal
    calling_code = str(phonenumbers.country_code_for_region(region))
    written = f"+{text}" if text.startswith(calling_code) else text
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        raise refusal from None
    if not phonenumbers.is_valid_number(number):
        raise refusal
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
