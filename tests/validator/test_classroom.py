"""A class: one row for each person, who is stuck where, and whose work is the same."""

import csv
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validator import tiny
from validator.classroom import html, tables
from validator.classroom.html import as_html
from validator.classroom.room import classroom, copies, from_file, learner, remarks, unreadable
from validator.classroom.tables import as_csv, as_json, as_text
from validator.engine import Check
from validator.look import Look, clean, columns
from validator.progress import digest
from validator.snapshot import Unreadable, text
from validator.verdicts import Verdict, blocked, converging, could_not_check, not_started, wrong

PLAIN = Look(width=80, symbols=False)
SINCE = datetime(2026, 11, 25, 9, tzinfo=UTC)
FOUND = {
    "done": None,
    "wrong": wrong("count", "--max-steps is 50", "500", "Write 500."),
    "starting": converging("starting", "it starts", "it ran", "Wait.", since=SINCE),
    "training": converging("training", "it trains", "it ran", "Wait.", patience_seconds=1e9,
                           since=SINCE),
    "unsure": could_not_check("forbidden", "no permission", "the right to read", "Ask."),
    "blocked": blocked("operator", "no operator", "an operator", "Install it."),
}  # fmt: skip
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)


def judge(name):
    """An annotation on the TfJob ``name`` says how the exercise goes."""

    def judged(seen):
        state = text(seen.object, "metadata", "annotations", "state")
        if not seen.object:
            return not_started("none", f"no TfJob {name}", f"a TfJob {name}", "Make it.")
        if state.startswith("found "):
            return wrong("count", state.removeprefix("found "), "500", "Write 500.")
        if state == "unreadable":
            raise Unreadable("pods", 403, "no")
        return FOUND[state]

    return judged


@pytest.fixture(autouse=True, scope="module")
def _two_exercises_and_a_bonus():
    with tiny.no_exercises():
        for number, name in (("5.1", "one"), ("5.10", "ten"), ("5.2", "two")):
            check = Check("steps", "It asks for 500 steps.", judge(name))
            tiny.register(number, check, subject=tiny.Thing(name), title=f"Exercise {name}",
                          optional=name == "ten")  # fmt: skip
        yield


def snapshot(one="", two="", uid="", identity=None, **more):
    """The data of a snapshot in which the exercises 5.1 and 5.2 are in these states."""
    states = {"one": one, "two": two}
    tfjobs = [tiny.tfjob(name, f"{uid}-{name}" if uid else "", state=state)
              for name, state in states.items() if state]  # fmt: skip
    return tiny.data(*tfjobs, **more) | ({"identity": identity} if identity else {})


def room(*learners):
    return classroom(learners)


def ann(one="", two="", name="ann", **more):
    return learner(f"{name}.json", snapshot(one, two, uid=name, **more))


def verdicts(row):
    return [one.verdict.value for one in row.grades]


