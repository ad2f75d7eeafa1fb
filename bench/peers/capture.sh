#!/bin/bash
# Runs on a lab host as root, sent by `capture`: one session, the pcap on stdout, all words on stderr.
# Arguments: the messages. Whatever fails, tcpdump and the server are gone afterwards.
set -euo pipefail
project=upcall-lab
export LC_ALL=C UPCALL_LAB_SESSION=bench-$$

fail() {
    echo "capture.sh: $*" >&2
    exit 1
}

cleanup() {
    local process
    # A process has in its environment what it was started with: not this shell, but all that it starts.
    while IFS=/ read -r _ _ process _; do
        kill -KILL "$process" 2>/dev/null || true
    done < <(grep -lz "^UPCALL_LAB_SESSION=$UPCALL_LAB_SESSION$" /proc/[0-9]*/environ 2>/dev/null </dev/null)
    rm -rf "$folder"
}

# Reads lines from a descriptor until one holds the words, and leaves all of them in `said`.
await() {
    local descriptor=$1 words=$2 line
    said=
    while IFS= read -r -t 15 -u "$descriptor" line; do
        said+=$line$'\n'
        [[ $line != *"$words"* ]] || return 0
    done
    fail "'$words' was not said: $said"
}

mkdir -p /run/upcall-lab
exec {lock}<>/run/upcall-lab/session.lock
flock --nonblock "$lock" || fail "another session holds the lab"
folder=$(mktemp -d)
trap cleanup EXIT

network=$(docker network ls --quiet --filter "label=com.docker.compose.project=$project" </dev/null)
IFS='|' read -r id bridge <<<"$(docker network inspect --format '{{.Id}}|{{with index .Options "com.docker.network.bridge.name"}}{{.}}{{end}}' "$network" </dev/null)"
bridge=${bridge:-br-${id:0:12}}
(($(</sys/class/net/"$bridge"/flags) & 1)) || fail "the bridge $bridge is down"
container() {
    docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" </dev/null
}
server=$(container upcall-server)
client=$(container upcall-client)
pid=$(docker inspect --format '{{.State.Pid}}' "$server" </dev/null)
! grep --quiet --extended-regexp ' [0-9A-F]+:102D [0-9A-F]+:0000 0A ' "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" || fail "port 4141 is taken"

exec {words}< <(exec tcpdump --immediate-mode -U -n -i "$bridge" -w - 2>&1 >"$folder/upcall.pcap" </dev/null)
tcpdump=$!
await "$words" 'listening on'

mark="UPCALL_LAB_SESSION=$UPCALL_LAB_SESSION"
exec {dialogue}< <(exec docker exec -e "$mark" "$server" python servercall.py 2>&1 </dev/null)
await "$dialogue" 'Upcall server listening on'
echo "server: $said" >&2
printf '%s\n' "$@" | docker exec -i -e "$mark" "$client" python clientcall.py >&2
# The server ends with the connection, and with it what it says.
timeout 10 cat <&"$dialogue" >&2

# Over when the capture holds both FINs and the acknowledgement behind them.
deadline=$((SECONDS + 10))
until tcpdump -n -r "$folder/upcall.pcap" 'tcp port 4141' 2>/dev/null </dev/null |
    awk '/Flags \[F/ { fins++; next } fins == 2 && /Flags \[\.\]/ { over = 1 } END { exit !over }'; do
    ((SECONDS < deadline)) || fail "no close was captured"
done
kill -INT "$tcpdump"
await "$words" 'dropped by kernel'
echo "$said" >&2
count() {
    [[ $said =~ ([0-9]+)" "packets?" "$1 ]] || fail "tcpdump did not report: $1"
    echo "${BASH_REMATCH[1]}"
}
captured=$(count captured) received=$(count 'received by filter') dropped=$(count 'dropped by kernel')
((captured == received && dropped == 0)) || fail "$captured of $received packets were captured, $dropped dropped"
sha256sum "$folder/upcall.pcap" | sed 's/^/sha256 /' >&2
cat "$folder/upcall.pcap"
