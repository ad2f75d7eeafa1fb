"""The hosts for pyinfra: UPCALL_BENCH_HOSTS, reached as UPCALL_BENCH_SSH_CONFIG says."""

import os

hosts = [
    (
        name,
        {
            "ssh_config_file": os.environ["UPCALL_BENCH_SSH_CONFIG"],
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
        },
    )
    for name in os.environ["UPCALL_BENCH_HOSTS"].split()
]