class TestOneSnapshot:
    def test_all_exercises_are_graded_in_order_with_the_bonus(self):
        row = ann("done", "wrong")
        assert [one.exercise.number for one in row.grades] == ["5.1", "5.2", "5.10"]
        assert verdicts(row) == ["done", "wrong", "not started"]

    def test_a_bonus_is_not_counted(self):
        data = tiny.data(tiny.tfjob("ten", state="done"))
        assert learner("ann.json", data).done == 0

    @pytest.mark.parametrize(
        ("identity", "name"),
        [
            pytest.param({"name": "Ann B", "user": "ann"}, "Ann B", id="the name that was given"),
            pytest.param({"user": "ann"}, "ann", id="else the user of the cluster"),
            pytest.param({}, "file", id="else the name of the file"),
            pytest.param({"name": " \u202e ", "user": ["x"]}, "file", id="else, what is no text"),
            pytest.param({"name": 7}, "file", id="a number is no name"),
            pytest.param("ann", "file", id="an identity of another shape"),
        ],
    )
    def test_who_it_is(self, identity, name):
        assert learner("class/file.json", snapshot(identity=identity)).name == name

    def test_a_namespace_of_a_live_cluster_has_its_own_name(self):
        row = learner("class-01", snapshot(identity={"user": "instructor"}), name="class-01")
        assert (row.name, row.identity) == ("class-01", {})

    def test_a_digest_that_matches_says_nothing(self):
        data = snapshot("done")
        assert learner("a.json", data | {"identity": {"digest": digest(data)}}).notes == []

    def test_one_that_does_not_match_is_noted(self):
        data = snapshot("done", identity={"digest": digest(snapshot("wrong"))})
        assert learner("a.json", data).notes == [
            "the digest does not match: the file was changed after the validator wrote it"
        ]

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            pytest.param(b"", "it is not JSON", id="an empty file"),
            pytest.param(b'{"version": 2, ', "it is not JSON", id="a file that was cut"),
            pytest.param(b"\xff\xfe\x00", "it is not JSON", id="not text"),
            pytest.param(b"[" * 100_000, "it is not JSON", id="without an end"),
            pytest.param(b"[]", "it is not a snapshot", id="another shape"),
            pytest.param(b'{"version": 99}', "it is not a snapshot", id="another version"),
            pytest.param(
                json.dumps(snapshot() | {"objects": []}).encode(), "it is not a snapshot",
                id="a section of another shape"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_a_row_that_says_so(self, content, error):
        row = from_file("class/ann.json", content)
        assert row.name == "ann"
        assert row.error.startswith(error)
        assert room(row).exit_code == 6

    def test_what_can_be_read_exits_with_0_whatever_it_shows(self):
        row = from_file("ann.json", json.dumps(snapshot("wrong", "unreadable")).encode())
        assert room(row).exit_code == 0

    @pytest.mark.parametrize("taken", ["0001-01-01T00:00:00+14:00", "soon", None, 7, [1]])
    def test_a_time_that_is_none_stops_nothing(self, taken):
        row = learner("a.json", snapshot("done", taken=taken))
        assert (row.error, row.taken) == ("", None)


class TestOnePerson:
    def both(self, first, second, **identity):
        who = {"name": "Ann", **identity}
        early = snapshot(*first, taken="2026-11-25T10:00:00Z", identity=who)
        late = snapshot(*second, taken="2026-11-26T10:00:00Z", identity=who)
        return room(learner("1.json", early), learner("2.json", late)).learners

    @pytest.mark.parametrize(
        ("before", "after", "counts"),
        [
            pytest.param("done", "", "done", id="what was cleaned up stays done"),
            pytest.param("", "done", "done", id="what came later is done"),
            pytest.param("done", "wrong", "done", id="what broke later was done"),
            pytest.param("wrong", "", "wrong", id="what was begun says more than nothing"),
            pytest.param("wrong", "training", "converging", id="of two tries the newest counts"),
            pytest.param("training", "wrong", "wrong", id="also where it got worse"),
            pytest.param("unsure", "", "not started", id="what could not be checked says least"),
        ],
    )
    def test_of_several_snapshots_what_shows_most_counts(self, before, after, counts):
        (row,) = self.both([before], [after])
        assert verdicts(row)[0] == counts

    def test_the_row_says_what_it_was_made_of(self):
        (row,) = self.both(["done"], [""])
        assert row.source == "1.json, 2.json"
        assert row.notes == ["2 snapshots count together: 1.json and 2.json"]
        assert row.taken == datetime(2026, 11, 26, 10, tzinfo=UTC)

    def test_one_snapshot_in_two_files_is_noted(self):
        data = snapshot("done", identity={"user": "ann", "cluster": "c"})
        (row,) = room(learner("ann.json", data), learner("ben.json", data)).learners
        assert "ann.json and ben.json are the same snapshot" in row.notes[1]

    def test_what_a_file_alone_had_to_say_keeps_its_name(self):
        (row,) = self.both(["done"], [""], digest="x")
        assert "2.json: the digest does not match" in row.notes[1]

    @pytest.mark.parametrize(
        ("first", "second", "rows"),
        [
            pytest.param({"user": "admin", "cluster": "a"}, {"user": "admin", "cluster": "a"}, 1,
                         id="one user of one cluster is one person"),
            pytest.param({"user": "admin", "cluster": "a"}, {"user": "admin", "cluster": "b"}, 2,
                         id="one user of two clusters may be two"),
            pytest.param({"user": "admin"}, {"user": "admin"}, 2, id="a user alone says nothing"),
            pytest.param({}, {}, 2, id="two files without identity are two"),
            pytest.param({"name": "Ann", "cluster": "a"}, {"name": "ann", "cluster": "b"}, 1,
                         id="a name holds across clusters"),
        ],
    )  # fmt: skip
    def test_who_is_one_person(self, first, second, rows):
        made = room(learner("1.json", snapshot(uid="1", identity=first)),
                    learner("2.json", snapshot(uid="2", identity=second)))  # fmt: skip
        assert len(made.learners) == rows

    def test_two_namespaces_of_one_user_are_two(self):
        who = {"user": "admin", "cluster": "a"}
        rows = [learner(f"{n}.json", snapshot(identity=who, namespace=n)) for n in "ab"]
        assert len(room(*rows).learners) == 2

    def test_people_of_one_name_are_told_apart(self):
        rows = [learner(f"{n}.json", snapshot(identity={"user": "admin"})) for n in "ab"]
        assert [row.name for row in room(*rows).learners] == ["admin (a.json)", "admin (b.json)"]

    def test_a_file_that_is_named_twice_and_torn_meanwhile_stops_nothing(self):
        assert len(room(ann("done"), unreadable("ann.json", "gone")).learners) == 2

    def test_rows_stand_in_the_order_of_names_without_accents(self):
        names = ["zoe", "Émile", "ada", "Emma", "Ella"]
        assert [row.name for row in room(*(ann(name=n) for n in names)).learners] == [
            "ada", "Ella", "Émile", "Emma", "zoe"]  # fmt: skip


class TestCopies:
    def test_the_same_tfjob_in_two_files_is_noted(self):
        made = room(ann("done"), learner("ben.json", snapshot("done", uid="ann")))
        (found,) = made.copies
        assert found.sentence == "ann and ben have the same TfJob one: copied?"
        assert found.sentence in remarks(made)

    def test_work_of_ones_own_is_no_copy(self):
        assert room(ann("done"), ann("done", name="ben")).copies == []

    def test_nodes_and_the_operator_are_the_same_for_a_whole_class(self):
        shared = {"metadata": {"name": "x", "uid": "same"}}
        rows = []
        for name in ("ann", "ben"):
            data = snapshot("done", uid=name, operator={"pods": [shared]})
            data["objects"]["nodes"] = [shared]
            rows.append(learner(f"{name}.json", data))
        assert room(*rows).copies == []

    def test_pods_tell_where_there_is_no_tfjob(self):
        pod = {"metadata": {"name": "p", "uid": "same"}}
        rows = [learner(f"{n}.json", tiny.data(objects={"pods": [pod]})) for n in ("ann", "ben")]
        assert [each.work for each in copies(rows)] == [("Pod p",)]

    def test_two_people_in_one_namespace_may_have_worked_together(self):
        rows = [
            learner(f"{n}.json", snapshot("done", uid="x", identity={"user": n, "cluster": "c"}))
            for n in ("ann", "ben")
        ]
        (found,) = room(*rows).copies
        assert found.together
        assert "may have worked together" in found.sentence

    def test_who_copies_from_two_links_them(self):
        rows = [
            learner("a.json", tiny.data(tiny.tfjob("one", "1", state="done"))),
            learner("b.json", tiny.data(tiny.tfjob("two", "2", state="done"))),
            learner("c.json", tiny.data(tiny.tfjob("one", "1", state="done"),
                                        tiny.tfjob("two", "2", state="done"))),
            ann("done", name="honest"),
        ]  # fmt: skip
        (found,) = room(*rows).copies
        assert found.names == ("a", "b", "c")
        assert found.work == ("TfJob one", "TfJob two")

    def test_a_later_snapshot_of_the_same_person_is_no_copy(self):
        who = {"user": "ann", "cluster": "c"}
        rows = [learner(f"{n}.json", snapshot("done", uid="x", identity=who, context=n))
                for n in "12"]  # fmt: skip
        assert room(*rows).copies == []


class TestWherePeopleAreStuck:
    def test_what_most_people_have_comes_first(self):
        made = room(ann("wrong", "wrong"), ann("wrong", name="ben"))
        shown = [(each.exercises, each.id, each.learners) for each in made.stuck]
        assert shown == [
            (("5.1",), "steps.count", ("ann", "ben")),
            (("5.2",), "steps.count", ("ann",)),
        ]
        assert made.stuck[0].example == "--max-steps is 50"

    @pytest.mark.parametrize("state", ["", "done", "training", "unsure"])
    def test_who_has_not_begun_waits_or_could_not_be_checked_is_not(self, state):
        assert room(ann(state)).stuck == []

    def test_who_waits_for_longer_than_usual_is(self):
        (found,) = room(ann("starting")).stuck
        assert found.verdict is Verdict.CONVERGING

    def test_what_blocks_several_exercises_is_one_thing(self):
        (found,) = room(ann("blocked", "blocked")).stuck
        assert (found.exercises, found.learners) == (("5.1", "5.2"), ("ann",))

    def test_what_could_not_be_checked_is_one_remark_for_all(self):
        made = room(ann("unsure"), ann("unsure", name="ben"))
        assert remarks(made) == ["5.1 could not be checked for 2 learners: no permission"]


class TestText:
    def test_a_class(self):
        late = {"taken": "2026-11-25T10:31:00Z"}
        made = room(ann("done", "wrong"), ann("done", "done", "ben", **late),
                    unreadable("cho.json", "it is not JSON"))  # fmt: skip
        assert as_text(made, PLAIN) == (
            "3 learners, 3 exercises, 25 Nov 2026, 10:00 to 10:31 UTC\n"
            "\n"
            "learner   5.1   5.2  5.10  done\n"
            "ann         +     x     o     1\n"
            "ben         +     +     o     2\n"
            "cho      could not be read\n"
            "done        2     1     0\n"
            "\n"
            "+ done   ! blocked   o not started   ~ converging   x wrong   ? could not check\n"
            "\n"
            "Where people are stuck\n"
            "  5.2  steps.count: 1 learner: ann\n"
            "       for example: --max-steps is 50\n"
            "\n"
            "To look at\n"
            "  - cho.json: it is not JSON"
        )

    def test_on_a_narrow_terminal_there_are_several_tables(self):
        shown = as_text(room(ann("done", "wrong", name="a" * 100)), Look(40))
        assert shown.count("learner  ") == 3
        assert max(map(columns, shown.splitlines()[:12])) <= 44

    def test_colours_are_only_colours(self):
        made = room(ann("done", "wrong"))
        coloured = as_text(made, Look(colour=True))
        assert re.sub(r"\x1b\[\d+m", "", coloured) == as_text(made, Look())

    def test_nobody_at_all(self):
        assert as_text(room(), PLAIN).startswith("0 learners, 3 exercises\n")


class TestCsv:
    def rows(self, *learners):
        return list(csv.reader(io.StringIO(as_csv(room(*learners)), newline="")))

    def test_a_row_for_each_learner(self):
        who = {"name": "Ann", "user": "ann", "cluster": "c1"}
        head, row = self.rows(learner("a.json", snapshot("done", "wrong", identity=who)))
        assert dict(zip(head, row, strict=True)) == {
            "learner": "Ann", "source": "a.json", "user": "ann", "cluster": "c1",
            "namespace": "default", "taken": "2026-11-25T10:00:00+00:00", "done": "1",
            "5.1": "done", "5.2": "wrong", "5.10": "not started",
            "5.1 finding": "", "5.2 finding": "steps.count", "5.10 finding": "steps.none",
            "notes": "",
        }  # fmt: skip

    def test_what_could_not_be_read_has_empty_cells_and_the_reason(self):
        head, row = self.rows(unreadable("a.json", "it is not JSON"))
        assert len(row) == len(head)
        assert row[-1] == "it is not JSON"
        assert set(row[2:-1]) == {""}

    def test_lines_end_as_the_rfc_says(self):
        shown = as_csv(room(ann("done"), ann("done", name="ben")))
        assert shown.count("\r\n") == shown.count("\n") == 3

    @pytest.mark.parametrize(
        "name",
        [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1",
            '=HYPERLINK("http://x","y")',
        ],
    )  # fmt: skip
    def test_a_spreadsheet_runs_no_name(self, name):
        (_, row) = self.rows(learner("a.json", snapshot(identity={"name": name, "user": name})))
        assert row[0] == row[2] == "'" + clean(name)

    @given(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold))
    @settings(deadline=None)
    def test_any_name_comes_back(self, names):
        made = [learner(f"{i}.json", snapshot(uid=str(i), identity={"name": name}))
                for i, name in enumerate(names)]  # fmt: skip
        _, *rows = self.rows(*made)
        shown = {row[1]: row[0].removeprefix("'") for row in rows}
        for each in classroom(made).learners:
            assert shown[each.source] == clean(each.name).removeprefix("'")


