"""What pages may load: their own files and nothing else, and no script or style inside a page of ours."""

import re

import pytest
from django.test import Client

from tests.admin.office import Office, make_office, signed_in

PAGES = (
    "/",
    "/approvals/",
    "/approvals/delegations/",
    "/approvals/questions/",
    "/treasury/",
    "/nowhere/",
    "/api/docs/",
    "/admin/login/",
)
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path)["Content-Security-Policy"]
    parts = [part.strip().partition(" ") for part in header.split(";")]
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_what_it_may_load_and_what_others_may_not(
    office: Office, path: str
) -> None:
    client = signed_in(office.cfo)
    allowed = policy(client, path)
    assert allowed["default-src"] == "'none'"
    assert allowed["frame-ancestors"] == "'none'"
    assert allowed["base-uri"] == "'none'"
    assert "unsafe-inline" not in allowed["script-src"]
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", [path for path in PAGES if not path.startswith("/admin")])
def test_outside_the_admin_nothing_is_evaluated(office: Office, path: str) -> None:
    assert policy(signed_in(office.cfo), path)["script-src"] == "'self'"


@pytest.mark.parametrize("path", [p for p in PAGES if not p.startswith(("/admin", "/api"))])
def test_our_pages_hold_no_script_and_no_style_of_their_own(office: Office, path: str) -> None:
    client = signed_in(office.cfo)
    assert policy(client, path)["style-src"] == "'self'"
    assert not INLINE.search(client.get(path).content.decode())


def test_the_evidence_of_a_request_is_under_the_same_policy(office: Office) -> None:
    row = office.request(purpose='<b onclick="x">style="</b>')
    page = signed_in(office.cfo).get(f"/approvals/?item=requisition:{row.pk}").content.decode()
    shown = page.replace("&lt;b onclick=&quot;x&quot;&gt;style=&quot;&lt;/b&gt;", "")
    assert not INLINE.search(shown)


def test_the_admin_has_the_two_exceptions_it_needs(office: Office) -> None:
    allowed = policy(signed_in(office.cfo), "/admin/")
    assert allowed["script-src"] == "'self' 'unsafe-eval'"
    assert allowed["style-src"] == "'self' 'unsafe-inline'"
