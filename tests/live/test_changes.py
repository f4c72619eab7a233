"""What happens to events reaches everybody who may see it, once, in order, also those who were away."""

from __future__ import annotations

import asyncio
import urllib.request

import psycopg
import pytest
from psycopg import sql

from onemap.domain.layer import Catalog
from onemap.domain.scope import PUBLIC, STAFF
from onemap.errors import TooBusy
from onemap.live.changes import LiveChanges
from onemap.store import accounts, changes
from onemap.store.db import AsyncDb, Db
from tests.live.conftest import Serving

HERE, ELSEWHERE = "990101001001", "990102001001"


def report(db: Db, *numbers: str, area: str = HERE) -> None:
    with db.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, geom) "
            "VALUES (%s, %s, '示例', 'gas', 1, 'reported', now(), ST_Point(117.3, 31.7, 4490))",
            [(number, area) for number in numbers],
        )


def execute(db: Db, query: str, *values: object) -> None:
    with db.connection() as connection:
        connection.execute(sql.SQL(query), values or None)


def test_a_change_arrives_as_the_event_is_now(server: Serving, db: Db) -> None:
    stream = server.listen()
    hello = stream.next()
    assert (hello.event, hello.data["demo"], hello.id) == ("hello", False, str(hello.data["seq"]))
    report(db, "A")
    told = stream.next("change")
    assert (told.data["op"], told.data["event"]["event_no"], told.data["event"]["state"]) == ("upsert", "A", "reported")
    assert told.id == str(told.data["seq"])
    assert told.data["seq"] > hello.data["seq"]
    execute(db, "DELETE FROM core.event WHERE event_no = %s", "A")
    gone = stream.next("change")
    assert (gone.data["op"], gone.data["event_no"], gone.data["event"]) == ("delete", "A", None)


def test_whoever_was_away_hears_what_was_missed_once(server: Serving, db: Db) -> None:
    stream = server.listen()
    stream.next("hello")
    report(db, "A")
    last = stream.next("change").id
    stream.close()
    report(db, "B", "C")
    execute(db, "UPDATE core.event SET state = 'accepted' WHERE event_no = %s", "B")
    for again in (server.listen(last=last), server.listen(since=last)):
        assert again.next().id == last
        missed = [again.next(), again.next()]
        assert [(one.event, one.data["event_no"]) for one in missed] == [("change", "C"), ("change", "B")]
        assert missed[1].data["event"]["state"] == "accepted"
    up_to_date = server.listen(last=missed[1].id)
    up_to_date.next("hello")
    report(db, "D")
    assert up_to_date.next("change").data["event_no"] == "D"


def test_a_reader_of_one_community_hears_of_no_other_and_that_an_event_left(server: Serving, db: Db) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "one", "viewer", (HERE,), 1)
    stream = server.listen(token)
    stream.next("hello")
    report(db, "elsewhere", area=ELSEWHERE)
    execute(db, "DELETE FROM core.event WHERE event_no = %s", "elsewhere")
    report(db, "here")
    assert stream.next("change").data["event_no"] == "here"
    execute(db, "UPDATE core.event SET area_code = %s WHERE event_no = 'here'", ELSEWHERE)
    left = stream.next("change")
    assert (left.data["op"], left.data["event_no"], left.data["event"]) == ("delete", "here", None)
    execute(db, "UPDATE core.event SET area_code = %s WHERE event_no = 'here'", HERE)
    assert stream.next("change").data["op"] == "upsert"


def test_the_public_hears_of_public_layers_only(server: Serving, db: Db, catalog: Catalog) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "board", "public", None, 1)
    stream = server.listen(token)
    assert stream.next().event == "hello"
    report(db, "secret")
    execute(
        db,
        "INSERT INTO layer.cameras (camera_id, camera_class, area_code, geom) "
        "VALUES ('c', 'childcare', %s, ST_Point(117.3, 31.7, 4490))", HERE,
    )  # fmt: skip
    execute(
        db,
        "INSERT INTO layer.facilities (facility_id, name, category, area_code, geom) "
        "VALUES ('f', '示例', 'market', %s, ST_Point(117.3, 31.7, 4490))", HERE,
    )  # fmt: skip
    told = []
    while "facilities" not in told:
        one = stream.next()
        assert one.event == "layer"
        told.append(one.data["layer"])
    public = {layer.name for layer in catalog if PUBLIC.sees(layer)}
    assert "cameras" not in public
    assert set(told) <= public


