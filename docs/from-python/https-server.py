import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

port, cert, key = sys.argv[1:]


class Secret(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"a secret\n")


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)
with HTTPServer(("127.0.0.1", int(port)), Secret) as server:
    # From 3.14 on: HTTPSServer(address, Secret, certfile=cert, keyfile=key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("listening on https://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
