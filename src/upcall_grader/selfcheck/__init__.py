"""One file, checked by the student who made it, before it is handed in.

``checking``  ``check_file``: a file, a rubric and a language -> verdict, points, page, next step

It runs wherever Python does: from a zip, in a browser, without Ansible.
"""