def test_an_import_of_very_many_events_is_told_as_one_reset(server: Serving, db: Db) -> None:
    stream = server.listen()
    stream.next("hello")
    execute(
        db,
        "INSERT INTO core.event (event_no, title, kind, level, state, reported_at, geom) "
        "SELECT 'M' || n, '示例', 'gas', 1, 'reported', now(), ST_Point(117.3, 31.7, 4490) FROM generate_series(1, %s) AS n",
        2001,
    )
    assert stream.next("change", "reset").event == "reset"
    execute(db, "UPDATE core.event SET state = 'accepted' WHERE event_no = %s", "M7")
    assert stream.next("change", "reset").data["event_no"] == "M7"
    with db.connection() as connection:
        connection.execute("TRUNCATE core.event CASCADE")
    assert stream.next("change", "reset").event == "reset"


def test_who_was_away_too_long_is_told_to_load_everything(server: Serving, db: Db) -> None:
    report(db, "A", "B", "C")
    execute(db, "DELETE FROM core.change WHERE seq < (SELECT max(seq) FROM core.change)")
    for place in ("0", "999999"):
        stream = server.listen(last=place)
        assert [stream.next().event, stream.next().event] == ["hello", "reset"]


def test_a_number_never_appears_after_a_higher_one(database: str, catalog: Catalog) -> None:
    # the slow writer writes first and commits last: by order of writing it would be missed
    insert = (
        "INSERT INTO core.event (event_no, area_code, title, kind, level, state, reported_at, geom) "
        "VALUES (%s, %s, '示例', 'gas', 1, 'reported', %s, ST_Point(117.3, 31.7, 4490))"
    )

    async def numbers(since: int) -> list[str]:
        adb = await AsyncDb(database, max_size=1).open()
        found = await changes.changes_since(adb, catalog.layer("events"), STAFF, since)
        await adb.close()
        return [one.event_no for one in found.changes]

    with psycopg.connect(database) as slow, psycopg.connect(database, autocommit=True) as quick:
        slow.execute(insert, ("slow", HERE, "2026-05-06"))
        quick.execute(insert, ("quick", ELSEWHERE, "2026-05-07"))
        assert asyncio.run(numbers(0)) == ["quick"]
        slow.commit()
        assert asyncio.run(numbers(1)) == ["slow"]


def test_streams_are_bounded_and_end_when_the_server_does(database: str, catalog: Catalog) -> None:
    async def story() -> None:
        adb = await AsyncDb(database, max_size=2).open()
        live = LiveChanges(adb, catalog, most_streams=1)

        async def yes() -> bool:
            return True

        first = await live.follow(STAFF, None, yes)
        assert b"event: hello" in await anext(first)
        with pytest.raises(TooBusy, match="1 screens follow"):
            await live.follow(PUBLIC, None, yes)
        waiting = asyncio.create_task(anext(first, b"the end"))
        await asyncio.sleep(0)
        live.close()
        assert await waiting == b"the end"
        with pytest.raises(TooBusy, match="stopping"):
            await live.follow(STAFF, None, yes)
        await adb.close()

    asyncio.run(story())


def test_a_reader_who_may_not_listen_any_more_is_let_go(
    database: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onemap.live.changes.PING_S", 0.01)

    async def story() -> list[bytes]:
        adb = await AsyncDb(database, max_size=2).open()
        answers = [True, True, False]

        async def allowed() -> bool:
            return answers.pop(0)

        frames = [frame async for frame in await LiveChanges(adb, catalog).follow(STAFF, None, allowed)]
        await adb.close()
        return frames

    frames = asyncio.run(story())
    assert [frame.startswith(b":") for frame in frames] == [False, True, True]


def test_a_listener_who_goes_is_forgotten(server: Serving) -> None:
    def n_streams() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
            return next(line for line in answer.read().decode().splitlines() if line.startswith("onemap_streams "))

    streams = [server.listen() for _ in range(5)]
    for stream in streams:
        stream.next("hello")
    assert n_streams() == "onemap_streams 5.0"
    for stream in streams:
        stream.close()
    for _ in range(1000):
        if n_streams() == "onemap_streams 0.0":
            return
    pytest.fail("Streams stay open though nobody listens.")
