"""Worked examples: the books as an accountant would write them down.

Each docstring is the test: its accounts are opened, its journal is posted, and every table below them must
come out to the cent.
"""

import pytest

from ledger.services.verification import verify
from tests.ledger.worked_example import WorkedExample

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(request: pytest.FixtureRequest) -> WorkedExample:
    return WorkedExample(request.function.__doc__)


def test_a_month_of_petty_cash(books: WorkedExample) -> None:
    """Money is drawn, spent against receipts, counted short by 50 shillings, and drawn again.

    Accounts
    | account    | type    | minimum |
    |------------|---------|---------|
    | bank       | asset   |         |
    | petty cash | asset   | 0       |
    | capital    | equity  |         |
    | stationery | expense |         |
    | travel     | expense |         |
    | cash short | expense |         |

    Journal
    | no | date       | booking                   | account    |      debit |     credit |
    |----|------------|---------------------------|------------|------------|------------|
    | 1  | 2026-03-01 | Opening balance           | bank       | 500,000.00 |            |
    |    |            |                           | capital    |            | 500,000.00 |
    | 2  | 2026-03-02 | Drawn at the bank         | petty cash |  20,000.00 |            |
    |    |            |                           | bank       |            |  20,000.00 |
    | 3  | 2026-03-04 | Paper and toner           | stationery |   4,350.50 |            |
    |    |            |                           | petty cash |            |   4,350.50 |
    | 4  | 2026-03-09 | Taxi, and pens on the way | travel     |   1,200.00 |            |
    |    |            |                           | stationery |     180.00 |            |
    |    |            |                           | petty cash |            |   1,380.00 |
    | 5  | 2026-03-20 | Bus fares                 | travel     |     640.00 |            |
    |    |            |                           | petty cash |            |     640.00 |
    | 6  | 2026-03-31 | Cash count                | cash short |      50.00 |            |
    |    |            |                           | petty cash |            |      50.00 |
    | 7  | 2026-03-31 | Refilled to 20,000        | petty cash |   6,420.50 |            |
    |    |            |                           | bank       |            |   6,420.50 |

    Balances on 2026-03-15
    | account    | balance    |
    |------------|------------|
    | bank       | 480,000.00 |
    | petty cash | 14,269.50  |
    | capital    | 500,000.00 |
    | stationery | 4,530.50   |
    | travel     | 1,200.00   |
    | cash short |            |

    Trial balance on 2026-03-31
    | account    | debit      | credit     |
    |------------|------------|------------|
    | bank       | 473,579.50 |            |
    | petty cash | 20,000.00  |            |
    | capital    |            | 500,000.00 |
    | stationery | 4,530.50   |            |
    | travel     | 1,840.00   |            |
    | cash short | 50.00      |            |
    | Total KES  | 500,000.00 | 500,000.00 |

    Statement of petty cash
    | date       | booking                   | debit     | credit   | balance   |
    |------------|---------------------------|-----------|----------|-----------|
    | 2026-03-31 | Refilled to 20,000        | 6,420.50  |          | 20,000.00 |
    | 2026-03-31 | Cash count                |           | 50.00    | 13,579.50 |
    | 2026-03-20 | Bus fares                 |           | 640.00   | 13,629.50 |
    | 2026-03-09 | Taxi, and pens on the way |           | 1,380.00 | 14,269.50 |
    | 2026-03-04 | Paper and toner           |           | 4,350.50 | 15,649.50 |
    | 2026-03-02 | Drawn at the bank         | 20,000.00 |          | 20,000.00 |
    """
    books.agree()


