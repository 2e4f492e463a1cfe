"""A user of exercise 8.3 in a browser (`make test-browser`): logs in, and runs a cell."""

import pytest

from tests.browser.chromium import Browser
from tests.cluster import hubs

pytestmark = pytest.mark.browser
CELL = ".jp-Notebook .jp-Cell .cm-content"
CODE = "import socket; print(6 * 7, 'in', socket.gethostname())"
OUTPUT = "document.querySelector('.jp-OutputArea-output pre')?.innerText"


@pytest.fixture(scope="module")
def hub(cluster):
    with hubs.installed(cluster) as found:
        yield found


def test_a_user_logs_in_starts_a_server_and_runs_a_cell(hub):
    with Browser() as browser:
        log_in(browser, hub, "learner1")
        browser.click("#profile-item-plain")
        browser.click("#spawn_form button[type=submit]")
        browser.wait("location.pathname.startsWith('/user/learner1/lab')")
        browser.click('.jp-LauncherCard[data-category="Notebook"]')
        browser.wait("document.body.innerText.includes('| Idle')")
        browser.click(CELL)
        browser.wait(f"document.activeElement.matches('{CELL}')")
        browser.type(CODE)
        browser.wait(f"document.querySelector('{CELL}').innerText.includes('gethostname')")
        browser.press_shift_enter()
        browser.wait(f"{OUTPUT}?.includes('42 in jupyter-learner1')")
        chosen = "--selector=hub.jupyter.org/username=learner1"
        assert hub.kubectl("get", "pods", chosen, "--output=name") == "pod/jupyter-learner1\n"


def test_a_wrong_password_leads_back_to_the_login_page(hub):
    with Browser() as browser:
        log_in(browser, hub, "learner1", "not-the-password")
        browser.wait("document.querySelector('.login_error') !== null")
        assert browser.ask("location.pathname") == "/hub/login"


def log_in(browser, hub, user, password=None):
    """Fill in the form of the login page."""
    browser.go(f"{hub.url}/")
    browser.click("#username_input")
    browser.type(user)
    browser.click("#password_input")
    browser.type(password or hub.password)
    browser.click("#login_submit")
