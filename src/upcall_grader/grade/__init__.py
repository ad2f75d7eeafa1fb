"""``upcall-grade``: a folder of captures, graded.

``options``   what may be typed
``overview``  the result as lines for a terminal
``command``   the command itself
"""
