"""Which column of a roster holds what.

A column is found by its name, whatever its place. Upper and lower case, spaces, ``_`` and ``-``
make no difference. Besides the roster's own names, those of Moodle's participants export are
understood, in English and Indonesian. There the first and last name are always present, the ID
number, the username, the email address and the groups as the site has it, and the Indonesian names
differ from one version to the other (Moodle, user/action_redir.php and its language packs).
"""

from __future__ import annotations

import difflib

from upcall_roster.problems import shown

NAMES: dict[str, tuple[str, ...]] = {
    "host": ("host",),
    "student_id": ("student_id", "nim", "ID number", "Nomor ID", "Nomor KTP"),
    "username": ("Username", "Nama pengguna"),
    "name": ("name", "nama", "Full name", "Nama lengkap"),
    "first_name": ("First name", "Nama depan"),
    "last_name": ("Last name", "Surname", "Nama akhir", "Nama belakang"),
    "email": ("email", "Email address", "Alamat email", "surel", "Alamat surel"),
    "group": ("group", "Groups", "grup"),
    "address": ("address",),
    "user": ("user",),
    "port": ("port",),
}
"""Field → the names that its column may have."""

_MOODLE = frozenset({"first_name", "last_name", "username"})


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter not in " \t\u00a0_-")


_FIELDS = {_plain(name): field for field, names in NAMES.items() for name in names}


def fields(header: list[str]) -> list[str | None]:
    """Return the field of each column; None for a column that means nothing here."""
    return [_FIELDS.get(_plain(name)) for name in header]


def causes(header: list[str]) -> list[str]:
    """Return what is wrong with a header, empty if it can be used."""
    columns = fields(header)
    known = {field for field in columns if field}
    if not known:
        return [
            f"this is not a header: {shown(' '.join(header).strip())}. The first line has to name"
            " the columns, as in host,student_id,name,email,group"
        ]
    wrong = []
    for field in sorted(known):
        same = [
            shown(name.strip()) for name, its in zip(header, columns, strict=True) if its == field
        ]
        if len(same) > 1:
            wrong.append(
                f"the columns {' and '.join(same)} mean the same ({field}): remove all but one"
            )
    if "host" not in known:
        wrong.append(
            "there is no column host. This seems to be Moodle's participants list, which names no"
            " machines: add a column host with the name of each student's machine"
            if known & _MOODLE
            else "there is no column host: name the column with the machines host"
        )
    if not known & {"student_id", "username"}:
        wrong += _misspelt_ids(header)
    return wrong


def _misspelt_ids(header: list[str]) -> list[str]:
    """Return what is wrong if a column seems to hold the ids under a name that nobody knows."""
    names = {_plain(name): name for name in NAMES["student_id"] + NAMES["username"]}
    unknown = [name.strip() for name in header if _plain(name) not in _FIELDS]
    close = [name for name in unknown if difflib.get_close_matches(_plain(name), names, 1, 0.75)]
    return [
        f"the column {shown(name)} is not known, and no column has the students' ids: call it"
        f" student_id. Names of such columns are {', '.join(names.values())}"
        for name in close
    ]
