"""``upcall-show``: one capture on a terminal, and the judge's judgement of it.

``table``    rows of packets, laid out for a terminal
``summary``  what the judge says below them
``command``  the command itself
"""
