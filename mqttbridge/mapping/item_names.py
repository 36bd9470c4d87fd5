"""Names of the items of a list: by index, or by what stands beside them, as `{sensors[*].name}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mqttbridge.mapping.message_names import text_of
from mqttbridge.mapping.paths import EACH, Path, find, parse_path, path_text
from mqttbridge.mapping.templates import FIELD, InvalidTemplate, Template, parse_template

_INDEX: Final = "index"


@dataclass(frozen=True, slots=True)
class ItemNamer:
    """Names the items of one field.

    Attributes:
        field: the field's name.
        path: the field's, with `[*]` in it.
        template: of the items' names; None gives `field.0`, `field.1` and so on.
        beside: what the template takes from the payload.
    """

    field: str
    path: Path
    template: Template | None
    beside: tuple[Path, ...]

    def __call__(self, document: Any, found: Path) -> str:
        """The name of an item.

        Args:
            document: the object that the field's model describes.
            found: the path from there to the item.

        Raises:
            Unusable: what it is named by is missing, or no name can be made of it.
        """
        indexes = [where for part, where in zip(self.path, found, strict=True) if part == EACH]
        index = ".".join(indexes)
        if self.template is None:
            return f"{self.field}.{index}"
        values = {_INDEX: index}
        for path in self.beside:
            name = path_text(path)
            values[name] = text_of(find(document, _along(path, indexes)), name)
        return self.template.join(self.field, self.template.bind(values))


def item_namer(field: str, template_text: str | None, path: Path) -> ItemNamer:
    """What names the items of a field, by its `as` if it has one.

    Raises:
        InvalidTemplate: it is no template, or names what cannot be told of an item.
    """
    if template_text is None:
        return ItemNamer(field, path, None, ())
    template = parse_template(
        template_text, (FIELD, _INDEX), lambda name: name not in (FIELD, _INDEX) and _is_beside(name, path)
    )
    names = [name for name in dict.fromkeys(template.names) if name not in (FIELD, _INDEX)]
    beside = tuple(parse_path(name, each=True) for name in names)
    if _INDEX not in template.names and not any(EACH in other for other in beside):
        raise InvalidTemplate("gives all items one name: it needs {index}, or something of each item")
    return ItemNamer(field, path, template, beside)


def _is_beside(name: str, path: Path) -> bool:
    """Whether a name is a path whose every `[*]` is one that the field's path has as well.

    Raises:
        ValueError: it is not.
    """
    other = parse_path(name, each=True)
    last = max((place for place, part in enumerate(other) if part == EACH), default=-1)
    if other[: last + 1] != path[: last + 1]:
        raise ValueError(f"{{{name}}} is not beside an item: up to its '[*]' it must be as {path_text(path)!r}")
    return True


def _along(path: Path, indexes: Sequence[str]) -> Path:
    """The path to what stands beside the item at these indexes."""
    ahead = iter(indexes)
    return tuple(next(ahead) if part == EACH else part for part in path)
