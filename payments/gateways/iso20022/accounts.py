"""Bank accounts as one line of text: an IBAN, or country, clearing code and account number.

========================================  =================================================
``DE89370400440532013000``                 where there are IBANs, the IBAN alone
``KE/68000/0123456789``                    country, code of bank and branch, account number
``KE/68000/EQBLKENA/0123456789``           the same, with the BIC of the bank
========================================  =================================================

The number comes last, so that a mask shows how it ends. Pure: no ORM.
"""

import re
from dataclasses import dataclass

from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

LONGEST = 160


class UnreadableAccount(ValueError):
    """The text names no bank account; the message says to people what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a country without IBANs writes its accounts; ``clearing`` says what the code names."""

    clearing: re.Pattern[str]
    number: re.Pattern[str]
    described: str


LAYOUTS = {
    "KE": Layout(
        re.compile(r"[0-9]{5}", re.ASCII),
        re.compile(r"[0-9]{6,16}", re.ASCII),
        "five digits for bank and branch, and 6 to 16 digits of the account",
    ),
    "RW": Layout(
        re.compile(r"[0-9]{3,6}", re.ASCII),
        re.compile(r"[0-9]{8,20}", re.ASCII),
        "three to six digits for bank and branch, and 8 to 20 digits of the account",
    ),
    "UG": Layout(
        re.compile(r"[0-9]{6}", re.ASCII),
        re.compile(r"[0-9]{8,16}", re.ASCII),
        "six digits for bank and branch, and 8 to 16 digits of the account",
    ),
}
LOCAL = re.compile(r"[A-Z]{2}/", re.ASCII)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account: ``iban`` alone, or ``clearing`` and ``number``; ``bic`` may be empty."""

    country: str
    iban: str = ""
    clearing: str = ""
    number: str = ""
    bic: str = ""

    def __str__(self) -> str:
        """The text that ``parse_account`` reads."""
        if self.iban:
            return self.iban
        parts = (self.country, self.clearing, self.bic, self.number)
        return "/".join(part for part in parts if part)


def parse_account(text: str) -> BankAccount:
    """Read an account as people write it, spaces and small letters included.

    Raises ``UnreadableAccount``. The BIC behind an IBAN is the one that the registry knows, if any.
    """
    compact = "".join(text.split()).upper()
    if len(compact) > LONGEST or not compact.isascii():
        raise UnreadableAccount("This is not a bank account.")
    return _parse_local(compact) if LOCAL.match(compact) else _parse_iban(compact)


def _parse_iban(text: str) -> BankAccount:
    country = text[:2]
    if country in LAYOUTS:
        message = f"{country} has no IBANs; write {country}/code/account number."
        raise UnreadableAccount(message)
    try:
        iban = IBAN(text)
    except SchwiftyException as problem:
        raise UnreadableAccount(f"This is not an IBAN: {problem}.") from None
    return BankAccount(country=country, iban=iban.compact, bic=str(iban.bic or ""))


def _parse_local(text: str) -> BankAccount:
    country, *parts = text.split("/")
    layout = LAYOUTS.get(country)
    if layout is None:
        known = ", ".join(LAYOUTS)
        raise UnreadableAccount(f"Write an IBAN; without one only accounts in {known} are known.")
    if len(parts) not in {2, 3}:
        raise UnreadableAccount(f"Write {country}/code/account number.")
    clearing, number = parts[0], parts[-1]
    if not layout.clearing.fullmatch(clearing) or not layout.number.fullmatch(number):
        raise UnreadableAccount(f"An account in {country} has {layout.described}.")
    bic = parse_bic(parts[1]) if len(parts) == 3 else ""
    if bic and bic[4:6] != country:
        raise UnreadableAccount("This BIC is of a bank in another country.")
    return BankAccount(country, clearing=clearing, number=number, bic=bic)


def parse_bic(text: str) -> str:
    """Return a well-formed BIC; whether the registry knows it does not matter, for it is not complete."""
    try:
        return str(BIC("".join(text.split()).upper()).compact)
    except SchwiftyException:
        raise UnreadableAccount("This is not a BIC, such as EQBLKENA.") from None
