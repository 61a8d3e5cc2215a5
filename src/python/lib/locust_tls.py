# SPDX-License-Identifier: MIT
"""ssl_context_factory of a FastHttpUser: what the engine's own TLS needs of an ssl.SSLContext: whether
servers are verified, what is trusted, which certificate is shown. A context does not tell what it was
given, so its methods note that."""
import atexit
import functools
import logging
import os
import ssl
import tempfile

from locust.exception import LocustError

logger = logging.getLogger("locust.contrib.fasthttp")


def _note_chain(load):
    @functools.wraps(load)
    def load_cert_chain(self, certfile, keyfile=None, password=None):
        load(self, certfile, keyfile, password)
        self._chain = certfile, keyfile, password
    return load_cert_chain


def _note_trust(load):
    @functools.wraps(load)
    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        load(self, cafile, capath, cadata)
        self._trust = *getattr(self, "_trust", ()), (cafile, capath, cadata)
    return load_verify_locations


ssl.SSLContext.load_cert_chain = _note_chain(ssl.SSLContext.load_cert_chain)
ssl.SSLContext.load_verify_locations = _note_trust(ssl.SSLContext.load_verify_locations)


def _make(factory):
    """As geventhttpclient does."""
    try:
        return factory(cafile=ssl.get_default_verify_paths().cafile or
                       "/etc/ssl/certs/ca-certificates.crt")
    except TypeError:
        return factory()


def _trusted(context):
    """All certificates, as PEM."""
    parts = [ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True)]
    for cafile, capath, cadata in getattr(context, "_trust", ()):
        if capath:
            raise LocustError("ssl_context_factory: certificates are read from files, not from the "
                              f"folder {capath}")
        if cafile:
            with open(cafile) as file:
                parts.append(file.read())
        if cadata:
            parts.append(cadata if isinstance(cadata, str) else ssl.DER_cert_to_PEM_cert(cadata))
    return "\n".join(parts)


@functools.lru_cache
def _file_of(pem):
    with tempfile.NamedTemporaryFile("w", prefix="cicada-", suffix=".pem", delete=False) as file:
        file.write(pem)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and os.remove(file.name))
    return file.name


@functools.lru_cache
def _usual():
    return _finer(ssl.create_default_context())


def _finer(context):
    return ([cipher["name"] for cipher in context.get_ciphers()], context.minimum_version,
            context.maximum_version)


_has_warned = False


def _warn_of_finer(context):
    global _has_warned
    if not _has_warned and _finer(context) != _usual():
        _has_warned = True
        logger.warning("ssl_context_factory: ciphers and versions of TLS are the program's; what it "
                       "trusts, and the certificate that it shows, are taken over")


def described(factory, insecure):
    """(verify nothing, file with what is trusted, certificate, its key)"""
    if factory is None:
        return insecure, None, None, None
    context = _make(factory)
    _warn_of_finer(context)
    certificate, key, password = getattr(context, "_chain", (None, None, None))
    if password is not None:
        raise LocustError(f"ssl_context_factory: {key or certificate} must be without a password")
    if context.verify_mode == ssl.CERT_NONE:
        return True, None, certificate, key
    return False, _file_of(_trusted(context)), certificate, key