def test_a_mistake_is_corrected_by_a_reversal(books: WorkedExample) -> None:
    """Rent is booked to travel. The entry stays; its mirror image and the right one follow.

    Accounts
    | account | type    |
    |---------|---------|
    | bank    | asset   |
    | capital | equity  |
    | rent    | expense |
    | travel  | expense |

    Journal
    | no | date       | booking         | account |     debit |    credit |
    |----|------------|-----------------|---------|-----------|-----------|
    | 1  | 2026-04-01 | Opening balance | bank    | 90,000.00 |           |
    |    |            |                 | capital |           | 90,000.00 |
    | 2  | 2026-04-02 | Rent for April  | travel  | 30,000.00 |           |
    |    |            |                 | bank    |           | 30,000.00 |
    | 3  | 2026-04-03 | Reversal of 2   |         |           |           |
    | 4  | 2026-04-02 | Rent for April  | rent    | 30,000.00 |           |
    |    |            |                 | bank    |           | 30,000.00 |

    Trial balance on 2026-04-03
    | account   | debit     | credit    |
    |-----------|-----------|-----------|
    | bank      | 60,000.00 |           |
    | capital   |           | 90,000.00 |
    | rent      | 30,000.00 |           |
    | travel    |           |           |
    | Total KES | 90,000.00 | 90,000.00 |

    Statement of bank
    | date       | booking         | debit     | credit    | balance   |
    |------------|-----------------|-----------|-----------|-----------|
    | 2026-04-02 | Rent for April  |           | 30,000.00 | 60,000.00 |
    | 2026-04-03 | Reversal of 2   | 30,000.00 |           | 90,000.00 |
    | 2026-04-02 | Rent for April  |           | 30,000.00 | 60,000.00 |
    | 2026-04-01 | Opening balance | 90,000.00 |           | 90,000.00 |
    """
    books.agree()


def test_a_back_dated_entry(books: WorkedExample) -> None:
    """The bank's charge for March is only learnt in April. It counts in March all the same, and the
    statement, in posting order, shows it after April's rent.

    Accounts
    | account      | type    |
    |--------------|---------|
    | bank         | asset   |
    | capital      | equity  |
    | rent         | expense |
    | bank charges | expense |

    Journal
    | no | date       | booking          | account      |    debit |   credit |
    |----|------------|------------------|--------------|----------|----------|
    | 1  | 2026-03-01 | Opening balance  | bank         | 9,000.00 |          |
    |    |            |                  | capital      |          | 9,000.00 |
    | 2  | 2026-04-01 | Rent for April   | rent         | 3,000.00 |          |
    |    |            |                  | bank         |          | 3,000.00 |
    | 3  | 2026-03-31 | Charge for March | bank charges |    75.00 |          |
    |    |            |                  | bank         |          |    75.00 |

    Balances on 2026-03-30
    | account      | balance  |
    |--------------|----------|
    | bank         | 9,000.00 |
    | capital      | 9,000.00 |
    | rent         |          |
    | bank charges |          |

    Balances on 2026-03-31
    | account      | balance  |
    |--------------|----------|
    | bank         | 8,925.00 |
    | capital      | 9,000.00 |
    | rent         |          |
    | bank charges | 75.00    |

    Trial balance on 2026-04-01
    | account      | debit    | credit   |
    |--------------|----------|----------|
    | bank         | 5,925.00 |          |
    | capital      |          | 9,000.00 |
    | rent         | 3,000.00 |          |
    | bank charges | 75.00    |          |
    | Total KES    | 9,000.00 | 9,000.00 |

    Statement of bank
    | date       | booking          | debit    | credit   | balance  |
    |------------|------------------|----------|----------|----------|
    | 2026-03-31 | Charge for March |          | 75.00    | 5,925.00 |
    | 2026-04-01 | Rent for April   |          | 3,000.00 | 6,000.00 |
    | 2026-03-01 | Opening balance  | 9,000.00 |          | 9,000.00 |
    """
    books.agree()


