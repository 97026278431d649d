import socketserver
import sys


class Shout(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True


with Server(("127.0.0.1", int(sys.argv[1])), Shout) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
