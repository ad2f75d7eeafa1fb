"""``upcall-show``: one capture on a terminal.

``missing``  what a complete exchange needs, and what is missing
``table``    rows of packets, laid out for a terminal
``command``  the command itself
"""
