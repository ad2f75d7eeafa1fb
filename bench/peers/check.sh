#!/bin/bash
# Runs on a lab host as root, sent by `floor`: sees what the look sees, in one visit, and changes nothing.
# Arguments: the host's name, then a digest and a path for each lab file. One line a difference; exits 1 if there is one.
set -uo pipefail
host=$1
shift
directory=/opt/upcall-lab image=upcall-lab:1 project=upcall-lab port=102D # 4141, as /proc writes it
differences=0

differs() {
    echo "$host: $*"
    differences=$((differences + 1))
}

# shellcheck source=/dev/null
. /etc/os-release
login=${SUDO_USER:-root}
clock=$EPOCHREALTIME

engine=$(docker version --format '{{.Server.Version}}' 2>&1 </dev/null) || differs "no engine answers: $engine"
compose=$(docker compose version --short 2>&1 </dev/null) || differs "no docker compose v2: $compose"
wanted=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null </dev/null) || differs "no image $image"

paths=()
digests=
while (($# > 1)); do
    path=$directory/$2
    [[ $2 = /* ]] && path=$2
    paths+=("$path")
    digests+="$1  $path"$'\n'
    shift 2
done
changed=$(sha256sum --check --quiet 2>&1 <<<"${digests%$'\n'}") || differs "lab files: ${changed//$'\n'/; }"
while IFS= read -r line; do
    owner=root
    [[ $line = *" $directory/"* ]] && owner=$login
    [[ $line = "$owner 644 "* ]] || differs "owner or mode: $line"
done < <(stat --format '%U %a %n' "${paths[@]}" 2>&1 </dev/null)

network='' bridge=''
while IFS='|' read -r id name option; do
    [[ $network ]] && differs "a second network: $name"
    network=$name bridge=${option:-br-${id:0:12}}
done < <(docker network ls --quiet --filter "label=com.docker.compose.project=$project" </dev/null |
    xargs --no-run-if-empty docker network inspect --format '{{.Id}}|{{.Name}}|{{with index .Options "com.docker.network.bridge.name"}}{{.}}{{end}}')
[[ $network ]] || differs "no network"
flags=0
[[ -r /sys/class/net/$bridge/flags ]] && flags=$(</sys/class/net/"$bridge"/flags)
((flags & 1)) || differs "the bridge ${bridge:-?} is missing or down"

format='{{index .Config.Labels "com.docker.compose.service"}}|{{index .Config.Labels "com.docker.compose.oneoff"}}|'
format+='{{.State.Running}}|{{with .State.Health}}{{.Status}}{{end}}|{{.Image}}|{{.State.Pid}}|'
# shellcheck disable=SC2016 # a variable of docker's template, not of the shell
format+='{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'
declare -A seen=()
server=0
while IFS='|' read -r service once running health id pid networks; do
    if [[ $once = True ]]; then
        # Those of other services are students' captures.
        [[ $service = upcall-* ]] && differs "left behind: a container of docker compose run"
        continue
    fi
    seen[$service]=1
    [[ $running = true ]] || differs "$service does not run"
    [[ $health = healthy ]] || differs "$service is ${health:-without health}"
    [[ $id = "$wanted" ]] || differs "$service has another image"
    [[ " $networks" = *" $network "* ]] || differs "$service is not on the network"
    [[ $service = upcall-server ]] && server=$pid
done < <(docker ps --all --quiet --filter "label=com.docker.compose.project=$project" </dev/null |
    xargs --no-run-if-empty docker inspect --format "$format")
for service in upcall-server upcall-client; do
    [[ ${seen[$service]-} ]] || differs "no container of $service"
done

if ((server)) && grep --quiet --extended-regexp " [0-9A-F]+:$port [0-9A-F]+:0000 0A " "/proc/$server/net/tcp" "/proc/$server/net/tcp6"; then
    differs "port 4141 is taken"
fi

tcpdump=$(tcpdump --version 2>&1 </dev/null) || differs "no tcpdump"
while IFS=$'\t ' read -r key value; do
    [[ $key = CapEff: ]] && (((16#$value >> 13 & 1) == 0)) && differs "root may not capture" # CAP_NET_RAW
done </proc/self/status
captures=$(pgrep --exact --list-full tcpdump </dev/null) && differs "tcpdump runs: $captures"
left=$(grep --files-with-matches --null-data '^UPCALL_LAB_SESSION=' /proc/[0-9]*/environ 2>/dev/null </dev/null)
[[ $left ]] && differs "left behind: ${left//$'\n'/ }"
if [[ -e /run/upcall-lab/session.lock ]] && ! flock --nonblock --shared /run/upcall-lab/session.lock true </dev/null; then
    differs "a session holds the lab"
fi

free=$(df --block-size=1 --output=avail "$directory" 2>/dev/null </dev/null | tail -n 1)
((${free:-0} >= 1073741824)) || differs "less than 1 GiB is free"
users=$(getent group docker </dev/null)

echo "$host: $ID $VERSION_ID, engine $engine, compose $compose, ${tcpdump%%$'\n'*}, bridge $bridge, $free bytes free," \
    "docker group: ${users##*:}, clock $clock, $differences differences"
((differences == 0))
