# SPDX-License-Identifier: MIT
# args: --my-text given --my-number 7 --my-flag -u 1
from locust import HttpUser, events, task


@events.init_command_line_parser.add_listener
def add(parser, **kwargs):
    parser.add_argument("--my-text", default="default", help="a text")
    parser.add_argument("--my-number", type=int, env_var="MY_NUMBER", default=1)
    parser.add_argument("--my-flag", action="store_true", include_in_web_ui=False)
    parser.add_argument("--my-home", env_var="PATH", default="nowhere")


class Options(HttpUser):
    @task
    def all(self):
        options = self.environment.parsed_options
        print(options.my_text, options.my_number, options.my_flag, options.my_home)
        print(options.num_users, options.headless, options.host == self.host)
        self.client.get("/" + options.my_text)
        self.environment.runner.quit()
