# SPDX-License-Identifier: MIT
"""The exceptions that steer users, and those that requests fail with."""


class LocustError(Exception):
    pass


class ResponseError(Exception):
    """Raised in the block of a catch_response: marks the request as failed."""


class CatchResponseError(Exception):
    """What response.failure("text") makes of its text."""


class MissingWaitTimeError(LocustError):
    pass


class InterruptTaskSet(Exception):
    """Ends a TaskSet; the one above goes on at once (reschedule) or after its wait."""

    def __init__(self, reschedule=True):
        self.reschedule = reschedule


class StopUser(Exception):
    pass


class StopTest(Exception):
    """Ends the test; its text is logged."""


class RescheduleTask(Exception):
    """Ends the running task; the wait follows."""


class RescheduleTaskImmediately(Exception):
    """Ends the running task; the next one follows at once."""


class RunnerAlreadyExistsError(Exception):
    pass


class RPCError(Exception):
    pass


class RPCSendError(RPCError):
    pass


class RPCReceiveError(RPCError):
    pass


class AuthCredentialsError(ValueError):
    pass
