# SPDX-License-Identifier: MIT
"""What the listener of a custom message gets, and what goes between processes."""
from locust.rpc import pack, unpack


class Message:
    def __init__(self, message_type, data, node_id):
        self.type, self.data, self.node_id = message_type, data, node_id

    def __repr__(self):
        return f"<Message {self.type}:{self.node_id}>"

    def serialize(self):
        return pack((self.type, self.data, self.node_id))

    @classmethod
    def unserialize(cls, data):
        return cls(*unpack(data))
