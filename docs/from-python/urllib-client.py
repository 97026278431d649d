import sys
import urllib.error
import urllib.parse
import urllib.request

url = sys.argv[1]
query = urllib.parse.urlencode({"word": "a b&c", "page": 2})
with urllib.request.urlopen(f"{url}/search?{query}", timeout=10) as response:
    print(response.status, response.read().decode())
data = urllib.parse.urlencode({"name": "Ann"}).encode()
with urllib.request.urlopen(f"{url}/form", data=data, timeout=10) as response:
    print(response.status, response.read().decode())
try:
    urllib.request.urlopen(f"{url}/missing", timeout=10)
except urllib.error.HTTPError as error:
    print("failed with", error.code)
