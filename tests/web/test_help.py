"""The guide inside the product, the tour over the real pages, and the first steps on the dashboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from csp_web.blueprints.help.guide import guide, picture_size
from csp_web.blueprints.help.topics import TOPICS
from csp_web.config import ROOT
from csp_web.db import session, transaction
from csp_web.domain.tour_world import sample
from csp_web.domain.upkeep.installation import install_rules
from csp_web.i18n import catalogue
from csp_web.models import Customer, OutboxMessage, OutboxState, UserRole
from tests.i18n.extraction import texts
from tests.support.accounts import send
from tests.support.statements import counted_statements
from tests.support.stock import bought
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

GUIDES = ("en", "ru")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
PICTURE = re.compile(r"!\[([^\]]*)\]\(\.\./pictures/([^)]+)\)")
MOST_BYTES = 60 * 1024


def written(language: str) -> str:
    return (ROOT / "docs" / "users" / f"{language}.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the guide


def test_b13_both_guides_have_the_same_topics_tasks_and_pictures() -> None:
    english, russian = guide(ROOT, "en"), guide(ROOT, "ru")
    assert [topic.anchor for topic in english.topics] == [topic.anchor for topic in russian.topics]
    assert list(english.topic_of) == list(russian.topic_of)
    names = [[name for _alt, name in PICTURE.findall(written(language))] for language in GUIDES]
    assert [name.replace("en/", "ru/") for name in names[0]] == names[1]


SHAPES = re.compile(r"#+ |<a id=\"[^\"]+\">|\s*- |\s*\d+\. |\||```|!\[|$")


def shape(language: str) -> list[str]:
    """The bones of a guide: headings with their anchors, points, steps, rows, pictures and paragraphs, line by line."""
    bones: list[str] = []
    for line in written(language).splitlines():
        found = SHAPES.match(line)
        kind = re.sub(r"\d+\.", "1.", found[0].strip()) if found else "text"
        if kind != "text" or not bones or not bones[-1] or bones[-1].startswith("#"):
            bones.append(kind)
    return bones


def test_b13_what_one_guide_tells_the_other_tells_too() -> None:
    assert shape("en") == shape("ru")


def test_what_is_bold_in_the_guide_is_written_so_on_the_pages() -> None:
    """A label that was renamed makes the guide untrue; so does one that is translated otherwise."""
    known = {
        text
        for message in texts()
        if message.id
        for text in ([message.id] if isinstance(message.id, str) else message.id)
    }
    assert set(BOLD.findall(written("en"))) - known == {"bold"}
    said = set(catalogue("ru").one.values())
    untranslated = known - set(catalogue("ru").one)
    missing = {" ".join(bold.split()) for bold in BOLD.findall(written("ru"))} - said - {"Жирным"}
    assert not missing or untranslated, f"not written so on any page: {sorted(missing)}"


@pytest.mark.parametrize("language", GUIDES)
def test_pictures_are_there_small_and_described(language: str) -> None:
    found = PICTURE.findall(written(language))
    files = {path.name for path in (ROOT / "docs" / "pictures" / language).iterdir()}
    assert {Path(name).name for _alt, name in found} == files
    assert len(files) <= 12
    for alt, name in found:
        assert alt
        assert (ROOT / "docs" / "pictures" / name).stat().st_size <= MOST_BYTES, name
        assert picture_size(ROOT, name)[0] <= 1280, name


def test_b13_pictures_are_folded_so_that_a_topic_loads_in_a_moment() -> None:
    """Browsers do not load what lies in a folded part and says that it is lazy."""
    drawn = [body for topic in guide(ROOT, "ru").topics for body in (topic.body, *(task.body for task in topic.tasks))]
    assert len(re.findall(r"<img ", "".join(drawn))) == len(PICTURE.findall(written("ru")))
    folded = re.compile(r'<details class="picture"><summary>[^<]+</summary><img [^>]*loading="lazy"[^>]*></details>')
    assert not any("<img" in folded.sub("", body) for body in drawn)


def test_html_in_the_guide_is_text(tmp_path: Path) -> None:
    (tmp_path / "docs" / "users").mkdir(parents=True)
    text = '# G\n\n<script>x</script>\n\n<a id="one"></a>\n## One\n\n<img src=x onerror=y> [off](javascript:alert(1))\n'
    (tmp_path / "docs" / "users" / "en.md").write_text(text)
    made = guide(tmp_path, "en")
    assert "<script" not in made.intro
    assert "<img" not in made.topics[0].body
    assert "javascript:" not in re.sub(r">[^<]*<", "><", made.topics[0].body)


def test_every_topic_opens_and_no_link_in_it_is_dead(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    found = guide(ROOT, "en")
    contents = alice.get("/help").text
    whole = alice.get("/help/all").text
    for topic in found.topics:
        page = alice.get(f"/help/{topic.anchor}")
        assert page.status_code == 200
        assert f'href="/help/{topic.anchor}"' in contents
        for target in re.findall(r'href="(/help[^"#]*)(?:#[^"]*)?"', page.text):
            assert alice.get(target).status_code == 200, target
        for task in topic.tasks:
            assert f'id="{task.anchor}"' in page.text
            assert f'id="{task.anchor}"' in whole
    assert alice.get("/help/no-such-topic").status_code == 404


def test_pictures_are_served_and_nothing_else_is(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/help/pictures/en/05-software.webp")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert (
        client.get("/help/pictures/en/05-software.webp", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )
    for address in ("en/..%2f..%2fusers%2fen.md", "en/none.webp", "de/05-software.webp", "en/%2e%2e"):
        assert client.get(f"/help/pictures/{address}").status_code == 404, address


def test_help_leads_to_the_topic_of_the_page(app: Flask, world: World) -> None:
    alice, olga = world.sign_in(app, "alice"), world.sign_in(app, "olga")
    assert 'href="/help/customers"' in alice.get("/customers").text
    assert 'href="/help/users"' in alice.get("/users").text
    assert 'href="/help/stock"' in olga.get("/admin/keys").text
    assert set(TOPICS.values()) <= {topic.anchor for topic in guide(ROOT, "en").topics}


def test_every_what_is_this_leads_to_a_section_that_there_is() -> None:
    topic_of = guide(ROOT, "en").topic_of
    named = {
        match
        for path in (ROOT / "templates").rglob("*.html")
        for match in re.findall(r"/help/([a-z]+)(?:#([a-z-]+))?'", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [(topic, anchor) for topic, anchor in named if topic_of.get(anchor or topic) != topic] == []


# ---------------------------------------------------------------- the tour


@pytest.mark.parametrize("name", ["alice", "bob", "helen", "bill", "audrey", "sam", "olga"])
def test_every_role_can_walk_its_whole_tour(app: Flask, world: World, name: str) -> None:
    """Every stop opens its page, which says where one is; nobody is led to a page that is refused."""
    with transaction():
        install_rules()
    bought(world)
    client = world.sign_in(app, name)
    contents = client.get("/tour")
    stops = re.findall(r'href="(/tour/go\?to=[a-z]+)"', contents.text)
    assert stops
    for number, stop in enumerate(stops, 1):
        page = client.get(stop, follow_redirects=True)
        assert page.status_code == 200, stop
        assert f"Step {number} of {len(stops)}" in page.text
        assert ("Next step" in page.text) == (number < len(stops))


def test_the_tour_stays_until_it_is_ended_and_can_begin_again(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    alice.get("/tour/go?to=customer")
    assert "This page is not on the tour" in alice.get("/account").text
    ended = send(alice, "/tour/end", page="/customers", next="/customers")
    assert ended.location == "/customers"
    assert "tour-box" not in alice.get("/customers").text
    assert "Step 1 of" in alice.get("/tour/go", follow_redirects=True).text
    assert alice.get("/tour/go?to=nowhere").status_code == 404


def test_a_stop_says_what_the_role_may_not_do(app: Flask, world: World) -> None:
    audrey = world.sign_in(app, "audrey")
    assert "This needs the role: Admin agent" in audrey.get("/tour/go?to=keys", follow_redirects=True).text


def test_the_tour_says_when_there_is_nothing_of_the_kind_yet(app: Flask, world: World) -> None:
    """In a new installation nobody is told of offers on a page that has none."""
    stands_in = "so another page stands in for it"
    alice = world.sign_in(app, "alice")
    assert stands_in in alice.get("/tour/go?to=products", follow_redirects=True).text
    assert stands_in not in alice.get("/tour/go?to=customer", follow_redirects=True).text
    bought(world)
    assert stands_in not in alice.get("/tour/go?to=products", follow_redirects=True).text


def test_the_tour_of_the_desk_begins_with_what_waits(app: Flask, world: World) -> None:
    """A support agent opens no requests, so no stop begins by refusing that."""
    sam = world.sign_in(app, "sam")
    first = sam.get("/tour/go", follow_redirects=True).text
    assert "What waits" in first
    assert "This needs the role" not in first


def test_s1_the_tour_shows_only_ones_own(app: Flask, world: World) -> None:
    bought(world)
    assert sample(world.actor("alice")).customer
    assert sample(world.actor("charlie")) == sample(world.actor("sam"))
    assert not sample(world.actor("charlie")).line


def test_pages_without_a_tour_ask_nothing_more(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    alice.get("/customers")
    with counted_statements() as before:
        alice.get("/customers")
    alice.get("/tour/go?to=customer")
    with counted_statements() as during:
        alice.get("/customers")
    assert len(during) == len(before)


# ---------------------------------------------------------------- first steps


def test_first_steps_follow_what_is_there(app: Flask, world: World) -> None:
    """Never from ticked boxes: what is done is read from the records."""
    olga = world.sign_in(app, "olga")
    page = olga.get("/").text
    assert 'href="/admin/outbox/test"' in page
    assert 'href="/admin/catalogue"' in page
    with transaction():
        session.add(OutboxMessage(message_id="<1@x>", recipient="a@b.c", subject="s", body="b", state=OutboxState.SENT))
    steps = re.search(r'id="first-steps".*?</section>', olga.get("/").text, re.DOTALL)
    assert steps
    assert 'href="/admin/outbox/test"' not in steps[0]


def test_first_steps_of_an_admin_agent_end_with_the_first_order(app: Flask, world: World) -> None:
    alice, bob = world.sign_in(app, "alice"), world.sign_in(app, "bob")
    page = alice.get("/").text
    assert "Place your first order" in page
    assert 'id="first-steps"' not in bob.get("/").text
    bought(world)
    assert 'id="first-steps"' not in alice.get("/").text


def test_first_steps_can_be_dismissed_by_each_person(app: Flask, world: World) -> None:
    alice = world.sign_in(app, "alice")
    assert 'id="first-steps"' in alice.get("/").text
    answer = send(alice, "/first-steps/dismissal", page="/")
    assert "HttpOnly" in answer.headers["Set-Cookie"] or "HttpOnly" in str(answer.headers.getlist("Set-Cookie"))
    assert 'id="first-steps"' not in alice.get("/").text
    assert "Place your first order" in alice.get("/tour").text


def test_a_partner_without_customers_is_led_to_add_one(app: Flask, world: World) -> None:
    with transaction():
        session.execute(delete(Customer).where(Customer.partner_id == world.partners["fabrikam"]))
    assert 'href="/customers/new"' in world.sign_in(app, "charlie").get("/").text


def test_whoever_has_no_role_gets_no_tour_and_no_error(app: Flask, world: World) -> None:
    with transaction():
        session.execute(delete(UserRole).where(UserRole.user_id == world.people["bob"]))
    bob = world.sign_in(app, "bob")
    assert bob.get("/tour").status_code == 200
    assert bob.get("/tour/go").status_code == 404
