"""The lab with pyinfra: what prepare.yml and deploy.yml see to, on hosts that have the image.

Its own facts and operations where it has them; what it has none for is asked in one command.
Nothing is run where the facts say that nothing is missing. A host that differs otherwise fails.
"""

from __future__ import annotations

from pathlib import Path

from pyinfra import config, host
from pyinfra.api.exceptions import DeployError
from pyinfra.facts.docker import DockerContainers, DockerImage, DockerNetworks, DockerSystemInfo
from pyinfra.facts.server import Command
from pyinfra.operations import apt, docker, files, systemd

config.SUDO = True

TOP = Path(__file__).resolve().parents[3]
DIRECTORY = "/opt/upcall-lab"
COMPOSE = "compose/upcall.yml"
FILES = (COMPOSE, "Upcall/Dockerfile", "Upcall/clientcall.py", "Upcall/servercall.py")
# On the lab host, here, and whose it is there.
PLACES = (
    *((f"{DIRECTORY}/{file}", file, "instructor") for file in FILES),
    (f"{DIRECTORY}/handout.md", "docs/handout.en.md", "instructor"),
    (f"{DIRECTORY}/upcall-check.pyz", ".cache/upcall-check.pyz", "instructor"),
    ("/etc/profile.d/upcall-lab.sh", "roles/lab_upcall/files/greeting.en.sh", "root"),
)
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
BRIDGE = "com.docker.network.bridge.name"

# What pyinfra has no fact for, "name value" a line. An absent line is something that is not there.
ASK = """
docker compose version --short | sed 's/^/compose /'
tcpdump --version 2>&1 | sed -n '1s/^/tcpdump /p'
capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
if [ $(( 0x$capabilities >> 13 & 1 )) = 1 ]; then echo permitted yes; fi
pgrep -x tcpdump | sed 's/^/captures /'
grep -lz '^UPCALL_LAB_SESSION=' /proc/[0-9]*/environ 2>/dev/null | sed 's/^/left /'
lock=/run/upcall-lab/session.lock
if [ -e $lock ] && ! flock -n -s $lock true; then echo held yes; fi
echo free $(df -B1 --output=avail /opt/upcall-lab | tail -n 1)
echo users $(getent group docker | cut -d: -f4)
echo clock $(date +%s.%N)
"""
# {0}: the bridge, {1}: a process in the server's container; port 4141 is 102D in /proc.
ASK_LAB = """
if [ $(( $(cat /sys/class/net/{0}/flags) & 1 )) = 1 ]; then echo up; fi
cat /proc/{1}/net/tcp /proc/{1}/net/tcp6 |
    if grep -qE ' [0-9A-F]+:102D [0-9A-F]+:0000 0A '; then echo taken; fi
"""


def need(condition: object, what: str) -> None:
    """Fail this host unless a condition holds."""
    if not condition:
        raise DeployError(f"{host.name}: {what}")


apt.packages(
    name="Docker Engine, docker compose and tcpdump are installed",
    packages=["docker.io", "docker-compose", "tcpdump"],
    no_recommends=True,
)
systemd.service(name="Docker runs and is enabled", service="docker", running=True, enabled=True)
for place, source, owner in PLACES:
    files.put(
        name=f"{place} is there",
        src=str(TOP / source),
        dest=place,
        user=owner,
        mode="644",
        add_deploy_dir=False,
    )

need(host.get_fact(DockerSystemInfo).get("ServerVersion"), "no engine answers")
image = host.get_fact(DockerImage, object_id="upcall-lab:1")
need(image, "no image upcall-lab:1")
said = [line.split(None, 1) for line in host.get_fact(Command, command=ASK).splitlines()]
told = {words[0]: words[-1] for words in said}
need("compose" in told, "no docker compose v2")
need("tcpdump" in told and "permitted" in told, "no tcpdump, or root may not capture")
need(not {"captures", "left", "held"} & set(told), f"a session runs, or left something: {told}")
need(int(told["free"]) >= 1 << 30, "less than 1 GiB is free")

ours = [
    each for each in host.get_fact(DockerNetworks) if each["Labels"].get(PROJECT) == "upcall-lab"
]
need(len(ours) <= 1, "several networks")
services = {
    each["Config"]["Labels"].get(SERVICE): each
    for each in host.get_fact(DockerContainers)
    if each["Config"]["Labels"].get(PROJECT) == "upcall-lab"
}
up = bool(ours) and all(
    service in services
    and services[service]["State"]["Running"]
    and services[service]["State"]["Health"]["Status"] == "healthy"
    and services[service]["Image"] == image[0]["Id"]
    and ours[0]["Name"] in services[service]["NetworkSettings"]["Networks"]
    for service in ("upcall-server", "upcall-client")
)
if up:
    bridge = ours[0]["Options"].get(BRIDGE) or "br-" + ours[0]["Id"][:12]
    process = services["upcall-server"]["State"]["Pid"]
    lab = host.get_fact(Command, command=ASK_LAB.format(bridge, process)).split()
    need("taken" not in lab, "port 4141 is taken")
    up = "up" in lab
if not up:
    docker.compose(
        name="The services are up",
        project_directory=f"{DIRECTORY}/compose",
        files=f"{DIRECTORY}/{COMPOSE}",
    )
