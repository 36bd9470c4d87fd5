import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Reason
from mqttbridge.mapping.formats import format_of
from mqttbridge.mapping.unusable import Unusable


def parser(**boolean):
    rule = {"topic": "t", "bucket": "b", "stream": "x", "format": "boolean", "boolean": boolean}
    return format_of(Config.model_validate({"rules": [rule]}).rules[0]).parse


def test_the_words_are_the_rules_own():
    parse = parser(true_words=["Auf", "läuft"], false_words=["zu"])

    assert [parse(word.encode()) for word in ("auf", " AUF\n", "LÄUFT", "Zu")] == [True, True, True, False]
    with pytest.raises(Unusable) as caught:
        parse(b"on")
    assert (caught.value.reason, caught.value.detail) == (Reason.MALFORMED, 'expected Auf or zu (got "on")')


def test_words_of_one_side_leave_the_other_as_it_is():
    parse = parser(true_words=["alarm"])

    assert (parse(b"alarm"), parse(b"off")) == (True, False)


@pytest.mark.parametrize("payload", [b"", b"\xff"])
def test_what_is_no_text_is_refused(payload):
    with pytest.raises(Unusable):
        parser(true_words=["a"])(payload)


def test_a_word_cannot_be_both():
    with pytest.raises(ValueError, match="'off' cannot be both true and false"):
        parser(true_words=["OFF"])
