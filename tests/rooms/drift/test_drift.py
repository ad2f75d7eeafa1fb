"""Each thing that the look reports is broken in turn; one run repairs it, and nothing else."""

from __future__ import annotations

import gzip
import subprocess
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import PATIENT, name_of, on_one_host
from tests.support.lab_hosts import (
    COMPOSE,
    GREETING,
    LAB,
    TOP,
    playbook_command,
    recap,
    run_command,
)

SERVER, CLIENT = "upcall-lab-upcall-server-1", "upcall-lab-upcall-client-1"
NETWORK = "upcall-lab_upcall"
BRIDGE = f"br-$(docker network inspect --format '{{{{slice .Id 0 12}}}}' {NETWORK})"

# What there is of the lab on a host, told by other programs than the look's: one line a thing,
# its name, a bar, and whatever changes when the thing is changed, or made anew.
SNAPSHOT = r"""
docker ps --all --quiet | xargs docker inspect --format 'container:{{.Name}}|{{.Id}} {{.Image}}
{{- " "}}{{.State.StartedAt}} {{.State.Status}}
{{- range $name, $_ := .NetworkSettings.Networks}} {{$name}}{{end}}'
docker network ls --no-trunc --format 'network:{{.Name}}|{{.ID}}'
docker image inspect --format 'image|{{.Id}}' upcall-lab:1
ip -oneline link show up type bridge | sed 's/^[0-9]*: \([^:]*\):.*/bridge:\1|up/'
find /opt/upcall-lab /etc/profile.d ! -type d -printf 'file:%P|%i %u %g %m %y %T@\n' |
    grep --invert-match '~[|/]'
find /run/upcall-lab -name 'window-*' -printf 'window:%f|\n'
find /etc/apt/apt.conf.d -printf 'apt:%f|%s\n'
dpkg --list | sha256sum | sed 's/^/packages|/'
pgrep --exact dockerd | sed 's/^/dockerd|/'
grep -lz ^UPCALL_LAB_SESSION= /proc/[0-9]*/environ | sed 's/.*/marked:&|/'
getent group docker | sed 's/^/group|/'
systemctl is-enabled docker.service | sed 's/^/boot|/'
"""


class Case(t.NamedTuple):
    """What is broken, and what is new after the repair: the rest is as it was before."""

    harm: str
    new: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ("prepare", "deploy")
    variables: dict[str, t.Any] = {}  # noqa: RUF012 - a NamedTuple's default, never written
    made: str = "true"  # what has to be there first, to be broken


BOTH = ("container:*",)
FRESH = (*BOTH, f"network:{NETWORK}", "bridge:br-*")
SITE = ("../site",)
UNHEALTHY = (
    "until docker inspect --format '{{{{.State.Health.Status}}}}' {} | grep --quiet unhealthy;"
    " do sleep 0.2; done"
)

CASES = {
    "engine-stopped": Case(
        "systemctl stop docker.socket docker.service", (*BOTH, "dockerd", "network:bridge")
    ),
    "compose-removed": Case("apt-get remove --yes docker-compose"),
    "proxy-of-another-room": Case(
        "echo 'Acquire::http::Proxy \"http://198.18.41.250:3142\";'"
        " > /etc/apt/apt.conf.d/80upcall-lab"
    ),
    "docker-user-missing": Case(
        "gpasswd --delete games docker",
        variables={"lab_docker_users": ["games"]},
        made="gpasswd --add games docker",
    ),
    "image-removed": Case("docker image rm --force upcall-lab:1"),
    "image-replaced": Case("tar -c /etc/hostname | docker import - upcall-lab:1"),
    "server-stopped": Case(f"docker stop {SERVER} && {UNHEALTHY.format(CLIENT)}", BOTH),
    "client-removed": Case(f"docker rm --force {CLIENT}", (f"container:/{CLIENT}",)),
    "server-paused": Case(f"docker pause {SERVER}", BOTH),
    "client-off-the-network": Case(f"docker network disconnect {NETWORK} {CLIENT}", BOTH),
    "client-on-another-network": Case(
        f"docker network disconnect {NETWORK} {CLIENT} && docker network connect bridge {CLIENT}",
        BOTH,
    ),
    "network-removed": Case(f"{COMPOSE} down --timeout 1", FRESH),
    "bridge-down": Case(f"ip link set {BRIDGE} down", FRESH),
    "bridge-removed": Case(f"ip link delete {BRIDGE}", FRESH),
    "folder-replaced": Case(  # the containers keep the folder that is no more
        f"cd {LAB} && cp -a Upcall new && rm -r Upcall && mv new Upcall"
        f" && {UNHEALTHY.format(SERVER)}",
        (*BOTH, "file:Upcall/*"),
    ),
    "tcpdump-removed": Case("apt-get remove --yes tcpdump", playbooks=SITE),
    "process-left": Case(
        f"{COMPOSE} exec --detach --env UPCALL_LAB_SESSION=cut-off upcall-server"
        " python servercall.py && until pgrep --full '^python servercall.py'; do sleep 0.1; done",
        playbooks=SITE,
    ),
    "window-left": Case("touch /run/upcall-lab/window-0", playbooks=SITE),
    "one-off-container-left": Case(
        f"{COMPOSE} run --detach --no-deps upcall-client", playbooks=SITE
    ),
}

