import socketserver
import sys


class Shout(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read().upper())


class Server(socketserver.UDPServer):
    max_packet_size = 65535  # the default, 8192, cuts longer ones and says nothing


with Server(("127.0.0.1", int(sys.argv[1])), Shout) as server:
    print("listening on udp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
