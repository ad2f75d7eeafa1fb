# shellcheck shell=sh
# Greets users at a login at a terminal: shows the state of the upcall lab, and where its handout lies. Once per login, not
# in the shells inside it; ~/.hushlogin silences it.
# Every login shell reads this, with any options set: nothing here may fail, and it says only what it sees.
case $-:$0 in
*i*:-*)
    if [ -t 1 ] && [ -d /opt/upcall-lab ] && [ -z "${UPCALL_LAB_GREETED-}" ] && [ ! -e "${HOME-}/.hushlogin" ]; then
        export UPCALL_LAB_GREETED=1
        (
            pager=less sudo='sudo ' running=
            command -v less >/dev/null || pager='more'
            [ -w /var/run/docker.sock ] && sudo=
            # The containers' command (compose/upcall.yml), visible to everybody unless other users' processes are hidden.
            if [ -r /proc/1/cmdline ]; then
                running=$(timeout 2 pgrep -fxc 'python -c import signal; signal\.pause\(\)' 2>/dev/null)
            fi
            printf '\n%s\n%s\n' \
                'Upcall lab: a server and a client, each in a container of its own, on a network' \
                'of their own.'
            case $running in
            '') ;;
            0 | 1)
                printf '%s\n' 'The containers are not both running. Start them:' '' \
                    '    cd /opt/upcall-lab' \
                    "    ${sudo}docker compose -f compose/upcall.yml up -d" '' \
                    'If that is refused, ask your instructor.'
                ;;
            *) printf '%s\n' 'Both containers are running.' ;;
            esac
            if [ -r /opt/upcall-lab/handout.md ]; then
                printf '%s\n' 'The handout, step by step (q leaves it), and its first command:' '' \
                    "    $pager /opt/upcall-lab/handout.md" \
                    '    cd /opt/upcall-lab' ''
            fi
            if [ -r /opt/upcall-lab/upcall-check.pyz ]; then
                printf '%s\n' 'Check your capture before you hand it in:' '' \
                    '    python3 upcall-check.pyz upcall.pcap' ''
            fi
        ) || :
    fi
    ;;
esac
