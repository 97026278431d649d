import sys

import requests

response = requests.get(f"{sys.argv[1]}/page", timeout=10)
print(response.status_code, response.ok, response.encoding)
print(response.headers["content-type"])
print(response.text)
print(len(response.content))
print([(one.status_code, one.headers["location"]) for one in response.history])
