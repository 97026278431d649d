import sys

import requests

response = requests.post(f"{sys.argv[1]}/login", data={"user": "ann", "password": "a&b=c"}, timeout=10)
print(response.status_code, response.text)
