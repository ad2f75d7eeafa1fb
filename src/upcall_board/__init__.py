"""A run as it happens: how far each host came, and the board that shows it.

``events``    what Ansible tells a callback plugin, as plain data
``progress``  how far each host came in each step
``reasons``   why it came no further, in one line
``board``     that laid out for a terminal of a given size
``plain``     what is printed, escaped
``screen``    drawn in place on a terminal, with what is printed meanwhile above it

The callback plugins ``lab_board`` and ``lab_report`` hand over what happens. Nothing here imports
Ansible; ``board`` and ``screen`` alone need rich.
"""
