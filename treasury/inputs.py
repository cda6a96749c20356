"""What a caller may leave out where None says something. Pure: no ORM."""


class Unchanged:
    """Says that a value which may be None is left as it is."""


UNCHANGED = Unchanged()
