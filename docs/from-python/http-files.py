import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Files(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".log": "text/plain"}


handler = partial(Files, directory=sys.argv[2])
with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
