"""One file, checked by the student who made it, before it is handed in.

``checking``  ``check_file``: a file, a rubric and a language -> verdict, points, page, next step
``rubrics``   the rubric: the student's choice, the instructor's, or the default one
``telling``   what a check came to, as lines for a terminal
``command``   ``upcall-check.pyz``, the command itself

It runs wherever Python 3.9 does: from a zip, in a browser, without Ansible.
"""
