# SPDX-License-Identifier: MIT
"""Options that a locustfile adds to the command line, in a listener of init_command_line_parser."""
import argparse
import os


class ParserError(Exception):
    pass


class ArgumentParser(argparse.ArgumentParser):
    """With an argument for a variable of the environment, which counts where the option is missing,
    and some for the web interface."""

    def __init__(self):
        self.shown = []  # in the web interface
        super().__init__(prog="cicada", add_help=False, allow_abbrev=False)

    def add_argument(self, *args, env_var=None, include_in_web_ui=True, is_secret=False,
                     is_required=False, is_multiple=False, **kwargs):
        action = super().add_argument(*args, **kwargs)
        action.is_secret = is_secret
        if include_in_web_ui:
            self.shown.append(action)
        value = os.environ.get(env_var) if env_var else None
        if value and action.nargs == 0:
            action.default = value.lower() in ("1", "true", "yes", "on")
        elif value:
            action.default = value
        return action

    def has_options(self):
        return bool(self._actions)

    def error(self, message):
        raise ParserError(message)


LocustArgumentParser = ArgumentParser
