import socketserver
import sys


class Age(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"served\n")


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    turns = 0

    def service_actions(self):
        self.turns += 1
        if self.turns == 3:
            print("three turns", flush=True)


with Server(("127.0.0.1", int(sys.argv[1])), Age) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever(poll_interval=0.05)