FILE_HARMS = {  # of which file, what is broken, and what is new after the repair
    "missing": ("compose/upcall.yml", "rm {}", ("file:compose/upcall.yml",)),
    "changed": ("Upcall/servercall.py", "echo '# drift' >> {}", ("file:Upcall/servercall.py",)),
    "of-another-owner": ("Upcall/clientcall.py", "chown nobody {}", ()),
    "of-another-mode": ("compose/upcall.yml", "chmod 0666 {}", ()),
    "a-link": (
        "Upcall/Dockerfile",
        "mv {0} /root/moved && ln -s /root/moved {0}",
        ("file:Upcall/Dockerfile",),
    ),
    "a-folder": (
        "Upcall/Dockerfile",
        "rm {0} && mkdir {0} && touch {0}/inside",
        ("file:Upcall/Dockerfile",),
    ),
    "lost": ("handout.md", "rm {}", ("file:handout.md",)),
    "edited": (GREETING, "echo 'echo drift' >> {}", ("file:upcall-lab.sh",)),
    "a-students": (GREETING, "chown instructor {}", ()),
}
for kind, (file, harm, new) in FILE_HARMS.items():
    CASES[f"{file}-{kind}"] = Case(harm.format(Path(LAB, file)), new)
# Without its program a service is ill, and is made anew with it.
for service, program in ((SERVER, "Upcall/servercall.py"), (CLIENT, "Upcall/clientcall.py")):
    CASES[f"{program}-missing"] = Case(
        f"rm {LAB}/{program} && {UNHEALTHY.format(service)}", (*BOTH, f"file:{program}")
    )


def inside(host: Host, script: str) -> str:
    """Return what a script prints on the lab host."""
    command = ["docker", "exec", name_of(host), "timeout", "120", "bash", "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout


def snapshot(host: Host) -> dict[str, str]:
    rows = (line.partition("|") for line in inside(host, SNAPSHOT).splitlines())
    return {name: value for name, _, value in rows}


def run_together(
    host: Host, playbooks: tuple[str, ...], variables: dict[str, t.Any]
) -> dict[str, int]:
    """Run these playbooks in one ansible-playbook that ends well, and return its counts."""
    first, *others = playbooks
    run = run_command(
        [
            *playbook_command(first, name_of(host), PATIENT | variables),
            *(TOP / "playbooks" / f"{name}.yml" for name in others),
        ]
    )
    assert run.returncode == 0, run.stdout
    return recap(run.stdout, name_of(host))


@pytest.fixture(scope="module")
def image(host: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """Return the host's image as the controller's archive, as in a room that was deployed once."""
    save = ["docker", "exec", name_of(host), "docker", "image", "save", "upcall-lab:1"]
    saved = subprocess.run(save, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    archive = tmp_path_factory.mktemp("images") / "upcall-lab.tar.gz"
    archive.write_bytes(gzip.compress(saved.stdout))
    return {"lab_upcall_image_archive": str(archive)}


@contextmanager
def healed(host: Host, image: dict[str, t.Any]) -> Iterator[None]:
    """Prepare the host anew after a failed repair, so that the next case is not disturbed."""
    try:
        yield
    except BaseException:
        inside(host, f"docker ps --all --quiet | xargs docker rm --force; rm -r {LAB}")
        run_together(host, ("prepare", "deploy"), image)
        raise


@pytest.mark.parametrize("case", CASES)
def test_one_run_repairs_it_and_nothing_else(
    host: Host, image: dict[str, t.Any], case: str
) -> None:
    on_one_host(host, list(CASES).index(case))
    harm, new, playbooks, variables, made = CASES[case]
    inside(host, made)
    before = snapshot(host)
    with healed(host, image):
        inside(host, harm)
        assert snapshot(host) != before
        counts = run_together(host, playbooks, image | variables)
        after = snapshot(host)
        assert counts["changed"] > 0
        names = before.keys() | after.keys()
        differing = {name for name in names if before.get(name) != after.get(name)}
        stray = {name for name in differing if not any(fnmatch(name, wanted) for wanted in new)}
        assert {name: (before.get(name), after.get(name)) for name in stray} == {}
        assert all(any(fnmatch(name, wanted) for name in differing) for wanted in new)


def test_a_further_run_changes_nothing(host: Host, image: dict[str, t.Any]) -> None:
    before = snapshot(host)
    assert run_together(host, ("prepare", "deploy"), image)["changed"] == 0
    assert snapshot(host) == before
