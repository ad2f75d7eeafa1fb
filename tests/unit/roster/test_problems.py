"""Rosters that are wrong: every problem is named with its file and line, and what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upcall_roster import RosterError, cells, parse_roster, problems, read_roster, reading

HEADER = "host,student_id,name,email,group\n"


def wrong(text: str | bytes) -> RosterError:
    with pytest.raises(RosterError) as caught:
        parse_roster(text if isinstance(text, bytes) else text.encode(), "roster.csv")
    return caught.value


def lines(text: str | bytes) -> list[str]:
    return str(wrong(text)).splitlines()


def only(text: str | bytes) -> str:
    """Return the message of a roster with one problem."""
    messages = lines(text)
    assert len(messages) == 1, messages
    return messages[0]


def assert_says(message: str, line: int, *words: str) -> None:
    assert message.startswith(f"roster.csv, line {line}: ")
    assert [word for word in words if word not in message] == []


# -- the file


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", " , ,\n"])
def test_an_empty_file(text: str) -> None:
    assert_says(only(text), 1, "empty")


def test_a_header_alone() -> None:
    assert_says(only("\n" + HEADER), 2, "no row")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding: str) -> None:
    assert_says(only(f"{HEADER}seat-01,1,Zo\u00eb,,\n".encode(encoding)), 1, "UTF-16", "Excel")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_latin_1(newline: str) -> None:
    text = f"{HEADER}seat-01,1,Sari,,\nseat-02,2,Zo\u00eb,,\n".replace("\n", newline)
    message = only(text.encode("latin-1"))
    assert_says(message, 3, "0xEB", "CSV UTF-8", "LibreOffice", "Unicode (UTF-8)")


def test_a_spreadsheet() -> None:
    assert_says(only(b"PK\x03\x04" + bytes(100)), 1, "spreadsheet", "CSV UTF-8")


def test_a_file_that_is_no_roster_by_its_size() -> None:
    rows = b"".join(b"seat-%d,\n" % number for number in range(reading.MAX_BYTES // 8))
    assert len(rows) > reading.MAX_BYTES
    assert only(b"host,name\n" + rows) == (
        "roster.csv: it is larger than 256 KiB, so it cannot be a roster: check the name"
        " (docs/troubles.md#roster-file)"
    )


def test_a_large_roster_is_read() -> None:
    text = "host\n" + "".join(f"seat-{number}\n" for number in range(2000))
    assert len(parse_roster(text.encode(), "roster.csv").seats) == 2000


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match=r"^none\.csv: there is no such file"):
        read_roster(tmp_path / "none.csv")


def test_a_file_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "room.csv").mkdir()
    with pytest.raises(RosterError, match=r"^room\.csv: it is a directory"):
        read_roster(tmp_path / "room.csv")


def test_no_more_is_read_than_a_roster_has() -> None:
    with pytest.raises(RosterError, match="larger than"):
        read_roster(Path("/dev/zero"))


# -- the header


@pytest.mark.parametrize(
    "first", ["seat-01,2110001,Sari", "room,seat", "no comma at all", "sep=;", "\x1b[2J"]
)
def test_no_header(first: str) -> None:
    message = only(f"{first}\nseat-02,2110002,Budi\n")
    assert_says(message, 1, "not a header", "host,student_id,name,email,group")
    assert "\x1b" not in message


def test_no_column_for_the_hosts() -> None:
    assert_says(only("student_id,name\n1,Sari\n"), 1, "no column host")


@pytest.mark.parametrize("first", ["First name,Last name,Email address", "Nama Depan,Nama akhir"])
def test_a_participants_list_from_moodle_without_hosts(first: str) -> None:
    assert_says(only(f"\ufeff{first}\nSari,Dewi,a@b\n"), 1, "Moodle", "add a column host")


@pytest.mark.parametrize("name", ["studnt_id", "Student-Id s", "Nomer ID", "user name s"])
def test_a_column_of_ids_that_is_misspelt(name: str) -> None:
    message = only(f"host,{name}\nseat-01,1\n")
    assert_says(message, 1, f"'{name}' is not known", "student_id, nim, ID number")


def test_other_columns_are_passed_over() -> None:
    assert parse_roster(b"host,notes,id card\nseat-01,x,y\n", "roster.csv").seats


def test_columns_that_mean_the_same() -> None:
    messages = lines("Host,host,student_id,ID number,name,email,Alamat email\na,b,1,2,S,e,f\n")
    assert len(messages) == 3
    assert_says(messages[0], 1, "'email' and 'Alamat email'")
    assert_says(messages[1], 1, "'Host' and 'host'")
    assert_says(messages[2], 1, "'student_id' and 'ID number'")


# -- the rows


def test_no_host() -> None:
    assert_says(only(f"{HEADER}seat-01,,,,\n  ,2110001,Sari,,\n"), 3, "no host")


def test_a_host_twice() -> None:
    message = only(f"{HEADER}seat-01,1,,,\nseat-02,2,,,\nSEAT-01,3,,,\n")
    assert_says(message, 4, "'SEAT-01'", "line 2", "one cell")


def test_a_student_twice() -> None:
    assert_says(only(f"{HEADER}seat-01,a1,,,\nseat-02,b2 A1,,,\n"), 3, "'A1'", "line 2")


def test_a_student_twice_on_one_machine() -> None:
    assert_says(only(f"{HEADER}seat-01,a1 a1,,,\n"), 2, "'a1'", "line 2")


def test_an_id_that_is_another_rows_host() -> None:
    message = only(HEADER + "seat-01,1,,,\nseat-02,SEAT-01,,,\nseat-03,seat-03,,,\n")
    assert_says(message, 3, "'SEAT-01'", "the host in line 2")


@pytest.mark.parametrize("student_id", ["upcall", "PCAP", "submissions"])
def test_an_id_that_names_anybodys_files(student_id: str) -> None:
    message = only(f"{HEADER}seat-01,{student_id},,,\n")
    assert_says(message, 2, f"'{student_id}'", "all students have")


@pytest.mark.parametrize(
    "host",
    [
        *("..", ".", ".ssh", "-v", "a/b", "/etc", "a b", "s\u00e9at", "a\\b", "seat[01:30]"),
        *("a:22", "{{ 7 }}", "a'b", "~", "x" * 254, '"a\nb"', "\u0661", "a\0b"),
    ],
)
def test_a_host_that_is_no_folder_name(host: str) -> None:
    # Below the place where a NUL would tell of UTF-16.
    rows = "".join(f"seat-0{number},,,,\n" for number in range(9))
    assert_says(only(f"{HEADER}{rows}{host},,,,\n"), 11, "host", "cannot name a folder")


@pytest.mark.parametrize("student_id", ["..", "a/b", "-rf", "\u00e9", "x" * 65, "a,b", "1|2"])
def test_a_student_id_that_is_no_folder_name(student_id: str) -> None:
    message = only(f'{HEADER}seat-01,"{student_id}",,,\n')
    assert_says(message, 2, "student_id", "cannot name a folder")
    assert "rounded" not in message


def test_names_as_long_as_can_be() -> None:
    text = f"{HEADER}{'x' * 253},{'y' * 64},{'z' * 255},,\n"
    assert len(parse_roster(text.encode(), "roster.csv").seats) == 1


@pytest.mark.parametrize("student_id", ["2.11E+09", "2,11E+12", "2E+9"])
def test_a_student_id_that_a_spreadsheet_has_rounded(student_id: str) -> None:
    assert_says(only(f'{HEADER}seat-01,"{student_id}",,,\n'), 2, "rounded", "Text")


@pytest.mark.parametrize("column", ["name", "email", "group", "First name"])
@pytest.mark.parametrize("bad", ["\x1b[2J", "\n", "\x7f", "\x9b", "\u202e", "\u2028"])
def test_control_characters(column: str, bad: str) -> None:
    messages = lines(f'host,student_id,{column}\nseat-01,1,"Sa{bad}ri"\n')
    assert len(messages) == 1
    assert_says(messages[0], 2, column.rsplit(maxsplit=1)[-1], "control character")
    assert bad not in messages[0]


def test_text_without_end() -> None:
    assert_says(only(f"{HEADER}seat-01,1,{'x' * 256},,\n"), 2, "longer than 255")


@pytest.mark.parametrize(
    ("row", "cells_in_it"), [("seat-01,1,Sari,", 4), ("seat-01", 1), ("seat-01,1,Sari,,,", 6)]
)
def test_cells_too_many_or_too_few(row: str, cells_in_it: int) -> None:
    assert_says(only(f"{HEADER}{row}\n"), 2, f"{cells_in_it} cells", "has 5")


@pytest.mark.parametrize("row", ['"seat-01,1,Sari,,', '"seat"-01,1,Sari,,', f"{'x' * 132000},,,,"])
def test_cells_that_cannot_be_told_apart(row: str) -> None:
    assert_says(only(f"{HEADER}\nseat-00,,,,\n{row}\nseat-02,,,,\n"), 4, "cannot be told apart")


def test_a_name_without_an_id() -> None:
    assert_says(only(f"{HEADER}seat-01,,Sari Dewi,,\n"), 2, "'Sari Dewi'", "no student_id")


def test_an_email_address_without_an_id() -> None:
    assert_says(only(f"{HEADER}seat-01,,,a@b,\n"), 2, "'a@b'", "no student_id")


@pytest.mark.parametrize(
    "row", ["1 2,Sari Dewi,", "1,Sari | Budi,", "1 2,,a@b", "1 2 3,,a@b | c@d"]
)
def test_students_and_their_names_that_do_not_fit_together(row: str) -> None:
    assert_says(only(f"{HEADER}seat-01,{row},\n"), 2, "do not fit together")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "22x", "\u0662\u0662", "1e3", "9" * 5000])
def test_a_port_that_is_none(port: str) -> None:
    assert_says(only(f"host,port\nseat-01,{port}\n"), 2, "port", "65535")


@pytest.mark.parametrize("address", ["-oProxyCommand=id", "a b", "{{ x }}", "a;b", "x" * 254])
def test_an_address_that_is_none(address: str) -> None:
    assert_says(only(f"host,address\nseat-01,{address}\n"), 2, "address")


@pytest.mark.parametrize("user", ["-oProxyCommand=id", "a b", "{{ x }}", "a;b", "x" * 65])
def test_a_user_that_is_none(user: str) -> None:
    assert_says(only(f"host,user\nseat-01,{user}\n"), 2, "user")


def test_all_problems_come_together_in_the_order_of_the_file() -> None:
    messages = lines(
        f"{HEADER}seat-01,1,,,\n,2,,,\nseat-01,1,,,\na/b,../x,Sa\x1bri,,\nseat-05\n"
        "seat-06,6 7,one,one,\nseat-07,,\n"
    )
    assert [message.partition(":")[0] for message in messages] == [
        f"roster.csv, line {line}" for line in (3, 4, 4, 5, 5, 5, 6, 7, 7, 8)
    ]


def test_a_very_long_list_of_problems_is_cut_and_says_so() -> None:
    error = wrong(HEADER + ",1,,,\n" * 150)
    message = str(error).splitlines()
    assert len(error.problems) == 150 + 149
    assert len(message) == problems.MAX_SHOWN + 1
    assert message[-1] == "... and 199 more"


# -- whatever the file holds

ROWS = st.lists(
    st.lists(
        st.sampled_from(["seat-01", "1 2", "Sari | Budi", "", '"', "\n", "\r", ",", ";", "\t", "-"])
        | st.text(max_size=8),
        max_size=6,
    ).map(",".join),
    max_size=6,
).map("\n".join)


@given(
    st.binary(max_size=300) | ROWS.map(lambda rows: f"{HEADER}{rows}".encode("utf-8", "replace"))
)
def test_no_input_ends_otherwise_than_in_a_roster_or_its_own_error(data: bytes) -> None:
    with contextlib.suppress(RosterError):
        for seat in parse_roster(data, "roster.csv").seats:
            assert cells.seat(seat.line, {"host": seat.host})[1] == []
            assert all(
                Path(student.student_id).parts == (student.student_id,) for student in seat.students
            )


@given(
    st.binary(max_size=300) | ROWS.map(lambda rows: f"{HEADER}{rows}".encode("utf-8", "replace"))
)
def test_no_message_holds_a_control_character_or_another_line(data: bytes) -> None:
    try:
        parse_roster(data, "roster.csv")
    except RosterError as error:
        message = [str(problem) for problem in error.problems]
        assert message
        assert all(line.isprintable() for line in message)
