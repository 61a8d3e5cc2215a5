# SPDX-License-Identifier: MIT
"""Holds answers against the OpenAPI document of their server."""

import json

import jsonschema

KIND = "application/json"


def check(document, method, path, status, content_type, text, body=None):
    """path: as the document calls it. body: what was asked, when it was answered with 200."""
    resolver = jsonschema.RefResolver("", document)

    def follow(node):
        return resolver.resolve(node["$ref"])[1] if "$ref" in node else node

    def validate(content, value):
        jsonschema.Draft202012Validator.check_schema(content[KIND]["schema"])
        jsonschema.Draft202012Validator(content[KIND]["schema"], resolver=resolver).validate(value)

    route = document["paths"][path][method.lower()]
    assert str(status) in route["responses"], (method, path, status, text)
    content = follow(route["responses"][str(status)]).get("content")
    if content is None:
        assert not text, (method, path, text)
        return
    assert content_type in content, (method, path, content_type)
    if content_type == KIND:
        validate(content, json.loads(text))
    if body is not None and status == 200:
        validate(route["requestBody"]["content"], body)
