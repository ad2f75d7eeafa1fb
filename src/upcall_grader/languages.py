"""The languages in which the grader speaks."""

LANGUAGES = ("en", "id")
"""English is complete and the model; ``texts`` holds the words of each."""
