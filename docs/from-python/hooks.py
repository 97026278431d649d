import socketserver
import sys


class Say(socketserver.StreamRequestHandler):
    def handle(self):
        word = self.rfile.readline().strip()
        if word == b"fail":
            raise ValueError("asked to fail")
        self.wfile.write(b"you said " + word + b"\n")


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    seen = 0

    def verify_request(self, request, client_address):
        self.seen += 1
        return self.seen != 2

    def handle_error(self, request, client_address):
        print("error: %s" % sys.exc_info()[1], flush=True)


with Server(("127.0.0.1", int(sys.argv[1])), Say) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
