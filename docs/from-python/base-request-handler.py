import socketserver
import sys


class Shout(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data.upper())


class Server(socketserver.TCPServer):
    allow_reuse_address = True  # read by the constructor: afterwards is too late


with Server(("127.0.0.1", int(sys.argv[1])), Shout) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
