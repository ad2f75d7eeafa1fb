"""Rosters that are right: whatever wrote the file, the seats are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from upcall_roster import Seat, Student, parse_roster, read_roster

TOP = Path(__file__).resolve().parents[3]
HEADER = "host,student_id,name,email,group\n"
ROOM = HEADER + "seat-01,2110001,Sari Dewi,sari@example.org,TI-2A\nseat-02,,,,\n"
SARI = Student("2110001", "Sari Dewi", "sari@example.org")


def seats(text: str | bytes) -> tuple[Seat, ...]:
    data = text if isinstance(text, bytes) else text.encode()
    return parse_roster(data, "roster.csv").seats


def test_a_roster() -> None:
    assert seats(ROOM) == (Seat(2, "seat-01", (SARI,), ("TI-2A",)), Seat(3, "seat-02"))


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(ROOM)
    assert read_roster(file).seats == seats(ROOM)


def test_the_example_is_a_roster() -> None:
    room = read_roster(TOP / "inventory" / "roster.example.csv").seats
    assert [len(seat.students) for seat in room] == [1, 1, 2, 0]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_delimiters_that_spreadsheets_write(delimiter: str) -> None:
    assert seats(ROOM.replace(",", delimiter)) == seats(ROOM)


def test_a_comma_in_a_cell_does_not_decide_on_the_delimiter() -> None:
    room = seats("host;student_id;name, first and last;name\nseat-01;1;a, b, c;Dewi, Sari\n")
    assert room[0].students[0].name == "Dewi, Sari"


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_of_other_systems(newline: str) -> None:
    assert seats(ROOM.replace("\n", newline)) == seats(ROOM)


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert seats(ROOM.encode("utf-8-sig")) == seats(ROOM)


def test_names_of_columns_in_any_case_and_order_with_others_between() -> None:
    room = seats(
        " E-MAIL ,Student ID,shoe size,NAME,Host\nsari@example.org,2110001,38,Sari Dewi,h\n"
    )
    assert room == (Seat(2, "h", (SARI,)),)


def test_only_the_host_is_needed() -> None:
    assert seats("host\nseat-01\n") == (Seat(2, "seat-01"),)


def test_lines_without_content_are_skipped_and_counted() -> None:
    room = seats("\n,,\n" + ROOM.replace("seat-02", "\n , ,,,\nseat-02"))
    assert [(seat.host, seat.line) for seat in room] == [("seat-01", 4), ("seat-02", 7)]


def test_cells_over_several_lines_are_counted_as_an_editor_does() -> None:
    room = seats('host,remark\na,"one\ntwo, ""three"""\nb,"\r\n\r\n"\nc,\n')
    assert [(seat.host, seat.line) for seat in room] == [("a", 2), ("b", 4), ("c", 7)]


def test_students_who_share_a_machine() -> None:
    room = seats("host,student_id,name,email\nseat-01,1  2,Sari Dewi | Budi,a@b|c@d\n")
    assert room[0].students == (Student("1", "Sari Dewi", "a@b"), Student("2", "Budi", "c@d"))


def test_students_who_share_a_machine_may_be_ids_alone() -> None:
    room = seats("host,student_id,name\nseat-01,1 2,\n")
    assert room[0].students == (Student("1", "", ""), Student("2", "", ""))


def test_how_a_machine_is_reached() -> None:
    room = seats("host,address,user,port\na,fe80::1%eth0,lecturer,2222\nb,192.0.2.1,,\n")
    assert [(seat.address, seat.user, seat.port) for seat in room] == [
        ("fe80::1%eth0", "lecturer", 2222),
        ("192.0.2.1", "", None),
    ]


def test_text_in_any_writing_and_with_any_signs() -> None:
    room = seats("host,student_id,name\na,1,{{ nothing }} <b> \u06cc\u200c\u0631 \u25c8\n")
    assert room[0].students[0].name == "{{ nothing }} <b> \u06cc\u200c\u0631 \u25c8"


@pytest.mark.parametrize(
    "header",
    [
        "First name,Last name,ID number,Email address,Groups",
        "First name,Surname,ID number,Email address,Groups",
        "firstname,lastname,idnumber,email,groups",
        "Nama Depan,Nama akhir,Nomor KTP,Alamat email,Grup",
        "Nama Depan,Nama akhir,Nomor ID,Alamat surel,Grup",
        "Nama depan,Nama belakang,Nomor ID,Surel,Grup",
        "First name,Last name,Username,Email address,Groups",
        "Nama Depan,Nama akhir,Nama pengguna,Surel,Grup",
    ],
)
def test_a_participants_list_from_moodle_with_the_hosts_added(header: str) -> None:
    row = '"Sari",Dewi,2110001,sari@example.org,"TI-2A, Kelompok 1"'
    room = seats(f"{header},host\n{row},seat-01\n")
    assert room == (Seat(2, "seat-01", (SARI,), ("TI-2A", "Kelompok 1")),)


def test_a_username_stands_for_an_id_number_that_is_not_there() -> None:
    room = seats("First name,Username,ID number,host\nSari,sari,2110001,a\nBudi,budi,,b\n")
    assert [seat.students[0].student_id for seat in room] == ["2110001", "budi"]
