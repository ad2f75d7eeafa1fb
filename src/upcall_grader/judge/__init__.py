"""From captures to points, each with its evidence.

What is judged by:

``rubric``               a rubric and its criteria
``rubric_file``          YAML -> a rubric
``default_rubric``       the rubric where none is named
``check``                what a check is made of, what it may look at, how it ends
``parameters``           a check's parameters, and how each is read
``at_least``             for checks that count something
``checks``               the checks: each a module, with its words beside it

What is judged:

``folder``               which files of a folder are captures
``ownership``            whose a capture is
``earlier_results``      what an earlier run wrote, which is none
``sidecar_files``        manifest and logs beside a capture
``connection_summary``   one connection, as the checks see it
``capture_summary``      a whole capture, and the best of its connections
``packet_fingerprints``  the numbers of its packets that no other capture has
``reading``              an open file -> its summary
``fast``                 a shortcut in reading: without this folder every result is the same

How it is judged:

``criteria``             the criteria of one connection
``ranking``              which connection of a capture is the best
``log_comparison``       both logs against the wire
``tokens``               each student's own token
``submission``           one file -> one submission
``copies``               files that hold the same capture
``assess``               a folder -> all submissions
``results``              what all of it comes to, as plain data
"""
