"""Criteria and remarks as sentences in one language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from upcall_grader.cause import Cause
from upcall_grader.judge.results import Remark
from upcall_grader.judge.rubric import Criterion
from upcall_grader.texts import load


class Wording:
    """The sentences of one language (one of ``languages.LANGUAGES``).

    What stands in them of captures and file names is as hostile as there.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = load("remarks", language)

    def title(self, criterion: Criterion) -> str:
        """Return the criterion's own title in this language or in English, or its check's."""
        own = criterion.titles.get(self.language) or criterion.titles.get("en")
        if own:
            return own
        values = {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in criterion.parameters.items()
        }
        return self._texts[f"title.{criterion.check}"]["text"].format_map(_Values(values))

    def short_title(self, criterion: Criterion) -> str:
        """Return a word or two for a column, from the criterion's check."""
        return self._texts[f"short.{criterion.check}"]["text"]

    def text(self, remark: Remark) -> str:
        """Return the remark as a sentence."""
        return self._texts[remark.code]["text"].format_map(self._values(remark))

    def remedy(self, remark: Remark) -> str:
        """Return what to do about it; "" if there is nothing to do."""
        text = self._texts[remark.code].get("remedy", "").format_map(self._values(remark))
        # A cause's remedy, which is a part of a sentence, may stand at its beginning.
        return text[:1].upper() + text[1:]

    def cause(self, cause: Cause) -> str:
        """Return a cause as a part of a sentence."""
        return self._cause_text(cause)["text"].format_map(_Values(cause.values))

    def remedy_for(self, cause: Cause) -> str:
        """Return what to do about a cause, as a part of a sentence; "" if there is nothing."""
        return self._cause_text(cause).get("remedy", "").format_map(_Values(cause.values))

    def told(self, cause: Cause) -> str:
        """Return a cause with its remedy, as a part of a sentence."""
        return "; ".join(filter(None, (self.cause(cause), self.remedy_for(cause))))

    def _cause_text(self, cause: Cause) -> Mapping[str, str]:
        return load("causes", self.language)[cause.code]

    def _values(self, remark: Remark) -> _Values:
        """Return what fills a remark's places; a cause's remedy is there as ``<name>_remedy``."""
        values: dict[str, str | int] = {}
        for name, value in remark.values.items():
            if isinstance(value, Cause):
                values[name] = self.cause(value)
                values[f"{name}_remedy"] = self.remedy_for(value)
            else:
                values[name] = value
        return _Values(values)


class _Values(dict[str, Union[str, int]]):
    """What is not given shows as an ellipsis: a sentence with a gap is better than no page."""

    def __init__(self, values: Mapping[str, str | int]) -> None:
        super().__init__(values)

    def __missing__(self, name: str) -> str:
        return "…"
