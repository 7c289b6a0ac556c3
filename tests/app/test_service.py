"""Tests of `nmt.app.service`: who is translated, in which order, and who is not."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from nmt.app.service import MAX_WAITING, Gone, Refused, Service


class Client:
    """Who waits for an answer, until `left` is set; `came` says that it is queued."""

    def __init__(self):
        self.came = threading.Event()
        self.left = False

    def is_here(self):
        self.came.set()
        return not self.left


class Office:
    """A service that is held up by its first text until `may_go_on` is set."""

    def __init__(self, pool):
        self.texts, self.may_go_on = [], threading.Event()
        self.service = Service(self._translate, payload=str.upper, beam_size=1)
        self._pool = pool

    def _translate(self, text, beam_size, prefix):
        self.texts.append(text)
        self.may_go_on.wait(30)
        return text

    def send(self, text):
        """Send a text; give its client and its answer, once it is in the queue."""
        client = Client()
        body = json.dumps({"text": text}).encode()
        answer = self._pool.submit(self.service.answer, body, client)
        assert client.came.wait(30)
        return client, answer


@contextmanager
def opened():
    with ThreadPoolExecutor(MAX_WAITING + 3) as pool:
        office = Office(pool)
        try:
            yield office
        finally:
            office.may_go_on.set()


def test_who_comes_first_is_translated_first():
    with opened() as office:
        answers = [office.send(text)[1] for text in "abcdef"]
        office.may_go_on.set()
        assert [answer.result(30) for answer in answers] == list("ABCDEF")
    assert office.texts == list("abcdef")


def test_who_has_left_is_not_translated():
    with opened() as office:
        (_, first), (gone, never), (_, second) = map(office.send, "abc")
        gone.left = True
        office.may_go_on.set()
        assert (first.result(30), second.result(30)) == ("A", "C")
        with pytest.raises(Gone):
            never.result(30)
    assert office.texts == ["a", "c"]


def test_who_has_left_before_it_came_is_not_translated():
    client = Client()
    client.left = True
    with opened() as office, pytest.raises(Gone):
        office.service.answer(b'{"text": "a"}', client)
    assert office.texts == []


def test_so_many_wait_and_the_next_is_told_when_to_come_again():
    with opened() as office:
        sent = [office.send(str(number)) for number in range(1 + MAX_WAITING)]
        with pytest.raises(Refused, match="Busy: 8 others are waiting") as refusal:
            office.service.answer(b'{"text": "next"}', Client())
        assert refusal.value.status == 503
        assert refusal.value.headers == {"Retry-After": "5"}
        # Who leaves makes room, before any translation has ended.
        sent[3][0].left = True
        _, late = office.send("late")
        with pytest.raises(Gone):
            sent[3][1].result(30)
        office.may_go_on.set()
        assert late.result(30) == "LATE"
    assert office.texts == ["0", "1", "2", "4", "5", "6", "7", "8", "late"]


def test_a_translation_that_fails_lets_the_next_one_begin():
    def fail(text, beam_size, prefix):
        raise RuntimeError(text)

    service = Service(fail, payload=str.upper, beam_size=1)
    for text in "ab":
        with pytest.raises(RuntimeError, match=text):
            service.answer(json.dumps({"text": text}).encode(), Client())


def test_at_the_end_no_translation_is_begun_and_the_one_under_way_goes_on():
    with opened() as office:
        (_, first), (_, second) = map(office.send, "ab")
        office.service.stop()
        with pytest.raises(Refused, match="about to end") as refusal:
            second.result(30)
        assert refusal.value.status == 503
        with pytest.raises(Refused, match="about to end"):
            office.service.answer(b'{"text": "c"}', Client())
        office.may_go_on.set()
        assert first.result(30) == "A"
    assert office.texts == ["a"]
