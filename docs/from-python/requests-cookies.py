import sys

import requests

url = sys.argv[1]
with requests.Session() as session:
    session.get(f"{url}/login?user=ann", timeout=10)
    print(session.cookies.get("session"))
    print(session.get(f"{url}/account", timeout=10).text)
print(requests.get(f"{url}/account", cookies={"session": "given"}, timeout=10).text)
