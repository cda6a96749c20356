"""Banks by file: payment files (pain.001.001.09) and what banks report about them (pain.002).

``accounts.py`` reads and writes bank accounts, ``characters.py`` keeps to the characters that banks carry,
``initiation.py`` builds a file, ``reports.py`` reads a report, ``codes.py`` holds every known code and
``judging.py`` says what a report means for each payment. There is no call: people carry the files. All of
it is pure.
"""

from payments.gateways.iso20022.accounts import (
    BankAccount,
    UnreadableAccount,
    parse_account,
    parse_bic,
)
from payments.gateways.iso20022.characters import NotWritable, to_latin
from payments.gateways.iso20022.codes import (
    OUR_FUNDS_SHORT,
    classify,
    in_words,
    passes_after_s,
)
from payments.gateways.iso20022.initiation import (
    CHARGE_BEARERS,
    LONGEST_NAME,
    Debtor,
    Transfer,
    build_initiation,
    end_to_end_id,
    uetr_of,
)
from payments.gateways.iso20022.judging import Verdict, verdicts_of
from payments.gateways.iso20022.reports import LARGEST, Report, UnreadableReport, parse_report

__all__ = [
    "CHARGE_BEARERS",
    "LARGEST",
    "LONGEST_NAME",
    "OUR_FUNDS_SHORT",
    "BankAccount",
    "Debtor",
    "NotWritable",
    "Report",
    "Transfer",
    "UnreadableAccount",
    "UnreadableReport",
    "Verdict",
    "build_initiation",
    "classify",
    "end_to_end_id",
    "in_words",
    "parse_account",
    "parse_bic",
    "parse_report",
    "passes_after_s",
    "to_latin",
    "uetr_of",
    "verdicts_of",
]
