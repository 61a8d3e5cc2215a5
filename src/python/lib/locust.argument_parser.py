# SPDX-License-Identifier: MIT
"""Options that a locustfile adds to the command line, in a listener of init_command_line_parser."""
import argparse
import os

from locust_absent import absent

get_parser, get_empty_argument_parser, setup_parser_arguments, parse_locustfile_option, \
    find_locustfile = absent(__name__, "get_parser", "get_empty_argument_parser",
                             "setup_parser_arguments", "parse_locustfile_option", "find_locustfile")


class ParserError(Exception):
    pass


class _Options:
    """add_argument() with a variable of the environment, which counts where the option is missing, and
    with what the web interface wants to know."""

    def add_argument(self, *args, env_var=None, include_in_web_ui=True, is_secret=False,
                     is_required=False, is_multiple=False, **kwargs):
        action = super().add_argument(*args, **kwargs)
        action.is_secret = is_secret
        action.include_in_web_ui = include_in_web_ui
        value = os.environ.get(env_var) if env_var else None
        if value:
            action.default = _value_of(action, value)
            action.is_of_environment = True
            action.required = False
        return action

    add = add_arg = add_argument

    def add_argument_group(self, *args, **kwargs):
        group = _Group(self, *args, **kwargs)
        self._action_groups.append(group)
        return group

    def add_mutually_exclusive_group(self, **kwargs):
        group = _ExclusiveGroup(self, **kwargs)
        self._mutually_exclusive_groups.append(group)
        return group


def _value_of(action, text):
    """As it would be on the command line; several as `[a, b]`."""
    if action.nargs == 0:
        return text.lower() in ("1", "true", "yes", "on")
    if action.nargs in (None, "?"):
        return text
    convert = action.type or str
    return [convert(part.strip()) for part in text.strip("[]").split(",")]


def _plain(name):
    """Keys of files may have underscores, and dashes before them or not."""
    return name.lstrip("-").replace("_", "-")


def _words_of(action, name, values):
    if action.nargs == 0:
        return [name] if _value_of(action, values[-1]) else []
    if action.nargs in (None, "?"):
        return [f"{name}={value}" for value in values]
    return [name, *values]


class _Group(_Options, argparse._ArgumentGroup):
    pass


class _ExclusiveGroup(_Options, argparse._MutuallyExclusiveGroup):
    pass


class LocustArgumentParser(_Options, argparse.ArgumentParser):
    """Of the command line it knows what the locustfile has added."""

    @property
    def args_included_in_web_ui(self):
        return {action.dest: action for action in self._actions
                if getattr(action, "include_in_web_ui", False)}

    def words_of(self, settings, line):
        """Those of a file of options, {key: [value, ...]}, as words of a command line, without what
        the line or the environment says; and the keys that are known here."""
        words, keys = [], []
        for key, values in settings.items():
            for action in self._actions:
                name = next((name for name in action.option_strings if _plain(name) == _plain(key)),
                            None)
                if name:
                    break
            else:
                continue
            keys.append(key)
            if not (getattr(action, "is_of_environment", False) or any(
                    word.split("=")[0] in action.option_strings for word in line)):
                words += _words_of(action, name, values)
        return words, keys

    def has_options(self):
        return bool(self._actions)

    def parse_args(self, args=None, namespace=None):
        """What is not known here is the program's."""
        return self.parse_known_args(args, namespace)[0]

    def error(self, message):
        raise ParserError(message)


def parse_options(args=None):
    """What the command line said."""
    import locust_host
    options = getattr(locust_host.environment, "parsed_options", None)
    if args is not None or options is None:
        raise NotImplementedError("argument_parser.parse_options(): cicada reads its command line when "
                                  "the locustfile has been imported; from event init on this returns "
                                  "environment.parsed_options")
    return options
