"""What Python runs of ``upcall-check.pyz``; any Python can read this file, older ones too."""

import sys

if sys.version_info < (3, 9):
    sys.stderr.write(
        "upcall-check.pyz: this is Python " + sys.version.split()[0] + ", and 3.9 is needed;"
        " run it with a newer one, or use the page upcall-check.html\n"
    )
    sys.exit(2)

from upcall_grader.selfcheck.command import main

sys.exit(main())
