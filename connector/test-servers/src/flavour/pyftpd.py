"""pyftpdlib with one user: plain, explicit or implicit TLS."""
import _strptime  # noqa: F401  Loaded before the user changes, who may not be able to read the interpreter.
import argparse
import logging
import os

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--address", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--passive", type=int, nargs=2, required=True)
parser.add_argument("--root", required=True)
parser.add_argument("--user", required=True)
parser.add_argument("--password", required=True)
parser.add_argument("--clients", type=int, required=True)
parser.add_argument("--uid", type=int)
parser.add_argument("--mode", choices=["plain", "explicit", "implicit"], default="plain")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--certificate")
parser.add_argument("--client-ca")
parser.add_argument("--clear-data", action="store_true")
a = parser.parse_args()

if a.mode == "plain":
    h = FTPHandler
else:
    from OpenSSL import SSL
    from pyftpdlib.handlers import TLS_FTPHandler

    class Implicit(TLS_FTPHandler):
        def handle(self):
            self.secure_connection(self.ssl_context)

        def handle_ssl_established(self):
            FTPHandler.handle(self)

        def ftp_AUTH(self, line):
            self.respond("503 already using TLS")

    h = Implicit if a.mode == "implicit" else TLS_FTPHandler
    h.certfile = a.certificate
    h.tls_control_required = True
    h.tls_data_required = not a.clear_data
    versions = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
    # Made now: after the user has changed, the key cannot be read.
    context = h.get_ssl_context()
    context.set_min_proto_version(versions[a.tls[0]])
    context.set_max_proto_version(versions[a.tls[1]])
    if a.client_ca:
        context.load_verify_locations(a.client_ca)
        context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *rest: bool(rest[-1])
        )

h.authorizer = DummyAuthorizer()
h.authorizer.add_user(a.user, a.password, a.root, perm="elradfmwMT")
h.banner = "pyftpdlib ready"
h.passive_ports = range(a.passive[0], a.passive[1] + 1)
# A wrong password is answered at once; pyftpdlib's own 3 s only make tests slow.
h.auth_failed_timeout = 0

os.umask(0o022)
# DEBUG shows each command and reply.
logging.basicConfig(level=logging.DEBUG)
s = FTPServer((a.address, a.port), h)
# Not `max_cons`: that counts the listener and the data connections too.
s.max_cons_per_ip = a.clients
# CONFIGURATION
if a.uid is not None:
    os.setgid(a.uid)
    os.setuid(a.uid)
s.serve_forever()
