import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Logged(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/nothing":
            self.send_response(204)
        else:
            self.send_response(303)
            self.send_header("Location", "/nothing")
        self.end_headers()

    def log_request(self, code="-", size="-"):
        print('%s "%s" %s' % (self.address_string(), self.requestline, int(code)), flush=True)


with HTTPServer(("127.0.0.1", int(sys.argv[1])), Logged) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
