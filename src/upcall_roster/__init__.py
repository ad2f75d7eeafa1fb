"""The roster: one CSV file that says which machine is whose. Nothing here knows of Ansible.

``problems``  what is wrong, and where
``seats``     what a roster says, as plain data
``columns``   the columns' names, and what they mean
``cells``     row → seat
``conflicts`` rows that do not go together
``reading``   file → rows → roster
"""

from upcall_roster.problems import Problem, RosterError
from upcall_roster.reading import parse_roster, read_roster
from upcall_roster.seats import Roster, Seat, Student

__all__ = [
    "Problem",
    "Roster",
    "RosterError",
    "Seat",
    "Student",
    "parse_roster",
    "read_roster",
]
