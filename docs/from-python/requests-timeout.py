import sys

import requests

try:
    requests.get(f"{sys.argv[1]}/silent", timeout=(3.05, 0.2))
except requests.exceptions.Timeout:
    print("too late")
