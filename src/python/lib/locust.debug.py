# SPDX-License-Identifier: MIT
def run_single_user(user_class, *args, **kwargs):
    """Under Locust this runs one user when the file is started by Python itself."""
    raise NotImplementedError("run_single_user() is for files that Python itself starts, behind "
                              "if __name__ == \"__main__\"; use cicada -f FILE --headless -u 1 "
                              f"{user_class.__name__}")
