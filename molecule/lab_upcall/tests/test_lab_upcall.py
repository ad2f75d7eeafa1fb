"""The lab's files, image and services as lab_upcall leaves them, and repairs them."""

from __future__ import annotations

import json
import typing as t
from base64 import b64encode
from pathlib import Path

import pytest
from testinfra.host import Host

from scripts.selfcheck.contents import contents
from scripts.selfcheck.pyz import archive
from tests.support.captures import name_of, on_one_host
from tests.support.lab_hosts import COMPOSE, LAB, TOP, recap, repair, run_playbook

FILES = ["compose/upcall.yml", "Upcall/Dockerfile", "Upcall/clientcall.py", "Upcall/servercall.py"]
IMAGE_LIMIT = 25 * 10**6  # bytes


def inspect(host: Host, service: str) -> dict[str, t.Any]:
    with host.sudo():
        container = host.check_output(f"{COMPOSE} ps --quiet {service}")
        described = json.loads(host.check_output(f"docker inspect {container}"))
    return t.cast(dict[str, t.Any], described[0])


@pytest.mark.parametrize("name", FILES)
def test_the_login_user_may_edit_the_lab_files(host: Host, name: str) -> None:
    file = host.file(f"{LAB}/{name}")
    assert file.content == (TOP / name).read_bytes()
    assert (file.user, oct(file.mode)) == ("instructor", "0o644")
    assert host.run(f"test -w {LAB}/{name} -a -w {LAB}/Upcall").rc == 0


def test_students_check_with_the_grader_of_this_checkout(host: Host) -> None:
    file = host.file(f"{LAB}/upcall-check.pyz")
    assert file.content == archive(contents(None))
    assert (file.user, oct(file.mode)) == ("instructor", "0o644")
    capture = b64encode((TOP / "tests/corpus/stopped-early.pcap").read_bytes()).decode()
    host.check_output(f"echo {capture} | base64 --decode > /tmp/upcall.pcap")
    told = host.run(f"cd {LAB} && LC_ALL=C.UTF-8 python3 upcall-check.pyz /tmp/upcall.pcap")
    assert (told.rc, told.stderr) == (1, "")
    assert told.stdout.startswith("upcall.pcap: Capture again, 80 of 100 points\n")


def test_both_services_are_healthy_on_one_network(host: Host) -> None:
    states = [inspect(host, service) for service in ("upcall-server", "upcall-client")]
    assert [state["State"]["Health"]["Status"] for state in states] == ["healthy", "healthy"]
    networks = [set(state["NetworkSettings"]["Networks"]) for state in states]
    assert networks[0] == networks[1]
    assert len(networks[0]) == 1


def test_the_image_is_small(host: Host) -> None:
    with host.sudo():
        size = host.check_output("docker image inspect --format '{{.Size}}' upcall-lab:1")
    assert 0 < int(size) < IMAGE_LIMIT


def test_nothing_of_the_build_is_left(host: Host) -> None:
    with host.sudo():
        assert host.check_output("find /tmp -name 'upcall-lab-*'") == ""


def test_the_handouts_commands_work_in_the_labs_directory(host: Host) -> None:
    exchange = (
        f"cd {LAB} && "
        "docker compose -f compose/upcall.yml exec -T upcall-server python servercall.py"
        " < /dev/null > /tmp/server.log & "
        "until grep -q listening /tmp/server.log; do :; done; "
        f"cd {LAB} && echo 1 | "
        "docker compose -f compose/upcall.yml exec -T upcall-client python clientcall.py; "
        "wait; rm /tmp/server.log"
    )
    with host.sudo():
        said = host.run(f"timeout 30 bash -c '{exchange}'")
    assert "Received upcall from server: Upcall event: Processing 1" in said.stdout, said.stderr


