"""The board of a run: a line a host, whose steps fill in as they happen.

``board``   what is known of the room, laid out for a terminal of a given size
``screen``  drawn in place on a terminal, with what is printed meanwhile above it

The callback plugin ``lab_board`` tells it what happens. Nothing here knows Ansible.
"""
