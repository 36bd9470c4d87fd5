"""Certificates for one test session, by an authority of its own (trustme)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: whom to trust, the server's, the client's, and an authority that signed neither."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    other_ca: Path


def issue(directory: Path, *, server: tuple[str, ...] = ("localhost", "127.0.0.1")) -> Certificates:
    """Write a fresh set into `directory`; `server` is whom the server's certificate names."""
    paths = Certificates(*(directory / f"{name}.pem" for name in Certificates.__slots__))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(paths.ca)
    served = authority.issue_cert(*server)
    served.private_key_pem.write_to_path(paths.server_key)
    _write_chain(served, paths.server_cert)
    client = authority.issue_cert("bridge@example.org", common_name="bridge")
    client.private_key_pem.write_to_path(paths.client_key)
    _write_chain(client, paths.client_cert)
    trustme.CA().cert_pem.write_to_path(paths.other_ca)
    return paths


def _write_chain(certificate: trustme.LeafCert, path: Path) -> None:
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(path, append=True)
