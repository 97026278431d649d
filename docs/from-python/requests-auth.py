import sys

import requests
from requests.auth import HTTPDigestAuth

url = sys.argv[1]
print(requests.get(f"{url}/basic", timeout=10).status_code)
print(requests.get(f"{url}/basic", auth=("ann", "secret"), timeout=10).text)
print(requests.get(f"{url}/digest", auth=HTTPDigestAuth("ann", "secret"), timeout=10).text)
