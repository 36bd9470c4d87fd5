"""What a payload holds beside the fields that its rule's model names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import MAX_FIELDS, Fields, flatten
from mqttbridge.mapping.paths import EACH, Path, path_text
from mqttbridge.mapping.unusable import Unusable, named


@dataclass(frozen=True, slots=True)
class Extras:
    """What to do with it.

    Attributes:
        known: where in the payload all stands that the rule names.
        reject: whether anything else rejects the message; else it is stored as it is.
    """

    known: tuple[Path, ...]
    reject: bool

    def of(self, document: Any) -> Fields:
        """The fields that the model does not name, flattened.

        Raises:
            Unusable: there are any, and they are to be rejected; or they cannot be stored.
        """
        extra: dict[str, Any] = {}
        for path, value in _beside(document, self.known, ()):
            name = path_text(path)
            if self.reject:
                raise Unusable(Reason.VALIDATION, f"{named(name)}: the model names no such field")
            if not all(path):
                where = named(path_text(path[:-1])) if path[1:] else "the object"
                raise Unusable(Reason.BAD_NAME, f"{where} has an empty key")
            extra[name] = value
            if len(extra) > MAX_FIELDS:
                raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_FIELDS} fields")
        return flatten(extra)

    def added(self, fields: Fields, document: Any) -> Fields:
        """The model's fields of a message, and these after them.

        Raises:
            Unusable: see `of`; or two fields have the same name.
        """
        extra = self.of(document)
        for name in extra.keys() & fields.keys():
            raise Unusable(Reason.DUPLICATE_KEYS, f"{named(name)} stands in the payload twice")
        return fields | extra


def _beside(document: Any, known: Sequence[Path], where: Path) -> Iterator[tuple[Path, Any]]:
    """Everything in an object or list that no known path leads to, with its path."""
    for key, value in _items(document):
        ahead = [path[1:] for path in known if path and path[0] in (key, EACH)]
        if not all(ahead) or ("." in key and any(".".join(path) == key for path in known)):
            continue
        if ahead and type(value) in (dict, list):
            yield from _beside(value, ahead, (*where, key))
        else:
            yield (*where, key), value


def _items(document: Any) -> Iterable[tuple[str, Any]]:
    if type(document) is dict:
        return document.items()
    return ((str(index), item) for index, item in enumerate(document)) if type(document) is list else ()
