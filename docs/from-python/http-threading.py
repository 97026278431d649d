import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"You asked for %s\n" % self.path.encode())


with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Greeter) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
