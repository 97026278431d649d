import os
import socketserver
import sys


class Shout(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read().upper())


path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
with socketserver.UnixDatagramServer(path, Shout) as server:
    print("listening on unixgram:" + path, flush=True)
    server.serve_forever()