class TestJson:
    def test_a_class(self):
        document = json.loads(as_json(room(ann("done", "wrong"), unreadable("b.json", "torn"))))
        assert document["schema"] == tables.JSON_SCHEMA
        assert document["exit_code"] == 6
        first, second = document["learners"]
        assert (first["learner"], first["done"], first["error"]) == ("ann", 1, None)
        assert (second["error"], second["exercises"]) == ("torn", [])
        wrong = first["exercises"][1]
        assert (wrong["finding"], wrong["found"]) == ("steps.count", "--max-steps is 50")
        assert document["stuck"][0]["learners"] == ["ann"]
        assert document["exercises"][0] == {
            "exercise": "5.1", "title": "Exercise one", "optional": False, "done": 1}  # fmt: skip


class Page(HTMLParser):
    """The page as a browser takes it: its elements, their attributes, and all of its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="a script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="an attribute that is closed"),
    pytest.param("'onmouseover='alert(1)", id="an attribute that is begun"),
    pytest.param("</title></pre></details><h1>x", id="elements that are closed"),
    pytest.param("<!--", id="a comment"),
    pytest.param("&lt;script&gt;", id="an entity"),
    pytest.param("\u202egnp.exe\x00\x1b[2J", id="characters that cannot be seen"),
    pytest.param("javascript:alert(1)", id="a link"),
]
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "h1",
    "h2", "p", "ul", "li", "div", "table", "thead", "tbody", "tr", "th", "td", "a", "b", "bdi",
    "span", "small", "code", "pre", "meter", "details", "summary",
}  # fmt: skip


class TestHtml:
    def page(self, *learners):
        return as_html(room(*learners))

    def test_it_loads_and_runs_nothing(self):
        parsed = Page(self.page(ann("done", "wrong"), unreadable("b.json", "torn")))
        assert set(parsed.tags) <= ALLOWED
        assert parsed.open == []
        for _, name, value in parsed.attributes:
            assert not name.startswith("on")
            assert name not in ("src", "style", "srcset", "action")
            assert name != "href" or re.fullmatch(r"#learner-\d+", value)

    def test_a_policy_allows_its_own_style_and_nothing_else(self):
        policy = next(
            v for _, n, v in Page(self.page()).attributes if n == "content" and "src" in v
        )
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "url(" not in html.STYLE
        assert "@import" not in html.STYLE

    def test_verdicts_have_a_mark_and_a_word(self):
        parsed = Page(self.page(ann("done", "wrong")))
        words = " ".join("".join(parsed.words).split())
        for shown in ("✔ done", "✘ wrong", "○ not started"):
            assert shown in words

    def test_the_table_has_heads_for_rows_columns_and_groups(self):
        scopes = {value for _, name, value in Page(self.page(ann())).attributes if name == "scope"}
        assert scopes == {"row", "col", "colgroup"}

    def test_every_link_leads_to_a_report(self):
        parsed = Page(self.page(*(ann("wrong", name=f"n{i}") for i in range(12))))
        targets = {f"#{value}" for _, name, value in parsed.attributes if name == "id"}
        links = [value for _, name, value in parsed.attributes if name == "href"]
        assert len(links) == 24
        assert set(links) <= targets
        assert "and 4 others" in "".join(parsed.words)

    def test_the_report_of_a_learner_is_the_one_that_the_learner_sees(self):
        page = self.page(ann("wrong"))
        assert "      found:  --max-steps is 50\n" in page
        assert "      fix:    Write 500.\n" in page

    def test_what_could_not_be_read_says_why(self):
        words = "".join(Page(self.page(unreadable("b.json", "it is not JSON: x"))).words)
        assert "could not be read" in words
        assert "b.json: it is not JSON: x" in words

    def test_it_follows_the_readers_system_and_can_be_printed(self):
        page = self.page()
        assert "prefers-color-scheme: dark" in page
        assert "@media print" in page

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_hostile_names_stay_text(self, hostile):
        data = snapshot(f"found {hostile}", uid=hostile, namespace=hostile,
                        identity={"name": hostile, "cluster": hostile})  # fmt: skip
        plain = Page(self.page(ann("wrong")))
        parsed = Page(self.page(learner(f"{hostile}.json", data)))
        assert parsed.tags.count("script") == parsed.tags.count("img") == 0
        assert sorted(set(parsed.tags)) == sorted(set(plain.tags))
        assert clean(hostile) in "".join(parsed.words)
        assert not set("".join(parsed.words)) & set("\u202e\x00\x1b")

    @given(NAMES, NAMES)
    @settings(deadline=None)
    def test_any_name_and_any_message_come_back(self, name, found):
        name, found = f"who{name}", f"what{found}"
        made = learner("a.json", snapshot(f"found {found}", identity={"name": name}))
        parsed = Page(self.page(made))
        assert parsed.words.count(clean(name)) == 3
        assert parsed.words.count(clean(found)) == 1
        assert set(parsed.tags) <= ALLOWED


@pytest.mark.parametrize("write", [lambda made: as_text(made, PLAIN), as_csv, as_json, as_html])
@pytest.mark.parametrize("hostile", ["\x1b[2J", "\u202e", "\ud800", "\x00", "x" * 100_000])
def test_nothing_that_is_written_steers_a_reader(write, hostile):
    data = snapshot(f"found {hostile}", uid=hostile, namespace=hostile, context=hostile,
                    identity={"name": f"a{hostile}", "user": hostile})  # fmt: skip
    shown = write(room(learner(f"{hostile}.json", data), unreadable(hostile, hostile)))
    assert not set(shown) & set("\x1b\u202e\ud800\x00")
    shown.encode()


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [[]], {"a": 1}])
@pytest.mark.parametrize("part", ["objects", "identity", "missing", "flags", "logs", "namespace"])
def test_a_snapshot_of_any_shape_is_a_row(part, junk):
    row = learner("a.json", snapshot("done") | {part: junk})
    made = room(row)
    for write in (lambda made: as_text(made, PLAIN), as_csv, as_json, as_html):
        assert write(made)


def test_a_thousand_learners_take_seconds():
    states = ["done", "wrong", "training", "blocked", ""]
    begin = time.perf_counter()
    made = classroom(
        from_file(f"{i}.json", json.dumps(snapshot(states[i % 5], uid=str(i))).encode())
        for i in range(1000)
    )
    for write in (lambda made: as_text(made, PLAIN), as_csv, as_json, as_html):
        assert write(made)
    assert timedelta(seconds=time.perf_counter() - begin) < timedelta(seconds=20)
