"""Text as every part of this project writes it; standard library alone.

``plain``  hostile text with escapes for whatever does not print as itself
``cells``  text as a cell of a table, which a spreadsheet shows and does not run
"""
