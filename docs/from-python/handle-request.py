import socketserver
import sys


class Count(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.count += 1
        self.wfile.write(b"request %d\n" % self.server.count)


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    timeout = 1
    count = 0
    waiting = True

    def handle_timeout(self):
        print("nobody came", flush=True)
        self.waiting = False


with Server(("127.0.0.1", int(sys.argv[1])), Count) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    while server.waiting:
        server.handle_request()
