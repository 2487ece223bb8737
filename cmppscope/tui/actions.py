"""The one table of actions: from it come the keys, the footer, the help screen and the command palette."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Action(NamedTuple):
    """Something that the user may do."""

    where: str
    """Who does it: `app`, `list`, `pdus`, `transactions` … `filter`."""
    action: str
    """Textual's action: a method `action_…` of the owner."""
    keys: str
    """Keys, separated by commas; the first one is shown."""
    name: str
    """A word or two, for the footer."""
    help: str
    """A sentence."""
    footer: bool = False
    key_shown: str = ""
    """How the key is written, where Textual's way is not the usual one."""
    opens_line: bool = False
    """The keys behind it are typed into a line: it is done before they go anywhere."""


ACTIONS: tuple[Action, ...] = (
    Action("app", "show('sessions')", "1", "Sessions", "Show the sessions: who, which version, how the login went."),
    Action("app", "show('pdus')", "2", "PDUs", "Show every PDU, its fields and its octets."),
    Action("app", "show('transactions')", "3", "Transactions", "Show requests with their responses, slowest first."),
    Action("app", "show('findings')", "4", "Findings", "Show where the protocol was broken, by rule."),
    Action("app", "show('messages')", "5", "Messages", "Show short messages: their text, and what became of them."),
    Action(
        "app",
        "filter",
        "slash",
        "Filter",
        "Show only the rows that pass a filter or hold some words.",
        footer=True,
        key_shown="/",
        opens_line=True,
    ),
    Action(
        "app",
        "go_to",
        "colon,ctrl+g",
        "Go to",
        "Go to frame N, or with `p N` to PDU N.",
        footer=True,
        key_shown=":",
        opens_line=True,
    ),
    Action("app", "focus_next", "tab", "Next pane", "Move to the next pane."),
    Action("app", "focus_previous", "shift+tab", "Previous pane", "Move to the pane before."),
    Action("app", "zoom", "z", "Zoom", "Give the pane with the cursor the whole screen, and take it back."),
    Action("app", "pause", "space", "Pause", "Stop following a live capture, and follow it again."),
    Action("app", "toggle_dark", "d", "Dark, light", "Change between the dark and the light theme."),
    Action("app", "help", "question_mark,f1", "Help", "Tell the keys that work here.", footer=True, key_shown="?"),
    Action("app", "command_palette", "ctrl+p", "Commands", "Find an action by its name.", key_shown="^p"),
    Action("app", "leave", "escape", "Back", "Clear the filter, or go back to where you came from.", footer=True),
    Action("app", "quit", "q", "Quit", "Leave.", footer=True),
    Action("list", "up", "up,k", "Up", "Move up a row."),
    Action("list", "down", "down,j", "Down", "Move down a row."),
    Action("list", "page_up", "pageup,ctrl+b", "Page up", "Move up a page."),
    Action("list", "page_down", "pagedown,ctrl+f", "Page down", "Move down a page."),
    Action("list", "first", "home,g", "First", "Move to the first row."),
    Action("list", "last", "end,G", "Last", "Move to the last row; from there the list follows what comes."),
    Action("list", "left", "left,h", "Left", "See more of the left."),
    Action("list", "right", "right,l", "Right", "See more of the right."),
    Action("list", "enter", "enter", "Open", "Go into the row.", footer=True),
    Action("list", "sort(1)", "greater_than_sign", "Sort by next", "Sort by the next column.", key_shown=">"),
    Action("list", "sort(-1)", "less_than_sign", "Sort by previous", "Sort by the column before.", key_shown="<"),
    Action("list", "reverse", "r", "Reverse", "Turn the order around."),
    Action("list", "match(1)", "n", "Next match", "Move to the next row that the last filter found."),
    Action("list", "match(-1)", "N", "Previous match", "Move to the row before that the last filter found."),
    Action("list", "mark(1)", "e", "Next finding", "Move to the next row with a finding."),
    Action("list", "mark(-1)", "E", "Previous finding", "Move to the row before with a finding."),
    Action("pdus", "clock", "t", "Time", "Change between seconds since the first frame and the clock.", footer=True),
    Action(
        "transactions",
        "unanswered",
        "u",
        "Unanswered",
        "Put requests without a response on top, or the slowest.",
        footer=True,
    ),
    Action("transactions", "response", "R", "Response", "Go to the response, where there is one."),
)


LINES = frozenset(action.action for action in ACTIONS if action.opens_line)
"""What opens a line to type in."""


def of(*where: str) -> list[Action]:
    """Give the actions of some owners, in the order of the table."""
    return [action for action in ACTIONS if action.where in where]


def bindings(where: str) -> list[BindingType]:
    """Give Textual's bindings of one owner."""
    return [
        Binding(
            action.keys,
            action.action,
            action.name,
            show=action.footer,
            priority=action.opens_line,
            key_display=action.key_shown or None,
            tooltip=action.help,
            system=action.action == "command_palette",
        )
        for action in of(where)
    ]


_WRITTEN = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def keys_written(action: Action) -> str:
    """Write the keys of an action for a reader: `: ^g`."""
    names = (_WRITTEN.get(key, key) for key in action.keys.split(","))
    return " ".join(
        name.replace("ctrl+", "^").replace("shift+", "⇧") if len(name) < 2 or "+" in name else name for name in names
    )