def test_an_edited_file_is_put_back_and_the_edit_is_kept(host: Host) -> None:
    path = f"{LAB}/Upcall/servercall.py"
    host.check_output(f"echo 'print(1)' > {path}")
    repair(name_of(host), "Bring the lab files")
    assert host.file(path).content == (TOP / "Upcall/servercall.py").read_bytes()
    kept = host.check_output(f"ls --sort=time {path}.*~").splitlines()[0]
    assert host.file(kept).content_string == "print(1)\n"
    with host.sudo():
        host.check_output(f"rm {kept}")


def test_a_missing_image_comes_from_the_controller(host: Host) -> None:
    with host.sudo():
        host.check_output(f"{COMPOSE} down && docker image rm upcall-lab:1")
    repair(
        name_of(host),
        *["Make a folder", "Send the archive", "Load the image"],
        *["Remove the folder", "Start the services"],
    )
    test_nothing_of_the_build_is_left(host)


def test_the_first_host_makes_the_image_and_leaves_it_on_the_controller(
    host: Host, tmp_path: Path
) -> None:
    on_one_host(host, 1)  # the other one made it when the role was applied
    with host.sudo():
        host.check_output(f"{COMPOSE} down && docker image rm upcall-lab:1")
        # Of two hosts only the one that has made an image before has it.
        host.check_output("apt-get install --yes --no-install-recommends mmdebstrap")
    archive = tmp_path / "images" / "upcall-lab.tar.gz"
    output = repair(
        name_of(host),
        *["Make a folder", "Send the script that builds", "Build the image's files"],
        *["Make an image from them", "Remove the folder"],
        *["Make a folder on the host", "Make a folder on the controller", "Save the image"],
        *["Fetch it", "Keep it, compressed"],
        *["Remove the folder on the host", "Remove the folder on the controller"],
        "Start the services",
        variables={"lab_upcall_image_archive": str(archive)},
    )
    test_nothing_of_the_build_is_left(host)
    assert "from the registry" not in output
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    assert archive.stat().st_size <= 7_000_000


# What is broken, and what is changed to repair it.
REPAIRS = {
    f"{COMPOSE} stop upcall-client": ["Start the services"],
    f"{COMPOSE} down": ["Start the services"],
    "docker network disconnect upcall-lab_upcall upcall-lab-upcall-client-1": [
        "Start the services"
    ],
    "ip link set $(docker network ls -q -f name=upcall-lab_upcall | sed s/^/br-/) down": [
        "Remove the containers",
        "Start the services",
    ],
    f"{COMPOSE} run --detach --no-deps upcall-client": ["Remove its containers"],
}


@pytest.mark.parametrize("harm", REPAIRS)
def test_a_repair_is_foretold_and_done(host: Host, harm: str) -> None:
    on_one_host(host, list(REPAIRS).index(harm))
    with host.sudo():
        host.check_output(harm)
    foretold = run_playbook("deploy", name_of(host), {}, "--check")
    assert recap(foretold.stdout, name_of(host))["changed"] == len(REPAIRS[harm]), foretold.stdout
    repair(name_of(host), *REPAIRS[harm])
    test_both_services_are_healthy_on_one_network(host)


def test_a_registry_that_is_silent_costs_seconds_and_is_said(host: Host) -> None:
    # It takes connections, on the lab host itself, and never says a word.
    silent = "import signal, socket; s = socket.create_server(('127.0.0.1', 5000)); signal.pause()"
    with host.sudo():
        host.check_output("docker tag upcall-lab:1 kept && docker image rm upcall-lab:1")
        host.check_output(f'timeout 60 python3 -c "{silent}" < /dev/null > /dev/null 2>&1 &')
    try:
        variables = {
            "lab_upcall_image_source": "registry",
            "lab_upcall_registry_prefix": "127.0.0.1:5000/library/",
            "lab_upcall_registry_answer_timeout": 2,
        }
        run = run_playbook("deploy", name_of(host), variables)
    finally:
        with host.sudo():
            host.check_output("docker tag kept upcall-lab:1 && docker image rm kept")
            host.check_output("pkill --full create_serve[r]")
    assert run.returncode != 0
    assert "registry: " in run.stdout
    assert "timed out" in run.stdout
    assert "make image" in run.stdout
