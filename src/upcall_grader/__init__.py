"""Captures of the upcall lab, read, judged and shown.

``capture``   from a file's bytes to handshake, messages and upcalls, and close
``judge``     from captures to points, each with its evidence
``export``    results as files for other programs: JSON, CSV, Moodle, Canvas
``report``    results as pages for people
``show``      ``upcall-show``: one capture on a terminal, and its judgement
``grade``     ``upcall-grade``: a folder of captures, graded
``selfcheck`` one file, checked by its student before it is handed in
``languages`` those in which there are words for all of it
``lab``       port and phrases of the lab that is looked for
``terminal``  payload as text in quotes for a terminal, colours
``output``    standard output and error, also where they cannot be written

``judge`` stands on ``capture``, ``show``, ``export`` and ``report`` on ``judge``, ``selfcheck`` on
``report``, ``grade`` on all of them but ``selfcheck`` and ``show``.
"""
