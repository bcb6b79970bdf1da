"""Certificates for tests, made by `openssl`: an authority, and hosts that it vouches for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[host]
basicConstraints = critical, CA:FALSE
subjectAltName = {names}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@dataclass(frozen=True)
class Certificate:
    """Two PEM files."""

    certificate: Path
    key: Path

    def options(self) -> dict[str, str]:
        """As a table of the configuration has them."""
        return {"tls_certificate": str(self.certificate), "tls_key": str(self.key)}


class Authority:
    """Signs certificates.

    Parameters:
        directory: for all files.
        name: tells authorities apart.

    Attributes:
        file: what those trust who trust it.
    """

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._name = name
        self._key = directory / f"{name}.key"
        self.file = directory / f"{name}.pem"
        _openssl(
            "req", "-x509", *_NEW_KEY, "-nodes", "-days", "2", "-extensions", "authority",
            "-config", str(self._config("a test's authority", "DNS:none.invalid")),
            "-keyout", str(self._key), "-out", str(self.file),
        )  # fmt: skip

    def _config(self, name: str, names: str) -> Path:
        config = self._directory / f"{self._name}.cnf"
        config.write_text(_CONFIG.format(name=name, names=names))
        return config

    def host(self, name: str, names: str, password: str = "") -> Certificate:
        """A host's certificate.

        Parameters:
            name: of the files.
            names: what the host is called, as in `DNS:localhost, IP:127.0.0.1`.
            password: of the key; empty: it has none.
        """
        made = Certificate(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request = self._directory / f"{name}.csr"
        config = str(self._config(name, names))
        _openssl(
            "req", *_NEW_KEY, *(("-passout", f"pass:{password}") if password else ("-nodes",)),
            "-config", config, "-keyout", str(made.key), "-out", str(request),
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.file), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", "2", "-extfile", config, "-extensions", "host",
            "-out", str(made.certificate),
        )  # fmt: skip
        made.key.chmod(0o600)
        return made


def _openssl(*arguments: str) -> None:
    done = subprocess.run(
        ["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
