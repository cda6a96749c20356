"""x"""


def can_execute(payment, user):
    return False, ""
