# SPDX-License-Identifier: MIT
# args: --my-text given --my-number 7 --my-flag -u 1 --many a b --grouped own --config own_options.conf
import sys

from locust import HttpUser, events, task


@events.init_command_line_parser.add_listener
def add(parser, **kwargs):
    parser.add_argument("--my-text", default="default", help="a text")
    parser.add_argument("--my-number", type=int, env_var="MY_NUMBER", default=1)
    parser.add_argument("--my-flag", action="store_true", include_in_web_ui=False)
    parser.add_argument("--my-home", env_var="PATH", default="nowhere")
    parser.add_argument("--my-language", env_var="LC_ALL", required=True)
    parser.add_argument("--of-a-file", default="default")
    parser.add_argument("--of-files", nargs="*", default=[])
    parser.add_argument("--of-a-flag", action="store_true")
    parser.add_argument("--many", nargs="*", default=[])
    parser.add_argument_group("mine").add_argument("--grouped", env_var="NO_SUCH", default="no")
    print(parser.parse_known_args()[0].my_text, parser.parse_args(sys.argv[1:]).grouped)


class Options(HttpUser):
    @task
    def all(self):
        options = self.environment.parsed_options
        print(options.my_text, options.my_number, options.my_flag, options.my_home)
        print(options.my_language, options.many, options.grouped)
        print(options.of_a_file, options.of_files, options.of_a_flag)
        print(options.num_users, options.headless, options.host == self.host, options.web_port,
              options.exit_code_on_error, options.autoquit, options.equal_weights, options.tls_cert,
              options.expect_workers, options.expect_workers_max_wait, options.locustfile)
        print(options.master_host, options.master_port, options.master_bind_host, options.master_bind_port,
              options.web_host)
        self.client.get("/" + options.my_text)
        self.environment.runner.quit()
