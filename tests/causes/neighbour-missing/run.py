import sys
import urllib.request

try:
    urllib.request.urlopen("http://away/")
except OSError as error:
    sys.exit(f"cannot reach the ledger: {error}")
