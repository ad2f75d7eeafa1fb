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
                'Lab upcall: sebuah server dan sebuah client, masing-masing di dalam container' \
                'sendiri, di dalam satu jaringan.'
            case $running in
            '') ;;
            0 | 1)
                printf '%s\n' 'Kedua container itu belum semuanya berjalan. Jalankan:' '' \
                    '    cd /opt/upcall-lab' \
                    "    ${sudo}docker compose -f compose/upcall.yml up -d" '' \
                    'Jika ditolak, tanyakan kepada dosen Anda.'
                ;;
            *) printf '%s\n' 'Kedua container itu sedang berjalan.' ;;
            esac
            if [ -r /opt/upcall-lab/handout.md ]; then
                printf '%s\n' 'Panduan langkah demi langkah (tekan q untuk keluar), dan perintah pertamanya:' '' \
                    "    $pager /opt/upcall-lab/handout.md" \
                    '    cd /opt/upcall-lab' ''
            fi
            if [ -r /opt/upcall-lab/upcall-check.pyz ]; then
                printf '%s\n' 'Periksa rekaman Anda sebelum dikumpulkan:' '' \
                    '    python3 upcall-check.pyz --lang id upcall.pcap' ''
            fi
        ) || :
    fi
    ;;
esac
