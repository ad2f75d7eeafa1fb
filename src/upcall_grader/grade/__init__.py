"""``upcall-grade``: a folder of captures, graded.

``options``   what may be typed
``overview``  the result as lines for a terminal
``results``   where the results go, and how they replace the earlier ones
``command``   the command itself
"""