def test_two_currencies_side_by_side(books: WorkedExample) -> None:
    """Francs are bought with shillings, through an exchange account in each currency. The two never mix:
    the entry balances in each, and so does the trial balance. Francs have no cents.

    Accounts
    | account           | type   | currency | minimum |
    |-------------------|--------|----------|---------|
    | Nairobi bank      | asset  | KES      | 0       |
    | capital           | equity | KES      |         |
    | exchange KES      | equity | KES      |         |
    | Kigali bank       | asset  | RWF      | 0       |
    | exchange RWF      | equity | RWF      |         |

    Journal
    | no | date       | booking                 | account      |      debit |     credit |
    |----|------------|-------------------------|--------------|------------|------------|
    | 1  | 2026-05-01 | Opening balance         | Nairobi bank | 100,000.00 |            |
    |    |            |                         | capital      |            | 100,000.00 |
    | 2  | 2026-05-04 | Francs bought at 11.105 | exchange KES |  40,000.00 |            |
    |    |            |                         | Nairobi bank |            |  40,000.00 |
    |    |            |                         | Kigali bank  |    444,200 |            |
    |    |            |                         | exchange RWF |            |    444,200 |

    Balances on 2026-05-04
    | account           | balance    |
    |-------------------|------------|
    | Nairobi bank      | 60,000.00  |
    | capital           | 100,000.00 |
    | exchange KES      | -40,000.00 |
    | Kigali bank       | 444,200    |
    | exchange RWF      | 444,200    |

    Trial balance on 2026-05-04
    | account           | debit      | credit     |
    |-------------------|------------|------------|
    | Nairobi bank      | 60,000.00  |            |
    | capital           |            | 100,000.00 |
    | exchange KES      | 40,000.00  |            |
    | Kigali bank       | 444,200    |            |
    | exchange RWF      |            | 444,200    |
    | Total KES         | 100,000.00 | 100,000.00 |
    | Total RWF         | 444,200    | 444,200    |
    """
    books.agree()


def test_a_customer_pays_an_invoice_and_gets_a_part_back(books: WorkedExample) -> None:
    """What is billed is income when it is billed; what is paid clears the receivable; what is refunded is
    owed until it is paid out.

    Accounts
    | account    | type      |
    |------------|-----------|
    | clearing   | asset     |
    | receivable | asset     |
    | refunds    | liability |
    | fees       | income    |

    Journal
    | no | date       | booking            | account    |    debit |   credit |
    |----|------------|--------------------|------------|----------|----------|
    | 1  | 2026-06-01 | Invoice 17         | receivable | 5,000.00 |          |
    |    |            |                    | fees       |          | 5,000.00 |
    | 2  | 2026-06-10 | Paid by M-Pesa     | clearing   | 5,000.00 |          |
    |    |            |                    | receivable |          | 5,000.00 |
    | 3  | 2026-06-12 | Refund agreed      | fees       | 1,500.00 |          |
    |    |            |                    | refunds    |          | 1,500.00 |
    | 4  | 2026-06-15 | Refund paid        | refunds    | 1,500.00 |          |
    |    |            |                    | clearing   |          | 1,500.00 |

    Balances on 2026-06-12
    | account    | balance  |
    |------------|----------|
    | clearing   | 5,000.00 |
    | receivable |          |
    | refunds    | 1,500.00 |
    | fees       | 3,500.00 |

    Trial balance on 2026-06-30
    | account    | debit    | credit   |
    |------------|----------|----------|
    | clearing   | 3,500.00 |          |
    | receivable |          |          |
    | refunds    |          |          |
    | fees       |          | 3,500.00 |
    | Total KES  | 3,500.00 | 3,500.00 |
    """
    books.agree()
    assert verify().holds


def test_an_example_that_does_not_add_up_is_noticed(books: WorkedExample) -> None:
    """The reader of the tables is tried as well.

    Accounts
    | account | type   |
    |---------|--------|
    | bank    | asset  |
    | capital | equity |

    Journal
    | no | date       | booking         | account |    debit |   credit |
    |----|------------|-----------------|---------|----------|----------|
    | 1  | 2026-06-01 | Opening balance | bank    | 5,000.00 |          |
    |    |            |                 | capital |          | 5,000.00 |

    Balances on 2026-06-01
    | account | balance  |
    |---------|----------|
    | bank    | 5,000.01 |
    | capital | 5,000.00 |
    """
    with pytest.raises(AssertionError, match="Balances on 2026-06-01"):
        books.agree()
