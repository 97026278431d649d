import os
import socketserver
import sys


class Shout(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
with socketserver.UnixStreamServer(path, Shout) as server:
    os.chmod(path, 0o600)
    print("listening on unix:" + path, flush=True)
    server.serve_forever()
