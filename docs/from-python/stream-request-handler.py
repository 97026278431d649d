import socketserver
import sys


class Shout(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.count = 0

    def handle(self):
        for line in self.rfile:
            self.count += 1
            self.wfile.write(line.upper())

    def finish(self):
        self.wfile.write(b"%d lines\n" % self.count)
        super().finish()


class Server(socketserver.TCPServer):
    allow_reuse_address = True


with Server(("127.0.0.1", int(sys.argv[1])), Shout) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
