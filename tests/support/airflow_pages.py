# SPDX-License-Identifier: Apache-2.0

"""What a person does on Airflow 3.3's pages, by the words that are on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playwright.sync_api import Locator, Page

CONNECTION_TYPE = "Instasent"
STANDARD, EXTRA = "Standard Fields", "Extra Fields"
# A notice goes after seconds, so it is looked for and read in one step, within the page.
NOTICE = """title => [...document.querySelectorAll('[role=status]')]
    .map(notice => notice.innerText.trim().split(/\\n+/))
    .filter(lines => lines[0].startsWith(title)).map(lines => lines.slice(1).join(' '))[0]"""

UNTIL_IT_RESTS = "form => Promise.all(form.getAnimations({subtree: true}).map(one => one.finished.catch(() => {})))"


class ConnectionForm:
    """The dialog in which a connection is added or edited.

    :param dialog: the dialog, open.
    """

    def __init__(self, dialog: Locator) -> None:
        self.dialog = dialog

    def show(self, section: str) -> None:
        """Unfold a section, `STANDARD` or `EXTRA`, where it is not."""
        heading = self.dialog.get_by_role("button", name=section, exact=True)
        heading.wait_for()
        if heading.get_attribute("aria-expanded") != "true":
            heading.click()
        self.dialog.evaluate(UNTIL_IT_RESTS)

    def field(self, label: str) -> Locator:
        """A field with its label and its help, by its label."""
        return self.dialog.get_by_role("group").filter(has=self.dialog.page.get_by_text(label, exact=True))

    def value(self, label: str) -> Locator:
        """Where the text of a field stands."""
        return self.field(label).locator("input:not([type=checkbox]), textarea").first

    def labels(self) -> list[str]:
        """The labels of the fields that are shown, from above."""
        groups = [group.inner_text().strip() for group in self.dialog.get_by_role("group").all() if group.is_visible()]
        return [text.splitlines()[0] for text in groups if text]

    def help(self, label: str) -> str:
        """What is written below a field."""
        return self.field(label).inner_text().strip().splitlines()[-1]

    def fill(self, section: str, values: Mapping[str, Any]) -> None:
        """Fill in fields of a section.

        :param section: which is unfolded.
        :param values: by label: a bool for a switch, else what is typed.
        """
        self.show(section)
        for label, value in values.items():
            if value is True or value is False:
                switch = self.field(label).get_by_role("checkbox")
                if switch.is_checked() != value:
                    self.field(label).locator("[data-part=control]").click()
            else:
                self.value(label).fill(str(value))

    def choose(self, label: str, option: str) -> None:
        """Choose one of the values that a field offers."""
        self.field(label).get_by_role("combobox").click()
        self.dialog.page.get_by_role("option", name=option, exact=True).click()

    def save(self) -> None:
        """Press *Save* and wait until the dialog is gone, as it is when all is stored."""
        self.dialog.get_by_role("button", name="Save").click()
        self.dialog.wait_for(state="hidden")


class ConnectionsPage:
    """*Admin → Connections*.

    :param page: a browser's page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self) -> None:
        """Go there by Airflow's menu."""
        self.page.goto("/")
        self.page.get_by_role("button", name="Admin").click()
        self.page.get_by_role("menuitem", name="Connections").click()
        self.page.get_by_role("button", name="Add Connection").wait_for()

    def add(self, connection_id: str) -> ConnectionForm:
        """Begin a connection of our type."""
        self.page.get_by_role("button", name="Add Connection").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Connection ID").fill(connection_id)
        dialog.get_by_role("combobox", name="Connection Type").fill(CONNECTION_TYPE)
        self.page.get_by_role("option", name=CONNECTION_TYPE, exact=True).click()
        form = ConnectionForm(dialog)
        form.field("API token").wait_for()
        return form

    def create(self, connection_id: str, standard: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> None:
        """Add a connection of our type.

        :param connection_id: its id.
        :param standard: the fields of the first section, by label.
        :param extra: those of the second.
        """
        self.open()
        form = self.add(connection_id)
        form.fill(STANDARD, standard)
        form.fill(EXTRA, extra or {})
        form.save()

    def edit(self, connection_id: str) -> ConnectionForm:
        """Open a connection's form."""
        self._row(connection_id).get_by_role("button", name="Edit Connection").click()
        form = ConnectionForm(self.page.get_by_role("dialog"))
        form.field("API token").wait_for()
        return form

    def test(self, connection_id: str) -> None:
        """Press the button that tests a connection."""
        self._row(connection_id).get_by_role("button", name="Test Connection").click()

    def notice(self, title: str) -> str:
        """Wait for a notice with this title, and return what else it says."""
        return str(self.page.wait_for_function(f"title => ({NOTICE})(title) || false", arg=title).json_value())

    def _row(self, connection_id: str) -> Locator:
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name=connection_id, exact=True))


class RunPage:
    """A DAG's page, and that of one of its runs.

    :param page: a browser's page.
    :param dag_id: the DAG.
    """

    def __init__(self, page: Page, dag_id: str) -> None:
        self.page = page
        self.dag_id = dag_id
        self.address = f"/dags/{dag_id}"

    def trigger(self) -> None:
        """Trigger a run by the button of the DAG's page, which leads to the run's page."""
        self.page.goto(f"/dags/{self.dag_id}")
        self.page.get_by_role("button", name="Trigger").first.click()
        self.page.get_by_role("dialog").get_by_role("button", name="Trigger", exact=True).click()
        self.page.wait_for_url(re.compile(rf"/dags/{self.dag_id}/runs/[^/]+$"))
        self.address = self.page.url

    def watch(self, task_ids: Iterable[str], state: str) -> None:
        """Look at the run's page until each of these tasks is shown in this state; it renews itself."""
        for task_id in task_ids:
            self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=task_id, exact=True)).filter(
                has=self.page.get_by_role("cell", name=state, exact=True)
            ).wait_for()

    def open(self) -> None:
        """Go to the run's page."""
        self.page.goto(self.address)

    def show_log(self, task_id: str, last_words: str) -> str:
        """Go to a task's log, have its lines wrapped and wait for its end.

        :param task_id: the task.
        :param last_words: what stands in it when it is all there.
        :return: what can be read of it.
        """
        self.page.goto(f"{self.address}/tasks/{task_id}")
        self.page.get_by_role("code").get_by_text(last_words).first.wait_for()
        self.page.get_by_role("button", name="Log Settings").click()
        if (wrap := self.page.get_by_role("menuitem", name="Wrap", exact=False)).inner_text().startswith("Wrap"):
            wrap.click()
        else:
            self.page.keyboard.press("Escape")
        self.page.get_by_role("menu").wait_for(state="hidden")
        return self.page.get_by_role("code").first.inner_text()

    def show_xcom(self, task_id: str) -> str:
        """Go to the XCom of a task and unfold its return value.

        :return: what can be read of it; the editor that shows it holds only what is in sight.
        """
        self.page.goto(f"{self.address}/tasks/{task_id}")
        self.page.get_by_role("link", name="Storage").click()
        self.page.get_by_role("link", name="XCom").click()
        self.page.get_by_role("button", name="Expand all extra JSON").click()
        value = self.page.get_by_role("row").filter(has_text="return_value").get_by_role("code")
        value.get_by_text("campaign_id").wait_for()
        return value.inner_text().replace("\u00a0", " ")
