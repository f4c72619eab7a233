"""Who sees what: deny by default, a viewer at this machine only, tokens for everyone else."""

from __future__ import annotations

import base64

import pytest
from starlette.testclient import TestClient

from onemap.domain.scope import Permission
from onemap.store import accounts
from onemap.store.db import Db
from tests.api.conftest import Ask

BOX = "bbox=117,31,118,32"


def camera_count(client: TestClient, **headers: str) -> int | None:
    counts = client.get(f"/api/counts?{BOX}", headers=headers).json()["counts"]
    return counts["cameras"]["n"] if "cameras" in counts else None


def token_of(db: Db, role: str, areas: tuple[str, ...] | None = None) -> str:
    with db.connection() as connection:
        return accounts.add_account(connection, f"{role}-{areas}", role, areas, 1)


@pytest.mark.usefixtures("two_cameras")
def test_a_reader_at_this_machine_sees_internal_layers_but_no_restricted_rows(ask: Ask) -> None:
    assert camera_count(ask()) == 1


@pytest.mark.usefixtures("two_cameras")
@pytest.mark.parametrize(
    "client",
    [
        {"peer": "192.0.2.7"},
        {"host": "onemap.example:8000"},
        {"ONEMAP_LOCAL_ROLE": "none"},
        {"ONEMAP_HOST": "0.0.0.0"},  # noqa: S104
    ],
    ids=["from another machine", "under another name", "switched off", "listening everywhere"],
)
def test_everyone_else_is_the_public(ask: Ask, client: dict[str, str]) -> None:
    assert camera_count(ask(**client)) is None


@pytest.mark.usefixtures("two_cameras")
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_request_through_a_proxy_is_not_from_this_machine(ask: Ask, header: str) -> None:
    assert camera_count(ask(), **{header: "192.0.2.7"}) is None


@pytest.mark.usefixtures("two_cameras")
def test_a_token_opens_what_its_role_may_see(ask: Ask, db: Db) -> None:
    far = ask(peer="192.0.2.7")
    viewer, restricted = token_of(db, "viewer"), token_of(db, "restricted")
    assert camera_count(far, Authorization=f"Bearer {viewer}") == 1
    assert camera_count(far, Authorization=f"Bearer {restricted}") == 2
    basic = base64.b64encode(f"qgis:{viewer}".encode()).decode()
    assert camera_count(far, Authorization=f"Basic {basic}") == 1


@pytest.mark.usefixtures("two_cameras")
def test_an_account_of_one_area_sees_that_area(ask: Ask, db: Db) -> None:
    far = ask(peer="192.0.2.7")
    elsewhere = token_of(db, "viewer", ("990101001002",))
    assert camera_count(far, Authorization=f"Bearer {elsewhere}") == 0


def test_a_token_that_nobody_holds_is_refused(ask: Ask) -> None:
    answer = ask().get("/api/catalog", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert "not valid" in answer.json()["detail"]


@pytest.mark.usefixtures("two_cameras")
def test_signing_in_sets_a_cookie_that_signing_out_takes_back(ask: Ask, db: Db) -> None:
    far = ask(peer="192.0.2.7")
    assert far.post("/api/session", json={"token": "nonsense"}).status_code == 401
    answer = far.post("/api/session", json={"token": token_of(db, "viewer")})
    assert answer.json()["classes"] == ["internal", "public"]
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert camera_count(far) == 1
    far.delete("/api/session")
    assert camera_count(far) is None


@pytest.mark.usefixtures("two_cameras")
def test_a_layer_that_is_not_seen_does_not_exist(ask: Ask) -> None:
    far = ask(peer="192.0.2.7")
    hidden, absent = far.get("/api/features/cameras/1"), far.get("/api/features/camras/1")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.json()["detail"] == "The catalog holds no layer 'cameras'."
    restricted = ask().get("/api/features/cameras/2")
    assert restricted.json()["detail"] == "Layer 'cameras' holds no feature '2'."


def test_the_desk_may_dispatch_and_export_and_a_viewer_only_looks(ask: Ask) -> None:
    assert ask().get("/api/session").json()["may"] == ["dispatch", "export"]
    assert ask(ONEMAP_LOCAL_ROLE="viewer").get("/api/session").json()["may"] == []


def test_an_account_may_do_what_it_was_given(ask: Ask, db: Db) -> None:
    with db.connection() as connection:
        token = accounts.add_account(connection, "gateway", "public", None, 1, [Permission.POSITIONS])
    told = ask(peer="192.0.2.7").get("/api/session", headers={"Authorization": f"Bearer {token}"}).json()
    assert told["may"] == ["positions"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_page_of_another_site_changes_nothing(ask: Ask, headers: dict[str, str], status: int) -> None:
    assert ask().delete("/api/session", headers=headers).status_code == status
