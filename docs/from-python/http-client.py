import http.client
import sys
from urllib.parse import urlsplit

url = urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
connection.request("GET", "/hello?name=Ann", headers={"X-Own": "yes"})
response = connection.getresponse()
print(response.status, response.reason)
print(response.getheader("Content-Type"))
print(response.read().decode())
connection.request("PUT", "/notes/1", body="kept", headers={"Content-Type": "text/plain"})
response = connection.getresponse()
print(response.status, response.read().decode())
connection.close()
